package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"

	"udpchat/chat"
	"udpchat/chat/front"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// Why a session ended, as Serve returns it, if it was neither the connection's nor the server's end.
var (
	// ErrNotEncrypted: the client tried to speak the protocol where anybody could read it (SPEC.md 1).
	ErrNotEncrypted = errors.New("native: connection is not encrypted")
	// ErrMalformed: too many malformed messages in a row, or a frame without an end.
	ErrMalformed = errors.New("native: too many malformed messages")
	// ErrTooFast: the client went on although it was told to wait.
	ErrTooFast = errors.New("native: too many requests too fast")
	// ErrSilent: the client did not begin, log in, or go on with a transfer in time.
	ErrSilent = errors.New("native: client was silent for too long")
	// ErrReplaced: the same device has begun another session.
	ErrReplaced = errors.New("native: device began another session")
	// ErrRevoked: the token of the device was revoked.
	ErrRevoked = errors.New("native: token was revoked")
	// ErrVersion: the client speaks no version that we do.
	ErrVersion = errors.New("native: no common version")
	// ErrEvicted: another session has begun to send the same file.
	ErrEvicted = errors.New("native: another session goes on with the upload")
	// ErrTransferred: a transfer is over. It matches io.EOF, because that is how such a session should end.
	ErrTransferred error = transferred{}
)

// errPanicked ends a session in the middle of a request that made us panic.
var errPanicked = errors.New("native: internal error")

type transferred struct{}

func (transferred) Error() string        { return "native: transfer is over" }
func (transferred) Is(target error) bool { return target == io.EOF }

// refusef returns a refusal made here.
func refusef(code wire.Code, format string, args ...any) error {
	return wire.Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// busy returns the refusal of what may be possible in a moment.
func busy(text string) error {
	return wire.Error{Code: wire.CodeUnavailable, Text: text, RetryAfter: wire.For(retryUnavailable)}
}

// errorReply turns whatever went wrong into the answer for the client. What nobody foresaw is logged with a reference, and
// the client gets only that.
func errorReply(err error, log *slog.Logger) wire.Error {
	if own, ok := errors.AsType[wire.Error](err); ok {
		return own
	}
	if bad, ok := errors.AsType[*wire.SyntaxError](err); ok {
		return wire.Error{Code: bad.Code, Field: bad.Field, Text: syntaxText(bad)}
	}
	if tooLong, ok := errors.AsType[*message.TooLongError](err); ok {
		return wire.Error{Code: wire.CodeTooLong, Text: fmt.Sprintf("a message may have %d bytes", tooLong.Allowed)}
	}
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		if code := codeOf(refused.Code); code != wire.CodeInternal {
			return wire.Error{Code: code, Text: describe(refused)}
		}
	}
	if reply, ok := accountReply(err); ok {
		return reply
	}
	switch {
	case errors.Is(err, message.ErrBudget):
		return busyReply("too many long messages at the same time")
	case errors.Is(err, chat.ErrTooLarge):
		return wire.Error{Code: wire.CodeTooLong, Text: "larger than the store takes"}
	case errors.Is(err, chat.ErrClosed), errors.Is(err, context.Canceled):
		return wire.Error{Code: wire.CodeShuttingDown, Text: "the server is going down", RetryAfter: wire.For(retryUnavailable)}
	}
	if text := front.StoreTrouble(err, log); text != "" {
		return busyReply(text)
	}
	ref := fmt.Sprintf("%04X", rand.IntN(referenceMax))
	log.Error("internal error", "ref", ref, "err", err)
	return wire.Error{Code: wire.CodeInternal, Text: "internal error, reference " + ref, Reference: ref}
}

func busyReply(text string) wire.Error {
	return wire.Error{Code: wire.CodeUnavailable, Text: text, RetryAfter: wire.For(retryUnavailable)}
}

// syntaxText says what is wrong, in words that are all ours.
func syntaxText(e *wire.SyntaxError) string {
	if e.Field == "" {
		return e.Code.String() + ": expected " + e.Want
	}
	return e.Code.String() + ": " + e.Field + ": expected " + e.Want
}
