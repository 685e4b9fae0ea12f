package im

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front"
	wire "udpchat/chat/wire/im"
)

// Why a session ended, as Serve returns it, if it was neither the connection's nor the server's end.
var (
	// ErrGoodbye: the client logged out. It matches io.EOF: the peer ended the session.
	ErrGoodbye error = goodbye{}
	// ErrIdle: the client sent no command for too long.
	ErrIdle = errors.New("im: no command for too long")
	// ErrPassword: the password of the account was changed, so who is logged in may not be its owner.
	ErrPassword = errors.New("im: password was changed")
	// ErrNotLetIn: the log-in was refused for good.
	ErrNotLetIn = errors.New("im: not let in")
)

// errPanicked ends a connection in the middle of a request that made us panic, errInternal one that cannot go on.
var (
	errPanicked = errors.New("im: internal error")
	errInternal = errors.New("im: cannot go on")
)

type goodbye struct{}

func (goodbye) Error() string        { return "im: client logged out" }
func (goodbye) Is(target error) bool { return target == io.EOF }

// The texts of the protocol (PROTOCOL.md 3).
const (
	textSuccess     = "success"
	textRegistered  = "None"
	textNoSuchUser  = "User not found"
	textWrong       = "Invalid Credentials\n"
	textNowLocked   = "Invalid Password. Your account has been blocked. Please try again later\n"
	textLocked      = "Your account is blocked due to multiple login failures. Please try again later\n"
	textOnline      = "User already online\n"
	textTooMany     = "Too many log-ins. Please try again later\n"
	textInvalid     = "Error. Invalid command\n"
	textNotLoggedIn = "Error. Please log in first\n"
	textNotFound    = "Error. User not found\n"
	textMessageSelf = "Error. Cannot message self\n"
	textBlocked     = "Error. Your message could not be delivered as the recipient has blocked you\n"
	textBlocking    = "Error. Your message could not be delivered as you have blocked the recipient\n"
	textSome        = "Your message could not be delivered to some recipients\n"
	textTooLong     = "Error. Your message is too long\n"
	textBlockSelf   = "Error. Cannot Block Self\n"
	textUnblockSelf = "Error. Cannot Unblock Self\n"
	textPrivateSelf = "Error. Cannot Establish private connection with self\n"
	textFileName    = "Error. Not a file name\n"
	textFileSize    = "Error. The file is too large\n"
	textIdle        = "Your client has been closed due to inactivity"
	textPassword    = "Your password was changed"
	textShutdown    = "The server is shutting down"
	textStore       = "Error. The server could not do that: %s\n"
	textInternal    = "Error. The server could not do that; reference %s\n"

	textFileRegistered    = "Ok\n"
	textRegisteredAlready = "Ok, already registered\n"
	textTooManyFiles      = "Error. You have registered too many files\n"
	textFilesFull         = "Error. Too many files are registered. Please try again later\n"
)

func ok(text string) wire.Reply { return wire.Text{Code: wire.OK, Text: text} }

func refused(text string) wire.Reply { return wire.Text{Code: wire.Refused, Text: text} }

func refusedf(format string, args ...any) wire.Reply { return refused(fmt.Sprintf(format, args...)) }

// unforeseen logs an error that has no words in the protocol and returns an answer by which it is found in the log.
func (f *Front) unforeseen(ctx context.Context, err error) wire.Reply {
	if text := front.StoreTrouble(err, f.cfg.Logger); text != "" {
		return refusedf(textStore, text)
	}
	ref := fmt.Sprintf("%04X", rand.IntN(referenceMax))
	if ctx.Err() == nil {
		f.cfg.Logger.Error("internal error", "ref", ref, "proto", "im", "err", err)
	}
	return refusedf(textInternal, ref)
}

// sayRefused answers a message that the core did not take. A code that is not listed is our mistake.
func (f *Front) sayRefused(ctx context.Context, err error) wire.Reply {
	e, is := errors.AsType[*chat.Error](err)
	if !is {
		return f.unforeseen(ctx, err)
	}
	switch e.Code {
	case chat.CodeTooLong:
		return refused(textTooLong)
	case chat.CodeNoUser:
		return refused(textNotFound)
	case chat.CodeSelf:
		return refused(textMessageSelf)
	case chat.CodeBlocked:
		return refused(textBlocked)
	case chat.CodeTooMany, chat.CodeTooManyRooms, chat.CodeTooManyUsers, chat.CodeRateLimited:
		return refused("Error. Too many; please try again later\n")
	case chat.CodeShuttingDown, chat.CodeClosed:
		return refused("Error. " + textShutdown + "\n")
	case chat.CodeNotMember, chat.CodeNoRoom, chat.CodeBadName, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeQuota, chat.CodeBadContent,
		chat.CodeStale, chat.CodeReused, chat.CodeNameTaken:
		return f.unforeseen(ctx, err) // Nothing that is asked for here can be refused like that.
	}
	return f.unforeseen(ctx, err)
}

// logInRefused answers a log-in that was refused; final: the client is not to try again on this connection.
func (f *Front) logInRefused(ctx context.Context, err error) (rep wire.Reply, final bool) {
	e, is := errors.AsType[*account.Error](err)
	if !is {
		return f.unforeseen(ctx, err), false
	}
	switch e.Code {
	case account.CodeDenied:
		if e.Left > 0 {
			return wire.Text{Code: wire.Wrong, Text: textWrong}, false
		}
		return wire.Text{Code: wire.Shut, Text: textNowLocked}, true
	case account.CodeLocked:
		return wire.Text{Code: wire.Shut, Text: textLocked}, true
	case account.CodeBusy, account.CodeRateLimited:
		return wire.Text{Code: wire.Shut, Text: textTooMany}, true
	case account.CodeTaken, account.CodeLooksAlike, account.CodeBadName, account.CodeBadPassword, account.CodeNotOpen:
		text := "Error. " + e.Code.String()
		if e.Detail != "" {
			text += ": " + e.Detail
		}
		return refused(text + "\n"), false
	case account.CodeNoAccount, account.CodeNotFound, account.CodeSelf, account.CodeTooMany, account.CodeTooLong, account.CodeQuota, account.CodeGuest:
		return f.unforeseen(ctx, err), false // Neither logging in nor registering is refused like that.
	}
	return f.unforeseen(ctx, err), false
}
