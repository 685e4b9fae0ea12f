package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"udpchat/chat"
)

// Error codes of JetStream that have no name in the client.
const (
	codeNoPeers               = 10005 // Too few servers, or not yet.
	codeInsufficientResources = 10023
	codeStorageExceeded       = 10047
	codeMemoryExceeded        = 10028
	codeStoreFailed           = 10077 // A limit of the stream, or the disk.
	codeNoSequence            = 10043
	codeDeleteFailed          = 10057
	codeDuplicateUnderWay     = 10158
)

var (
	// errConflict: the last message of a subject is not the one that was expected.
	errConflict = errors.New("another message came before")
	// errNone: there is no such message.
	errNone = errors.New("no such message")
	// errAgain: what the servers say does not fit together, because it changes just now.
	errAgain = errors.New("not settled yet")
)

func errClosed() error { return fmt.Errorf("jetstream: %w", chat.ErrClosed) }

// tooLong refuses what is larger than max bytes.
func tooLong(what string, n, max int) error {
	if n <= max {
		return nil
	}
	return fmt.Errorf("jetstream: %s of %d bytes, the most is %d: %w", what, n, max, chat.ErrTooLarge)
}

// explain makes an error of the client or of the servers match what callers look for.
func explain(err error) error {
	api, ok := errors.AsType[*jetstream.APIError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", chat.ErrTooLarge, err)
	case !ok:
		return err
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return fmt.Errorf("%w: %w", errConflict, err)
	case codeDuplicateUnderWay:
		return fmt.Errorf("%w: %w", errAgain, err)
	case jetstream.JSErrCodeMessageNotFound:
		return fmt.Errorf("%w: %w", errNone, err)
	case jetstream.JSErrCodeStreamMessageExceedsMaximum:
		return fmt.Errorf("%w: %w", chat.ErrTooLarge, err)
	case codeInsufficientResources, codeStorageExceeded, codeMemoryExceeded, codeStoreFailed:
		return fmt.Errorf("%w: %w", chat.ErrFull, err)
	}
	return err
}

// temporary reports whether an explained error may be gone at the next attempt. The client hands on what the kernel says when a
// server dies while it is spoken to, or does not answer; a name that does not exist and an address that cannot be are no better
// the next time.
func temporary(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return false
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok && !errors.Is(err, errAgain) {
		return api.ErrorCode == codeNoPeers || api.Code == 503 && !errors.Is(err, chat.ErrFull)
	}
	for _, t := range []error{
		nats.ErrNoResponders, nats.ErrTimeout, nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrNoServers,
		nats.ErrStaleConnection, nats.ErrConnectionReconnecting, jetstream.ErrNoStreamResponse, context.DeadlineExceeded, errAgain,
		io.EOF, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// fail says what was being done when err happened. A nil err stays nil.
func fail(what string, err error) error {
	if err == nil || errors.Is(err, chat.ErrClosed) {
		return err
	}
	return fmt.Errorf("jetstream: %s: %w", what, explain(err))
}
