package hashchat

import "fmt"

// A SyntaxError is a line that cannot be a request or reply, however it goes on.
type SyntaxError struct {
	Line string // How it begins; any bytes.
	Want string // What was expected, in words.
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("hashchat: got %q, want %s", e.Line, e.Want) }

func tooLong(line []byte) error {
	return &SyntaxError{
		Line: string(line[:min(len(line), lineShownBytes)]),
		Want: fmt.Sprintf("a line of at most %d bytes", LineBytesMax),
	}
}
