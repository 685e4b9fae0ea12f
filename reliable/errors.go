package reliable

import (
	"errors"
	"fmt"
	"net"
)

// Codes of a CloseError. Applications may use their own from CodeApplication on.
const (
	CodeNone        uint32 = 0   // an ordinary end
	CodeShutdown    uint32 = 1   // the endpoint is shutting down
	CodeProtocol    uint32 = 2   // the peer broke the protocol
	CodeFull        uint32 = 3   // no room for another connection or stream
	CodeNoCall      uint32 = 4   // the hello answers a call that nobody made
	CodeIncomplete  uint32 = 5   // an ordinary end, but not everything written was delivered
	CodeApplication uint32 = 256 // first code without a meaning here
)

// A CloseError says why a connection ended. It matches net.ErrClosed.
type CloseError struct {
	Code   uint32
	Text   string // for people; from the peer if Remote, so escape it
	Remote bool   // the peer closed
}

func (e *CloseError) Error() string {
	who := "closed"
	if e.Remote {
		who = "closed by peer"
	}
	if e.Code == CodeNone && e.Text == "" {
		return "reliable: connection " + who
	}
	return fmt.Sprintf("reliable: connection %s: %q (code %d)", who, e.Text, e.Code)
}

// Is makes errors.Is(err, net.ErrClosed) true.
func (e *CloseError) Is(target error) bool { return target == net.ErrClosed }

// A StreamError says why a stream was broken off while its connection goes on. It matches net.ErrClosed.
type StreamError struct {
	Code   uint32
	Remote bool // the peer did it
}

func (e *StreamError) Error() string {
	who := "broken off"
	if e.Remote {
		who = "broken off by peer"
	}
	switch {
	case e.Code == CodeFull && e.Remote:
		return "reliable: stream refused: the peer has no room for it"
	case e.Code == CodeNone:
		return "reliable: stream " + who
	}
	return fmt.Sprintf("reliable: stream %s (code %d)", who, e.Code)
}

// Is makes errors.Is(err, net.ErrClosed) true.
func (e *StreamError) Is(target error) bool { return target == net.ErrClosed }

// A RefusedError is what Dial returns when the server answered that it wants no connection.
type RefusedError struct{ Code uint32 }

func (e *RefusedError) Error() string {
	switch e.Code {
	case CodeFull:
		return "reliable: connection refused: the server is full"
	case CodeShutdown:
		return "reliable: connection refused: the server is shutting down"
	case CodeNoCall:
		return "reliable: connection refused: the server made no such call"
	}
	return fmt.Sprintf("reliable: connection refused (code %d)", e.Code)
}

// A KeyError is what Dial returns when the server has not the key it should have: it is another one, or somebody sits in
// between.
type KeyError struct{ Want, Got Key }

func (e *KeyError) Error() string {
	return fmt.Sprintf("reliable: the server has the key %v, not %v", e.Got, e.Want)
}

// timeoutError is an end because nothing was heard for too long. It is Timeout() and matches net.ErrClosed.
type timeoutError struct{ text string }

func (e *timeoutError) Error() string        { return "reliable: " + e.text }
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Temporary() bool      { return false }
func (e *timeoutError) Is(target error) bool { return target == net.ErrClosed }

// ErrForgotten is the end of a connection whose server does not know it any more, mostly because it was killed and started
// again. It is there: a new connection can be made at once. The error matches net.ErrClosed.
var ErrForgotten error = forgottenError{}

type forgottenError struct{}

func (forgottenError) Error() string        { return "reliable: the server has forgotten the connection" }
func (forgottenError) Is(target error) bool { return target == net.ErrClosed }

// Ends that are timeouts.
var (
	errIdle      error = &timeoutError{"connection timed out: nothing heard from the peer"}
	errHandshake error = &timeoutError{"no answer to the handshake"}
	errLinger    error = &timeoutError{"connection closed before everything was acknowledged"}
)

// Errors of OpenStream.
var (
	errLane    = errors.New("reliable: no such lane")
	errStreams = errors.New("reliable: too many streams are open")
)

// Errors of an endpoint.
var (
	errBroken     = errors.New("reliable: the peer broke the protocol")
	errFinishLong = errors.New("reliable: our certificate is too long for a datagram")
	errTooManyOut = errors.New("reliable: too many calls under way")
	errCallOpen   = errors.New("reliable: already awaiting a call from that address")
)
