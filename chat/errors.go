package chat

import (
	"fmt"
	"strings"
)

// Code is why the core refuses to do something. Front-ends map codes to the errors of their
// protocol.
type Code uint8

const (
	// CodeNotMember: the user is not in that room.
	CodeNotMember Code = iota + 1
	// CodeNoRoom: there is no room of that number.
	CodeNoRoom
	// CodeBadName: the name of a room or of a client is not acceptable.
	CodeBadName
	// CodeTooLong: the text is too long.
	CodeTooLong
	// CodeTooManyRooms: the user is in too many rooms, or the Hub has too many.
	CodeTooManyRooms
	// CodeTooManyUsers: the Hub has too many users.
	CodeTooManyUsers
	// CodeRateLimited: too much in too short a time. The core leaves that to its callers.
	CodeRateLimited
	// CodeShuttingDown: the Hub takes no new work.
	CodeShuttingDown
	// CodeClosed: the user was closed, or is being closed. Only callers that share a user with
	// whoever closes it ever see this.
	CodeClosed
	// CodeNameTaken: somebody has that name who does not share it.
	CodeNameTaken

	// CodeBlocked: one of the two accounts has blocked the other; Detail says which.
	CodeBlocked
	// CodeNoUser: there is no account of that name, or nobody who could be whispered to.
	CodeNoUser
	// CodeSelf: one cannot do that with oneself.
	CodeSelf
	// CodeNotAllowed: this account, or this kind of account, may not do that.
	CodeNotAllowed
	// CodeNotFound: there is no such file, device or entry.
	CodeNotFound
	// CodeTooMany: a limit on how many there may be is reached; Detail says of what.
	CodeTooMany
	// CodeQuota: the files of the account take all the room it has.
	CodeQuota
	// CodeBadContent: what is to be said is not of a form that can be shown.
	CodeBadContent
	// CodeStale: in a room that forgets, the device has said so much since that nobody knows any more whether
	// it has said this, too.
	CodeStale
	// CodeReused: the device has said something else with that counter, which is stored, and this is not.
	CodeReused

	codeCount = iota + 1
)

// String returns the code in words for people.
func (c Code) String() string {
	switch c {
	case CodeNotMember:
		return "not a member"
	case CodeNoRoom:
		return "no such room"
	case CodeBadName:
		return "name not acceptable"
	case CodeTooLong:
		return "too long"
	case CodeTooManyRooms:
		return "too many rooms"
	case CodeTooManyUsers:
		return "too many users"
	case CodeRateLimited:
		return "too fast"
	case CodeShuttingDown:
		return "shutting down"
	case CodeClosed:
		return "user is closed"
	case CodeNameTaken:
		return "name is taken"
	case CodeBlocked:
		return "blocked"
	case CodeNoUser:
		return "no such user"
	case CodeSelf:
		return "not with oneself"
	case CodeNotAllowed:
		return "not allowed"
	case CodeNotFound:
		return "not found"
	case CodeTooMany:
		return "too many"
	case CodeQuota:
		return "quota used up"
	case CodeBadContent:
		return "content not acceptable"
	case CodeStale:
		return "counter too far behind"
	case CodeReused:
		return "counter used before"
	}
	return fmt.Sprintf("Code(%d)", uint8(c))
}

// An Error is a refusal: the request was understood, nothing was done, and it is nobody's fault
// but the caller's. All other errors of the package come from the engine or from ctx.
type Error struct {
	Op     string // What was asked for, in one word: "connect", "join", "leave", "say" …
	Code   Code
	Room   RoomRef // The room it was about; 0 if none or not known.
	Detail string  // More for a person, or empty. Printable, says nothing secret.
}

// Error returns the refusal in words.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("chat: ")
	b.WriteString(e.Op)
	if e.Room != 0 {
		fmt.Fprintf(&b, " room %d", e.Room)
	}
	b.WriteString(": ")
	b.WriteString(e.Code.String())
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	return b.String()
}
