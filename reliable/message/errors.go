package message

import (
	"errors"
	"fmt"
	"io"
	"net"
)

var (
	// ErrLength says that a length was not written as the package comment demands. The stream cannot go on.
	ErrLength = errors.New("message: malformed length")

	// ErrBudget says that a message did not fit into the Budget. It is skipped; the stream goes on behind it.
	ErrBudget = errors.New("message: over the memory budget")

	// ErrClosed says that Close was called. It matches net.ErrClosed.
	ErrClosed = fmt.Errorf("message: %w", net.ErrClosed)
)

// A TooLongError says that a message is longer than allowed. If it was received and its length is not above BytesMax,
// it is skipped and the stream goes on behind it. If it was to be sent, nothing was written.
type TooLongError struct {
	Bytes   int // The length announced by the peer, or of the message to be sent.
	Allowed int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("message: %d bytes, allowed are %d", e.Bytes, e.Allowed)
}

// Refused reports whether err, from a Reader or Decoder, is about one message only, so that the caller can tell the peer
// and go on: the next call skips the message. After any other error but a timeout the stream is of no use.
func Refused(err error) bool {
	if tooLong, ok := errors.AsType[*TooLongError](err); ok {
		return tooLong.Bytes <= BytesMax
	}
	return errors.Is(err, ErrBudget)
}

// overBudget says how far a message came before the budget refused it.
func overBudget(received, length int) error {
	return fmt.Errorf("%w: %d of %d bytes received", ErrBudget, received, length)
}

// truncated says where the stream ended inside a message.
func truncated(received, length int) error {
	return fmt.Errorf("message: stream ended after %d of %d bytes: %w", received, length, io.ErrUnexpectedEOF)
}

// truncatedHead says that the stream ended inside a length.
func truncatedHead() error {
	return fmt.Errorf("message: stream ended inside a length: %w", io.ErrUnexpectedEOF)
}
