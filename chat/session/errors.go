package session

import (
	"errors"
	"net"
)

// A Reason is why a session ended, in words that its peer may know. Where the transport can tell (reliable connections
// can), an aborted session tells its peer the code and the text; of any other error the peer only learns that it was
// aborted.
type Reason struct {
	Code uint32
	Text string // Constant, lower case.
}

func (r *Reason) Error() string { return "session: " + r.Text }

// Codes of reasons. They begin where reliable connections leave them to the application.
const (
	CodeSlow    uint32 = 256 + iota // ErrSlow.
	CodeAborted                     // A reason that is not the peer's business.
	CodeRefused                     // The server takes no session from there now.
)

var (
	// ErrSlow is why a session ended whose peer did not take what was sent to it: its outbox was full, or one write
	// took longer than a minute.
	ErrSlow error = &Reason{CodeSlow, "peer takes messages too slowly"}

	// ErrNoCallback says that the session's transport cannot have a client called at another address.
	ErrNoCallback = errors.New("session: transport has no callbacks")

	errAborted = &Reason{CodeAborted, "ended at once"}
)

// An ending is the end of a session and, as an error, what every call on an ended session returns. It matches
// net.ErrClosed and the reason. Its fields are guarded by the session's mu, but for reason, which is constant.
type ending struct {
	reason  error
	drain   error // What went wrong with the connection after the end began; nil if everything was written.
	aborted bool  // Nothing more is to be written.
	closed  bool  // The connection is closed.
}

func (e *ending) Error() string { return "session: closed: " + e.reason.Error() }

func (e *ending) Unwrap() []error { return []error{net.ErrClosed, e.reason} }
