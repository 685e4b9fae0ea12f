package lab

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"

	"udpchat/chat"
	"udpchat/chat/front"
	wire "udpchat/chat/wire/lab"
)

// Why a session ended, as Serve returns it, if it was neither the connection's nor the server's end.
var (
	// ErrGoodbye: the client sent DISCONNECT. It matches io.EOF: the peer ended the session.
	ErrGoodbye error = goodbye{}
	// ErrMalformed: too many malformed messages in a row.
	ErrMalformed = errors.New("lab: too many malformed messages")
)

// errPanicked ends a connection in the middle of a request that made us panic.
var errPanicked = errors.New("lab: internal error")

type goodbye struct{}

func (goodbye) Error() string        { return "lab: client disconnected" }
func (goodbye) Is(target error) bool { return target == io.EOF }

// A refusal is an error for the client, made by the front-end itself.
type refusal struct {
	code wire.Code
	text string
}

func (e *refusal) Error() string { return "lab: " + e.text }

func refusef(code wire.Code, format string, args ...any) error {
	return &refusal{code: code, text: fmt.Sprintf(format, args...)}
}

// errorReply turns whatever went wrong into the reply for the client. What nobody foresaw is logged with a
// reference, and the client gets only that.
func errorReply(err error, log *slog.Logger) wire.ErrorReply {
	if own, ok := errors.AsType[*refusal](err); ok {
		return wire.ErrorReply{Code: own.code, Description: own.text}
	}
	if bad, ok := errors.AsType[*wire.SyntaxError](err); ok {
		return syntaxReply(bad)
	}
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		if code := codeOf(refused.Code); code != wire.CodeInternal {
			return wire.ErrorReply{Code: code, Description: describe(refused)}
		}
	}
	if text := front.StoreTrouble(err, log); text != "" {
		return wire.ErrorReply{Code: wire.CodeInternal, Description: text}
	}
	ref := newReference()
	log.Error("internal error", "ref", ref, "err", err)
	return internalReply(ref)
}

// newReference returns a number by which a client's operator and ours find the same line of the log.
func newReference() string { return fmt.Sprintf("%04X", rand.IntN(referenceMax)) }

func internalReply(ref string) wire.ErrorReply {
	return wire.ErrorReply{Code: wire.CodeInternal, Description: "internal error, reference " + ref}
}

func syntaxReply(e *wire.SyntaxError) wire.ErrorReply {
	if e.TooLong {
		return wire.ErrorReply{Code: wire.CodeTooLong, Description: "too long: expected " + e.Want}
	}
	// Quoted, because the line is the peer's and may end up on a terminal.
	return wire.ErrorReply{Code: wire.CodeMalformed, Description: fmt.Sprintf("malformed: got %q, expected %s", e.Line, e.Want)}
}

// codeOf maps the core's refusals to the protocol's (PROTOCOL.md 6). A code that is not listed is our mistake.
func codeOf(c chat.Code) wire.Code {
	switch c {
	case chat.CodeNotMember:
		return wire.CodeNotMember
	case chat.CodeNoRoom:
		return wire.CodeUnknownRoom
	case chat.CodeBadName, chat.CodeNameTaken:
		return wire.CodeBadName
	case chat.CodeTooLong:
		return wire.CodeTooLong
	case chat.CodeTooManyRooms, chat.CodeTooManyUsers:
		return wire.CodeTooMany
	case chat.CodeRateLimited:
		return wire.CodeRateLimited
	case chat.CodeShuttingDown:
		return wire.CodeShuttingDown
	case chat.CodeClosed:
		return wire.CodeNotMember // The client has just left over another connection.
	case chat.CodeBlocked, chat.CodeNoUser, chat.CodeSelf, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeTooMany,
		chat.CodeQuota, chat.CodeBadContent, chat.CodeStale, chat.CodeReused:
		return wire.CodeNotAllowed // Only who logs in is refused like that, which nobody does here.
	}
	return wire.CodeInternal
}

// describe says what the core refused, without its prefixes for programmers.
func describe(e *chat.Error) string {
	text := e.Code.String()
	if e.Room != 0 {
		text = fmt.Sprintf("room %d: %s", e.Room, text)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// is reports whether err is the core's refusal with that code.
func is(err error, code chat.Code) bool {
	refused, ok := errors.AsType[*chat.Error](err)
	return ok && refused.Code == code
}
