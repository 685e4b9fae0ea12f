package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"

	"udpchat/chat"
	"udpchat/chat/front"
	wire "udpchat/chat/wire/relay"
)

// Why a session ended, as Serve returns it, if it was neither the connection's nor the server's end.
var (
	// ErrIncomplete: the client sent something that cannot be understood (PROTOCOL.md 3.4).
	ErrIncomplete = errors.New("relay: header incomplete")
	// ErrOther: the user's other session has ended. It matches io.EOF: the peer has left.
	ErrOther error = other{}
	// ErrFull: the server has no room for one more user.
	ErrFull = errors.New("relay: no room for one more user")
)

type other struct{}

func (other) Error() string        { return "relay: the user's other connection has ended" }
func (other) Is(target error) bool { return target == io.EOF }

// errPanicked ends a connection in the middle of a request that made us panic.
var errPanicked = errors.New("relay: internal error")

// What becomes of a FORWARD that is not acknowledged.
var (
	errNoReceipt = errors.New("relay: not acknowledged in time")
	errNotTaken  = errors.New("relay: answered with an error")
	errHeader    = fmt.Errorf("relay: answered with error 103: %w", chat.ErrNotUnderstood)
	errGone      = errors.New("relay: the user has left")
)

// A refusal is an ERROR for the client that does not end its session.
type refusal struct{ code wire.Code }

func (e *refusal) Error() string { return fmt.Sprintf("relay: error %d", e.code) }

// codeOf maps what went wrong with a REGISTER or a SEND. What nobody foresaw is logged.
func codeOf(err error, log *slog.Logger) wire.Code {
	switch own, ok := errors.AsType[*refusal](err); {
	case ok:
		return own.code
	case errors.Is(err, chat.ErrNotUnderstood):
		return wire.CodeIncomplete // "convey the response back to the sender" (PROTOCOL.md 3.2).
	case errors.Is(err, errNoReceipt), errors.Is(err, errNotTaken), errors.Is(err, errGone), errors.Is(err, chat.ErrNotTaken):
		return wire.CodeUnable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return wire.CodeUnable
	}
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		if code := refusedCode(refused.Code); code != 0 {
			return code
		}
	}
	if front.StoreTrouble(err, log) != "" {
		return wire.CodeUnable
	}
	log.Error("internal error", "ref", fmt.Sprintf("%04X", rand.IntN(referenceMax)), "proto", "relay", "err", err)
	return wire.CodeUnable
}

// refusedCode maps the core's refusals. 0 is our mistake, or a new code.
func refusedCode(c chat.Code) wire.Code {
	switch c {
	case chat.CodeBadName, chat.CodeNameTaken:
		return wire.CodeMalformedName
	case chat.CodeNoUser, chat.CodeTooLong, chat.CodeBlocked, chat.CodeClosed, chat.CodeRateLimited, chat.CodeShuttingDown,
		chat.CodeTooManyRooms, chat.CodeTooManyUsers:
		return wire.CodeUnable
	case chat.CodeNotMember, chat.CodeNoRoom:
		return 0 // The user is in the room as long as it is there.
	case chat.CodeSelf, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeTooMany, chat.CodeQuota, chat.CodeBadContent,
		chat.CodeStale, chat.CodeReused:
		return 0 // Only who logs in is refused like that, which nobody does here.
	}
	return 0
}
