// Package relay turns the bytes of the relay chat protocol (REGISTER, SEND, FORWARD) into values and back.
//
// PROTOCOL.md beside this file is the protocol in full; the code cites its sections. A server feeds what it reads to a
// [Decoder] and takes [Request] values out; a client does the same with a [ReplyDecoder] and [Reply] values. Both accept
// bytes cut anywhere and give the same values for any cut. The Append functions write one message each, in a [Form].
//
//	var d relay.Decoder
//	d.Feed(bytes)
//	for {
//		req, ok, err := d.Next()
//		switch {
//		case err != nil: // The stream cannot be read any further (*SyntaxError).
//		case !ok:        // More bytes are needed; d.Pending reports whether silence may end the message.
//		default:         // Use req; d.Spaced and d.Bytes say what the peer has shown of its ways.
//		}
//	}
//
// The package has no clock and does no I/O. A decoder belongs to one goroutine; values it returned are the caller's for
// ever. Whether names are acceptable and who is registered is not decided here.
package relay
