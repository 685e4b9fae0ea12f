package hashchat

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"

	"udpchat/chat"
	"udpchat/chat/front"
	wire "udpchat/chat/wire/hashchat"
)

// Why a session ended, as Serve returns it, if it was neither the connection's nor the server's end.
var (
	// ErrGoodbye: the client sent CLOSE. It matches io.EOF: the peer ended the session.
	ErrGoodbye error = goodbye{}
	// ErrIllegal: the client said something that is no request here (PROTOCOL.md 4).
	ErrIllegal = errors.New("hashchat: illegal input")
	// ErrNoUser: the client's name, or that of somebody it writes to, is not one of the users (PROTOCOL.md 4).
	ErrNoUser = errors.New("hashchat: not one of the users")
	// ErrRefused: the client cannot have its name, or the server takes no more.
	ErrRefused = errors.New("hashchat: not let in")
)

// errPanicked ends a connection in the middle of a request that made us panic.
var errPanicked = errors.New("hashchat: internal error")

type goodbye struct{}

func (goodbye) Error() string        { return "hashchat: client closed" }
func (goodbye) Is(target error) bool { return target == io.EOF }

// whyOf is what the CLOSE says of a session that ends with err (PROTOCOL.md 4).
func (f *Front) whyOf(err error) wire.Why {
	switch {
	case !f.cfg.Numbered:
		return wire.WhyUnsaid
	case errors.Is(err, ErrIllegal):
		return wire.WhyIllegal
	case errors.Is(err, ErrNoUser):
		return wire.WhyNoUser
	}
	return wire.WhyNormal
}

// answer is what the protocol has for a refusal of the core.
type answer uint8

const (
	unforeseen answer = iota // The core should not have refused that: our mistake, or a new code.
	silence                  // Nothing is said, and nothing has happened.
	badName                  // The client did what it must not: an illegal CLOSE.
	full                     // It is not the client's fault: a normal CLOSE.
)

// answerTo maps the core's refusals of CONNECT and SEND. A code that is not listed is our mistake.
func answerTo(c chat.Code) answer {
	switch c {
	case chat.CodeBadName, chat.CodeNameTaken:
		return badName
	case chat.CodeTooManyRooms, chat.CodeTooManyUsers, chat.CodeRateLimited, chat.CodeShuttingDown:
		return full
	case chat.CodeTooLong, chat.CodeNoUser, chat.CodeBlocked, chat.CodeClosed:
		return silence
	case chat.CodeNotMember, chat.CodeNoRoom:
		return unforeseen // The client is in the room as long as it is there.
	case chat.CodeSelf, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeTooMany, chat.CodeQuota, chat.CodeBadContent,
		chat.CodeStale, chat.CodeReused:
		return unforeseen // Only who logs in is refused like that, which nobody does here.
	}
	return unforeseen
}

// isNobody reports whether err is that nobody has the name.
func isNobody(err error) bool {
	e, ok := errors.AsType[*chat.Error](err)
	return ok && e.Code == chat.CodeNoUser
}

// refused returns what the protocol has for err. What nobody foresaw is logged, and silence.
func refused(err error, log *slog.Logger) answer {
	if e, ok := errors.AsType[*chat.Error](err); ok {
		if a := answerTo(e.Code); a != unforeseen {
			return a
		}
	}
	if front.StoreTrouble(err, log) != "" {
		return full
	}
	log.Error("internal error", "ref", fmt.Sprintf("%04X", rand.IntN(referenceMax)), "proto", "hashchat", "err", err)
	return unforeseen
}
