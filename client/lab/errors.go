package lab

import (
	"errors"
	"fmt"

	"udpchat/chat/wire/lab"
)

var (
	// ErrNoAnswer means that a request over plain datagrams was repeated and never answered. Whether the server acted
	// on it is unknown.
	ErrNoAnswer = errors.New("no answer from the server")

	// ErrTooLong means that a message is longer than the protocol or the transport carries. Nothing was sent.
	ErrTooLong = errors.New("message too long")

	// ErrNotJoined means that a room was named that we are not in. Nothing was sent.
	ErrNotJoined = errors.New("not in this room")

	// ErrBadName means that a name cannot be that of a client or a room. Nothing was sent.
	ErrBadName = fmt.Errorf("a name has 1 to %d bytes of UTF-8 and no control characters", lab.NameBytesMax)

	// ErrCallback means that we cannot listen at Config.Callback.
	ErrCallback = errors.New("cannot listen for callbacks")

	// ErrClosed means that the client was closed by Close or Disconnect.
	ErrClosed = errors.New("client is closed")

	// ErrUnreturned means that the server has stopped to send our own messages back.
	ErrUnreturned = errors.New("the server does not return our messages")
)

// A ServerError is an ERROR_CODE the server sent. The protocol asks a client to print it and to end.
type ServerError struct {
	Code        lab.Code
	Description string // As sent; clean it before printing.
}

// Error returns code and description, quoted where needed to stay on one line.
func (e *ServerError) Error() string {
	return fmt.Sprintf("the server sent ERROR_CODE %d: %q", int(e.Code), e.Description)
}

// A LostError means that the connection ended without our asking.
type LostError struct {
	Server string
	Err    error // Why; io.EOF if the server closed it in good order.
}

func (e *LostError) Error() string {
	return fmt.Sprintf("lab: connection to %s lost: %v", e.Server, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }
