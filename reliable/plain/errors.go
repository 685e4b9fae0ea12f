package plain

import (
	"errors"
	"net"
)

// Errors of connections that ended without Close. All match net.ErrClosed.
var (
	// ErrIdle says that the source was silent too long. Its Timeout is true.
	ErrIdle error = &endError{"the peer was silent too long", true}
	// ErrEvicted says that the connection had to make room for another.
	ErrEvicted error = &endError{"too many unproven sources", false}
)

// Errors of ReplyTo.
var (
	// ErrOtherHost says that an address is not one of the peer.
	ErrOtherHost = errors.New("plain: the address is not the peer's")
	// ErrOwnAddress says that an address is our own, where answers would go round in circles.
	ErrOwnAddress = errors.New("plain: the address is our own")
)

// endError says why a connection ended.
type endError struct {
	why     string
	timeout bool
}

var _ net.Error = (*endError)(nil)

func (e *endError) Error() string { return "plain: connection ended: " + e.why }

// Timeout reports whether silence was the reason.
func (e *endError) Timeout() bool { return e.timeout }

// Temporary is part of net.Error: what has ended does not come back.
func (e *endError) Temporary() bool { return false }

// Unwrap makes the error match net.ErrClosed.
func (e *endError) Unwrap() error { return net.ErrClosed }
