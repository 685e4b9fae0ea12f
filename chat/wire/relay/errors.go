package relay

import "fmt"

// A SyntaxError is a head that is too long. The decoder cannot go on behind it.
type SyntaxError struct {
	Line string // How it begins; any bytes.
	Want string // What was expected, in words.
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("relay: got %q, want %s", e.Line, e.Want) }

func tooLong(head []byte) error {
	return &SyntaxError{Line: shown(head), Want: fmt.Sprintf("a head of at most %d bytes", headBytesMax)}
}

// shown returns as much of a line as is shown of it.
func shown(line []byte) string { return string(line[:min(len(line), lineShownBytes)]) }
