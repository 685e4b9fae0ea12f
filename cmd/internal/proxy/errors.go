package proxy

import (
	"errors"
	"fmt"
)

// ErrForeign is a server that does not know what it is asked: a program of another kind, or too old.
var ErrForeign = errors.New("proxy: the server does not carry connections")

// A RefusedError is a server that does not carry what it is asked to.
type RefusedError struct {
	Text string // The server's words.
}

func (e *RefusedError) Error() string { return fmt.Sprintf("proxy: the server refuses: %q", e.Text) }
