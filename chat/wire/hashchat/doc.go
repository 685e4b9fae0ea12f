// Package hashchat turns the bytes of the '#' chat protocol into values and back.
//
// PROTOCOL.md beside this file is the protocol in full; the code cites its sections. A server feeds what it reads to a
// [Decoder] and takes [Request] values out; a client does the same with a [ReplyDecoder] and [Reply] values. Both accept
// bytes cut anywhere and give the same values for any cut. The Append functions write one line each.
//
//	var d hashchat.Decoder
//	d.Feed(bytes)
//	for {
//		req, ok, err := d.Next()
//		switch {
//		case err != nil: // One line that is too long (*SyntaxError); the decoder goes on behind it.
//		case !ok:        // More bytes are needed; d.Pending reports whether silence may end the line.
//		default:         // Use req.
//		}
//	}
//
// The package has no clock and does no I/O. A decoder belongs to one goroutine; values it returned are the caller's for
// ever. Whether names are acceptable and who is online is not decided here.
package hashchat
