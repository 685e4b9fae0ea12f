// Package jsonchat turns the bytes of the length-prefixed JSON chat protocol into values and back.
//
// PROTOCOL.md beside this file is the protocol in full; the code cites its sections. The stream is cut by a [Decoder],
// which both sides use, into frames: a header, a JSON text, and a payload that may be longer than memory and is
// therefore handed out in pieces. What the JSON says is a [Request] or a [Response].
//
//	var d jsonchat.Decoder
//	d.Feed(bytes)
//	f, ok, err := d.Next()
//	switch {
//	case err != nil: // The header cannot be (*FrameError): nobody knows where the next frame begins.
//	case !ok:        // More bytes are needed.
//	default:         // jsonchat.ParseRequest(f.JSON); then d.Take until d.Left is 0.
//	}
//
// The package has no clock and does no I/O. A decoder belongs to one goroutine and accepts bytes cut anywhere; values it
// returned are the caller's for ever, but for Frame.JSON. Whether names, ids and tokens mean anything is not decided here.
package jsonchat
