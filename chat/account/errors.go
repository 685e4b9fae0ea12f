package account

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"udpchat/chat/names"
	"udpchat/chat/passwd"
)

// A Code is why the package refuses to do something.
type Code uint8

const (
	// CodeDenied: the name or the password is wrong, or the token is not known. It is not said which.
	CodeDenied Code = iota + 1
	// CodeLocked: too many wrong passwords; Error.Wait says for how long.
	CodeLocked
	// CodeBusy: too many log-ins at the same time.
	CodeBusy
	// CodeRateLimited: too much from one network; Error.Wait says for how long.
	CodeRateLimited
	// CodeTaken: there is an account of that name.
	CodeTaken
	// CodeLooksAlike: there is an account whose name looks like that one.
	CodeLooksAlike
	// CodeBadName: the name is not acceptable; Error.Detail says why.
	CodeBadName
	// CodeBadPassword: there is no password, or it is too long.
	CodeBadPassword
	// CodeNotOpen: the server lets nobody register, or has no guests.
	CodeNotOpen
	// CodeNoAccount: there is no such account.
	CodeNoAccount
	// CodeNotFound: there is no such device, or the other account is not in that list.
	CodeNotFound
	// CodeSelf: an account cannot do that to itself.
	CodeSelf
	// CodeTooMany: a limit is reached.
	CodeTooMany
	// CodeTooLong: a text is too long.
	CodeTooLong
	// CodeQuota: the account's files take too much space.
	CodeQuota
	// CodeGuest: guests cannot do that.
	CodeGuest
)

// String returns the code in words for people.
func (c Code) String() string {
	switch c {
	case CodeDenied:
		return "wrong name or password"
	case CodeLocked:
		return "locked after too many wrong passwords"
	case CodeBusy:
		return "too many log-ins at the same time"
	case CodeRateLimited:
		return "too many attempts from your network"
	case CodeTaken:
		return "name is taken"
	case CodeLooksAlike:
		return "name looks like that of another account"
	case CodeBadName:
		return "name not acceptable"
	case CodeBadPassword:
		return "password not acceptable"
	case CodeNotOpen:
		return "not open to everybody"
	case CodeNoAccount:
		return "no such account"
	case CodeNotFound:
		return "not found"
	case CodeSelf:
		return "that is yourself"
	case CodeTooMany:
		return "too many"
	case CodeTooLong:
		return "too long"
	case CodeQuota:
		return "files take too much space"
	case CodeGuest:
		return "guests cannot do that"
	}
	return "invalid"
}

// An Error is a refusal: nothing was done. All other errors of the package come from the engine or from ctx.
type Error struct {
	Op     string // What was asked for, one or two words.
	Code   Code
	Wait   time.Duration // CodeLocked and CodeRateLimited: how long it lasts, about.
	Left   int           // CodeDenied by a wrong password: how many more before the lock, 0 if this one has locked.
	Detail string        // More for a person, or empty. Printable, says nothing secret.
}

// Error returns the refusal in words.
func (e *Error) Error() string {
	text := "account: " + e.Op + ": " + e.Code.String()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Wait > 0 {
		text += fmt.Sprintf(" (for %v)", e.Wait.Round(time.Second))
	}
	return text
}

// Is reports whether err is a refusal with that code.
func Is(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

func refuse(op string, code Code) error { return &Error{Op: op, Code: code} }

// refuseName turns an error of package names into a refusal.
func refuseName(op string, err error) error {
	detail := "not acceptable"
	if bad, ok := errors.AsType[*names.Error](err); ok {
		detail = bad.Error()
	}
	return &Error{Op: op, Code: CodeBadName, Detail: detail}
}

// explainHash turns the refusals of package passwd into ours.
func explainHash(op string, err error) error {
	switch {
	case errors.Is(err, passwd.ErrBusy):
		return refuse(op, CodeBusy)
	case errors.Is(err, passwd.ErrEmpty), errors.Is(err, passwd.ErrTooLong), errors.Is(err, passwd.ErrNotMD5):
		return &Error{Op: op, Code: CodeBadPassword, Detail: strings.TrimPrefix(err.Error(), "passwd: ")}
	}
	return fmt.Errorf("account: %s: %w", op, err)
}
