// Package im turns the bytes of the instant messaging protocol into values and back.
//
// PROTOCOL.md beside this file is the protocol in full; the code cites its sections. A server feeds what it reads to a
// [Decoder] and takes [Request] values out, for any cut of the bytes. What a server says is one packet for each read of its
// client and has no end of its own (PROTOCOL.md 2), so a client gives what it has read to [ParseReply]. The Append functions
// write one packet each.
//
//	var d im.Decoder
//	d.Feed(bytes)
//	for {
//		req, ok, err := d.Next()
//		switch {
//		case err != nil: // One packet that cannot be read (*SyntaxError); the decoder goes on behind it.
//		case !ok:        // More bytes are needed; d.Pending reports whether silence may end the packet.
//		default:         // Use req.
//		}
//	}
//
// The package has no clock and does no I/O. A decoder belongs to one goroutine; values it returned are the caller's for ever.
package im
