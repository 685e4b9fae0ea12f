package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	wire "udpchat/chat/wire/lab"
	"udpchat/client/clean"
	"udpchat/client/lab"
)

// A chatError is an error in the words of somebody who chats. It wraps what the client said.
type chatError struct {
	words string
	err   error
}

func (e *chatError) Error() string { return e.words }
func (e *chatError) Unwrap() error { return e.err }

// inWords says what did not happen and why: "not joined", "the server does not answer". Refusals and nil stay what they
// are: refusal finds the words for them.
func inWords(what string, err error) error {
	switch {
	case err == nil || isRefusal(err):
		return err
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, lab.ErrNoAnswer):
		return &chatError{"perhaps " + what + ", the server does not answer", err}
	}
	return &chatError{what + ": " + bare(err), err}
}

// bare is err without what the client was doing, which the user knows, and without addresses, which say nothing here.
func bare(err error) string {
	for {
		inner := errors.Unwrap(err)
		_, isOp := errors.AsType[*net.OpError](err)
		if inner == nil || !isOp && !strings.HasPrefix(err.Error(), "lab: ") {
			return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "lab: "), "reliable: ")
		}
		err = inner
	}
}

// refusal is the error for an ERROR_CODE.
func refusal(e *lab.ServerError) error {
	err := error(&chatError{fmt.Sprintf("the server answered ERROR_CODE %d: %s", int(e.Code), clean.Line(e.Description)), e})
	if e.Code == wire.CodeShuttingDown {
		return advise(err, "Start the same command again when it is back.")
	}
	return err
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*lab.ServerError](err)
	return ok
}

// loss is the error for a connection that ended without our asking.
func loss(server string, err error) error {
	if lost, ok := errors.AsType[*lab.LostError](err); ok {
		err = lost.Err
	}
	var why string
	timeout, isTimeout := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case errors.Is(err, io.EOF):
		why = "the server closed it"
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "nobody listens there any more"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		why = "the server closed it without a goodbye"
	case isTimeout && timeout.Timeout():
		why = "nothing heard from the server for too long"
	default:
		why = clean.Line(bare(err))
	}
	return advise(fmt.Errorf("connection to %s lost: %s", server, why), "Start the same command again to come back.")
}
