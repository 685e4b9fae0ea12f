package native

import (
	"errors"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/native"
)

// codeOf maps the core's refusals to the protocol's (SPEC.md 7). A code that is not listed is our mistake.
func codeOf(c chat.Code) wire.Code {
	switch c {
	case chat.CodeNotMember:
		return wire.CodeNotMember
	case chat.CodeNoRoom:
		return wire.CodeNoLog
	case chat.CodeNameTaken:
		return wire.CodeNameTaken
	case chat.CodeBadName:
		return wire.CodeBadName
	case chat.CodeTooLong:
		return wire.CodeTooLong
	case chat.CodeTooManyRooms, chat.CodeTooManyUsers, chat.CodeTooMany:
		return wire.CodeTooMany
	case chat.CodeRateLimited:
		return wire.CodeRateLimited
	case chat.CodeShuttingDown:
		return wire.CodeShuttingDown
	case chat.CodeClosed:
		return wire.CodeNotLoggedIn // The same device has just logged in elsewhere.
	case chat.CodeBlocked:
		return wire.CodeBlocked
	case chat.CodeNoUser:
		return wire.CodeNoUser
	case chat.CodeSelf:
		return wire.CodeSelf
	case chat.CodeNotAllowed:
		return wire.CodeNotAllowed
	case chat.CodeNotFound:
		return wire.CodeNoFile
	case chat.CodeQuota:
		return wire.CodeQuota
	case chat.CodeBadContent:
		return wire.CodeBadField
	case chat.CodeStale:
		return wire.CodeStale
	case chat.CodeReused:
		return wire.CodeReused
	}
	return wire.CodeInternal
}

// describe says what the core refused, without its prefixes for programmers.
func describe(e *chat.Error) string {
	if e.Detail != "" {
		return e.Code.String() + ": " + e.Detail
	}
	return e.Code.String()
}

// accountReply maps the refusals of accounts.
func accountReply(err error) (wire.Error, bool) {
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		return wire.Error{}, false
	}
	reply := wire.Error{Code: accountCode(e.Code), Text: e.Code.String(), RetryAfter: wire.For(e.Wait)}
	if e.Detail != "" {
		reply.Text += ": " + e.Detail
	}
	if reply.Code == wire.CodeUnavailable {
		reply.RetryAfter = wire.For(retryUnavailable)
	}
	return reply, true
}

func accountCode(c account.Code) wire.Code {
	switch c {
	case account.CodeDenied:
		return wire.CodeBadLogin
	case account.CodeLocked:
		return wire.CodeLocked
	case account.CodeBusy:
		return wire.CodeUnavailable
	case account.CodeRateLimited:
		return wire.CodeRateLimited
	case account.CodeTaken, account.CodeLooksAlike:
		return wire.CodeNameTaken
	case account.CodeBadName:
		return wire.CodeBadName
	case account.CodeBadPassword:
		return wire.CodeBadSecret
	case account.CodeNotOpen, account.CodeGuest:
		return wire.CodeNotAllowed
	case account.CodeNoAccount:
		return wire.CodeNoUser
	case account.CodeNotFound:
		return wire.CodeNoUser
	case account.CodeSelf:
		return wire.CodeSelf
	case account.CodeTooMany:
		return wire.CodeTooMany
	case account.CodeTooLong:
		return wire.CodeTooLong
	case account.CodeQuota:
		return wire.CodeQuota
	}
	return wire.CodeInternal
}
