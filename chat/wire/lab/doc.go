// Package lab turns the bytes of the lab chat protocol into values and back.
//
// PROTOCOL.md beside this file is the protocol in full; the code cites its sections. A server feeds what it
// reads to a [Decoder] and takes [Request] values out; a client does the same with a [ReplyDecoder] and [Reply]
// values. Both accept bytes cut anywhere and give the same values for any cut. The Append functions write one
// message each; requests come in two dialects, replies in one.
//
//	var d lab.Decoder
//	d.Feed(bytes)
//	for {
//		req, ok, err := d.Next()
//		switch {
//		case err != nil: // One malformed message (*SyntaxError); the decoder has found its way to the next.
//		case !ok:        // More bytes are needed; d.Pending reports whether silence may end the message.
//		default:         // Use req.
//		}
//	}
//
// The package has no clock and does no I/O: how long a peer must be silent before [Decoder.Flush] is called, and
// on which transports, is the caller's to know (PROTOCOL.md 2.3). A decoder belongs to one goroutine; values it
// returned are the caller's for ever. Whether names are acceptable, ids known and members allowed to speak is
// not decided here.
package lab
