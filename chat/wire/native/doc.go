// Package native turns the messages of the native chat protocol into bytes and back.
//
// SPEC.md beside this file is the protocol in full, native.cddl its grammar; the code cites sections of SPEC.md. Every
// message is one CBOR array [type, id, body] and travels in one frame of package reliable/message, which the caller
// makes and cuts. A client writes with [AppendRequest] and reads with [DecodeReply]; a server reads with
// [DecodeRequest] and writes with [AppendReply], [AppendError] and [AppendPush].
//
//	b := native.AppendRequest(nil, 7, native.Say{Log: "kitchen", Counter: 1, Text: "hello"})
//	head, reply, err := native.DecodeReply(b)
//	switch reply := reply.(type) {
//	case native.Said:    // The answer to request head.ID.
//	case native.Error:   // Request head.ID was refused.
//	case native.Event:   // A push: head.ID is 0.
//	case native.Unknown: // From a newer server: not for us.
//	}
//
// Decoders never panic, never allocate by a length they have not seen the bytes of, and skip what they do not know.
// Values they return own their memory. All functions may be called at the same time; the package keeps no state and
// does no I/O. What may be asked when, and by whom, is not decided here.
package native
