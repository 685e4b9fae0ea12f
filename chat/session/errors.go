package session

import (
	"errors"
	"net"
)

var (
	// ErrSlow is why a session ended whose peer did not take what was sent to it: its outbox was full, or one write
	// took longer than a minute.
	ErrSlow = errors.New("session: peer takes messages too slowly")

	// ErrNoCallback says that the session's transport cannot have a client called at another address.
	ErrNoCallback = errors.New("session: transport has no callbacks")

	errAborted = errors.New("session: ended at once")
)

// What an aborted session tells the peer, where the transport can tell why a connection ended: the numbers begin where
// reliable connections leave them to the application.
const (
	CodeSlow    uint32 = 256 + iota // ErrSlow.
	CodeAborted                     // Any other reason.
)

// An ending is the end of a session and, as an error, what every call on an ended session returns. It matches
// net.ErrClosed and the reason. Its fields are guarded by the session's mu, but for reason, which is constant.
type ending struct {
	reason  error
	drain   error // What went wrong with the connection after the end began; nil if everything was written.
	aborted bool  // Nothing more is to be written.
}

func (e *ending) Error() string { return "session: closed: " + e.reason.Error() }

func (e *ending) Unwrap() []error { return []error{net.ErrClosed, e.reason} }
