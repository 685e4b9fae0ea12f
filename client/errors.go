package client

import (
	"errors"
	"fmt"
	"net"
)

var (
	// ErrClosed says that Close was called. It matches net.ErrClosed.
	ErrClosed = fmt.Errorf("client: closed: %w", net.ErrClosed)

	// ErrInUse says that another client, perhaps of another process, has the state.
	ErrInUse = errors.New("client: the state is in use by another client")

	// ErrNoAnswer says that a server let us connect and then said nothing.
	ErrNoAnswer = errors.New("client: the server does not answer")

	// ErrForeign says that what answers speaks another protocol.
	ErrForeign = errors.New("client: the server speaks another protocol")

	// ErrLost says that the connection was lost before the server had answered, and that the request must not be made
	// again by itself because it would do something twice.
	ErrLost = errors.New("client: the connection was lost before the server had answered")

	// ErrLoggedOut says that the server does not let us in any more: the token was revoked, or the account has ended.
	ErrLoggedOut = errors.New("client: logged out by the server")

	// ErrElsewhere says that another client has logged in as this device, with the same State or token.
	ErrElsewhere = errors.New("client: another client has logged in as this device")

	// ErrDrained says that the server has announced that it would close the connection.
	ErrDrained = errors.New("client: the server closes its connections")

	// ErrSilent says that the server was silent over one connection and has answered over another.
	ErrSilent = errors.New("client: the server has fallen silent")

	// ErrNoAccount says that Config names neither an account nor a State that has one.
	ErrNoAccount = errors.New("client: neither a name nor a token to log in with")

	// ErrFull says that too many of our messages, or requests, wait for the server already.
	ErrFull = errors.New("client: too much is waiting for the server")

	// ErrUnknown says that nobody can tell any more whether a message was stored: it was sent, and the client has ended or
	// become another device before the server has answered.
	ErrUnknown = errors.New("client: the server may or may not have stored the message")
)

// An UnstoredError says how many messages of ours were not stored when waiting for them was given up.
type UnstoredError struct {
	Messages int
	Err      error // Why it was given up.
}

func (e *UnstoredError) Error() string {
	return fmt.Sprintf("client: %d messages are not stored: %v", e.Messages, e.Err)
}

func (e *UnstoredError) Unwrap() error { return e.Err }
