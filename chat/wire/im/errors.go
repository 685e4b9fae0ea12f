package im

import "fmt"

// A SyntaxError is one packet that could not be read. The decoder that returned it goes on behind it.
type SyntaxError struct {
	Packet  string // The beginning of what did not fit; raw bytes of the peer.
	Want    string // What was expected instead, or the limit that was passed.
	TooLong bool   // A limit was passed; otherwise the packet is malformed.
}

// Error describes the fault in one line; the peer's bytes are quoted.
func (e *SyntaxError) Error() string {
	if e.TooLong {
		return fmt.Sprintf("im: too long: want %s", e.Want)
	}
	return fmt.Sprintf("im: got packet %q, want %s", e.Packet, e.Want)
}

func syntaxError(packet []byte, want string) *SyntaxError {
	if len(packet) > shownBytes {
		packet = packet[:shownBytes]
	}
	return &SyntaxError{Packet: string(packet), Want: want}
}
