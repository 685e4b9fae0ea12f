package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"udpchat/chat/session"
)

// ErrShutdown is the cause of the end of the context that front-ends get, and why sessions ended that had not shown
// their protocol yet, when Shutdown was called.
var ErrShutdown = errors.New("server: shutting down")

// Why connections are refused, as their peers and the log may know it.
var (
	errFull        = &session.Reason{Code: session.CodeRefused, Text: "server has too many sessions"}
	errFullNetwork = &session.Reason{Code: session.CodeRefused, Text: "too many sessions from this network"}
	errHandshakes  = &session.Reason{Code: session.CodeRefused, Text: "too many handshakes at once"}
	errTooFast     = &session.Reason{Code: session.CodeRefused, Text: "too many new sessions from this network"}
)

// A panicError is the reason of a session whose front-end panicked.
type panicError struct{ ref string }

func (e *panicError) Error() string { return "server: internal error, reference " + e.ref }

// errNoReason is a mistake of a front-end.
var errNoReason = errors.New("server: front-end gave no reason")

// reasonOf puts why a session ended into one word; see the package comment.
func reasonOf(err error) string {
	var panicked *panicError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &panicked):
		return "panic"
	case errors.Is(err, ErrShutdown), errors.Is(err, context.Canceled):
		return "shutdown"
	case errors.Is(err, session.ErrSlow):
		return "slow"
	case errors.Is(err, io.EOF):
		return "left"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF), // TLS: nobody took leave.
		errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), isOpError(err):
		return "lost"
	}
	return "protocol"
}

// isOpError reports whether err comes from the network.
func isOpError(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}

// canRetry reports whether Accept may succeed later although it failed with err: the process or the system has run out
// of something.
func canRetry(err error) bool {
	if t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err); ok && t.Temporary() {
		return true
	}
	return errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// printable returns the text of err so that nothing a peer sent can do harm on a terminal, and not too much of it.
func printable(err error) string {
	text := err.Error()
	if len(text) > errTextBytesMax {
		text = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:errTextBytesMax], ""), len(text))
	}
	if utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return text
	}
	q := strconv.Quote(text)
	return q[1 : len(q)-1]
}
