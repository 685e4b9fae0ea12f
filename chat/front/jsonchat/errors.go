package jsonchat

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front"
)

// A refusal is an error in the words that clients know, or in ours where they know none (PROTOCOL.md 5).
type refusal string

func (r refusal) Error() string { return "jsonchat: " + strings.TrimPrefix(string(r), "Exception: ") }

// What can go wrong.
const (
	errUnknown      refusal = "Unkown request" // So spelled, and without the prefix.
	errFileUnknown  refusal = "File not found" // Of FINDFILE, without the prefix.
	errFileNotFound refusal = "Exception: File not found"
	errNotLoggedIn  refusal = "Exception: User not logged in"
	errNoUser       refusal = "Exception: User not found"
	errPassword     refusal = "Exception: Invalid password"
	errOldPassword  refusal = "Exception: Wrong password"
	errTaken        refusal = "Exception: Username already exists"
	errFileParts    refusal = "Exception: Missing file parts"
	errBadName      refusal = "Exception: Username not acceptable"
	errBadPassword  refusal = "Exception: Password not acceptable"
	errNotOpen      refusal = "Exception: Registration is closed"
	errTooMuch      refusal = "Exception: Too many attempts, try again later"
	errTooMany      refusal = "Exception: Too many, there is a limit"
	errTooFast      refusal = "Exception: Too many requests"
	errTooLong      refusal = "Exception: Message too long"
	errTheyBlocked  refusal = "Exception: Your message could not be delivered as the recipient has blocked you"
	errYouBlocked   refusal = "Exception: You have blocked the recipient"
	errSelf         refusal = "Exception: That is yourself"
	errNotAllowed   refusal = "Exception: Not allowed"
	errContent      refusal = "Exception: Content not acceptable"
	errFileName     refusal = "Exception: File name not acceptable"
	errFileTooLarge refusal = "Exception: File too large"
	errUploads      refusal = "Exception: Too many files at the same time, try again later"
	errQuota        refusal = "Exception: Your files take too much space"
	errAvatar       refusal = "Exception: Avatar too large"
	errFrame        refusal = "Exception: Frame too large"
	errBusy         refusal = "Exception: Server is busy, try again later"
	errShutdown     refusal = "Exception: Server is shutting down"
	errTokenBound   refusal = "Exception: [Database failure, token is bound already]"
	errRenameTaken  refusal = "Exception: [Database failure, Username already exists]"
	errRename       refusal = "Exception: [Database failure, Usernames cannot be changed]"
)

// Why a session ended, as Serve returns it, if it was neither the connection's nor the server's end.
var (
	errFrameSlow   = errors.New("jsonchat: a frame took too long to come in")
	errPayloadIdle = errors.New("jsonchat: the client paused too long within a payload")
	errPanicked    = errors.New("jsonchat: internal error")
)

// malformed refuses a request whose body is not what its name wants.
func malformed(want string) refusal { return refusal("Exception: Malformed request: want " + want) }

// explain turns whatever went wrong into what the client is told. What nobody foresaw is logged with a reference, and the
// client gets only that.
func (f *Front) explain(err error) string {
	if own, ok := errors.AsType[refusal](err); ok {
		return string(own)
	}
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		if text := ofCore(refused); text != "" {
			return string(text)
		}
	}
	if refused, ok := errors.AsType[*account.Error](err); ok {
		if text := ofAccount(refused.Code); text != "" {
			return string(text)
		}
	}
	switch {
	case errors.Is(err, chat.ErrTooLarge):
		return string(errFileTooLarge)
	case errors.Is(err, chat.ErrClosed):
		return string(errShutdown)
	}
	if text := front.StoreTrouble(err, f.cfg.Logger); text != "" {
		return "Exception: " + strings.ToUpper(text[:1]) + text[1:]
	}
	ref := newReference()
	f.cfg.Logger.Error("internal error", "ref", ref, "proto", f.Name(), "err", err)
	return "Exception: Internal error, reference " + ref
}

// newReference returns a number by which a client's operator and ours find the same line of the log.
func newReference() string { return fmt.Sprintf("%04X", rand.IntN(referenceMax)) }

// logPanic notes a mistake of ours that ended some connections.
func (f *Front) logPanic(v any, stack []byte) {
	// Quoted, because it may have the bytes of a peer in it.
	f.cfg.Logger.Error("front-end panicked", "ref", newReference(), "proto", f.Name(),
		"err", fmt.Sprintf("%.300q", fmt.Sprint(v)), "stack", string(stack))
}

// ofCore is what a refusal of the core is called here; empty if it cannot come.
func ofCore(e *chat.Error) refusal {
	switch e.Code {
	case chat.CodeNoUser:
		return errNoUser
	case chat.CodeBlocked:
		if strings.HasPrefix(e.Detail, "you ") {
			return errYouBlocked
		}
		return errTheyBlocked
	case chat.CodeTooLong:
		return errTooLong
	case chat.CodeTooMany, chat.CodeTooManyUsers, chat.CodeTooManyRooms:
		return errTooMany
	case chat.CodeSelf:
		return errSelf
	case chat.CodeNotAllowed:
		return errNotAllowed
	case chat.CodeBadContent, chat.CodeStale, chat.CodeReused:
		return errContent
	case chat.CodeNameTaken:
		return errTaken
	case chat.CodeBadName:
		return errBadName
	case chat.CodeQuota:
		return errQuota
	case chat.CodeNotFound:
		return errFileNotFound
	case chat.CodeRateLimited:
		return errTooFast
	case chat.CodeShuttingDown:
		return errShutdown
	case chat.CodeClosed, chat.CodeNotMember, chat.CodeNoRoom:
		return errNotLoggedIn // The log-in has ended over another connection.
	}
	return ""
}

// ofAccount is what a refusal of an account is called here, where no request has its own words for it; empty if it cannot
// come.
func ofAccount(c account.Code) refusal {
	switch c {
	case account.CodeDenied:
		return errPassword
	case account.CodeLocked, account.CodeBusy, account.CodeRateLimited:
		return errTooMuch
	case account.CodeTaken, account.CodeLooksAlike:
		return errTaken
	case account.CodeBadName:
		return errBadName
	case account.CodeBadPassword:
		return errBadPassword
	case account.CodeNotOpen:
		return errNotOpen
	case account.CodeNoAccount, account.CodeNotFound:
		return errNoUser
	case account.CodeSelf:
		return errSelf
	case account.CodeTooMany:
		return errTooMany
	case account.CodeTooLong:
		return errAvatar
	case account.CodeQuota:
		return errQuota
	case account.CodeGuest:
		return errNotAllowed
	}
	return ""
}

// is reports whether err is the core's refusal with that code.
func is(err error, code chat.Code) bool {
	refused, ok := errors.AsType[*chat.Error](err)
	return ok && refused.Code == code
}
