package native

import "fmt"

// A Code says why a request was refused (SPEC.md 7). Codes are never reused; a client takes one it does not know for
// CodeNotAllowed.
type Code uint64

const (
	CodeMalformed    Code = 1  // No message of this protocol, or a field of the wrong type.
	CodeUnknownType  Code = 2  // No request has this type in this version.
	CodeTooLong      Code = 3  // A message, text or other field is longer than its limit.
	CodeBadField     Code = 4  // A field is missing or has a value it cannot have.
	CodeOutOfOrder   Code = 5  // Not now: before Hello, a second Hello, or something for another kind of session.
	CodeVersion      Code = 6  // No version of the protocol in common.
	CodeNotLoggedIn  Code = 7  // Only for those who have logged in.
	CodeLoggedIn     Code = 8  // Only for those who have not; with id 0: the device began another session.
	CodeBadLogin     Code = 9  // No such name, or not its password; the same for both.
	CodeLocked       Code = 10 // Too many wrong passwords; RetryAfter says how long.
	CodeBadToken     Code = 11 // The token is unknown, revoked, used or expired.
	CodeBadName      Code = 12 // The name is not acceptable.
	CodeNameTaken    Code = 13 // An account has that name, or one that looks like it.
	CodeBadSecret    Code = 14 // The new password is not acceptable.
	CodeNoUser       Code = 15 // There is no such account, or none that may be seen.
	CodeNoLog        Code = 16 // There is no such room or conversation, or none that may be seen.
	CodeNotMember    Code = 17 // Only for members.
	CodeBlocked      Code = 18 // One of the two has blocked the other; the text says who.
	CodeSelf         Code = 19 // Not with oneself.
	CodeNotAllowed   Code = 20 // Not for this kind of user, or switched off here.
	CodeTooMany      Code = 21 // A limit on how many there may be is reached.
	CodeQuota        Code = 22 // The account's files take too much room.
	CodeRateLimited  Code = 23 // Too fast; RetryAfter says how long.
	CodeEpoch        Code = 24 // The log began anew: numbers of its former life mean nothing.
	CodeNoFile       Code = 25 // There is no such file, or not for this account.
	CodeChecksum     Code = 26 // The bytes sent are not the file announced; the upload begins anew.
	CodeOffset       Code = 27 // The chunk does not continue the file.
	CodeNotThere     Code = 28 // The other one is not online.
	CodeNotEncrypted Code = 29 // The connection is not encrypted.
	CodeShuttingDown Code = 30 // The server takes nothing new; RetryAfter says when to come back.
	CodeUnavailable  Code = 31 // Not possible right now: the store is full or away. The same request may be repeated.
	CodeInternal     Code = 32 // The server's fault; Reference finds it in the server's log.
	CodeTooSlow      Code = 33 // The client does not take what is sent to it; the connection ends.
	CodeRevoked      Code = 34 // The session ends because its token was revoked.
	CodeStale        Code = 35 // The counter is too far behind what the device has said since.
	CodeReused       Code = 36 // The device has used the counter for another message, and this one is not stored.
)

// String returns the code in words for people.
func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("error %d", uint64(c))
}

var codeNames = map[Code]string{
	CodeMalformed: "malformed message", CodeUnknownType: "unknown request", CodeTooLong: "too long", CodeBadField: "bad field",
	CodeOutOfOrder: "out of order", CodeVersion: "no common version", CodeNotLoggedIn: "not logged in",
	CodeLoggedIn: "already logged in", CodeBadLogin: "wrong name or password", CodeLocked: "locked", CodeBadToken: "token not valid",
	CodeBadName: "name not acceptable", CodeNameTaken: "name taken", CodeBadSecret: "password not acceptable",
	CodeNoUser: "no such user", CodeNoLog: "no such room", CodeNotMember: "not a member", CodeBlocked: "blocked",
	CodeSelf: "not with oneself", CodeNotAllowed: "not allowed", CodeTooMany: "too many", CodeQuota: "quota reached",
	CodeRateLimited: "too fast", CodeEpoch: "log began anew", CodeNoFile: "no such file", CodeChecksum: "wrong checksum",
	CodeOffset: "wrong offset", CodeNotThere: "not online", CodeNotEncrypted: "not encrypted",
	CodeShuttingDown: "shutting down", CodeUnavailable: "unavailable", CodeInternal: "internal error", CodeTooSlow: "too slow",
	CodeRevoked: "token revoked", CodeStale: "counter too far behind",
	CodeReused: "counter used before",
}

// A SyntaxError is one message that breaks the grammar or a limit. The stream goes on behind it.
type SyntaxError struct {
	Code  Code   // CodeMalformed, CodeTooLong or CodeBadField.
	Field string // Which field, in the words of SPEC.md; empty if it is the message.
	Want  string // What was expected, or the limit. Nothing of the peer's.
}

// Error says in one line what is wrong, without a byte of the peer's.
func (e *SyntaxError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("native: %v: want %s", e.Code, e.Want)
	}
	return fmt.Sprintf("native: %v: %s: want %s", e.Code, e.Field, e.Want)
}

// Error implements error, so that a client can return a refusal as it came.
func (e Error) Error() string {
	if e.Text == "" {
		return e.Code.String()
	}
	return e.Text
}

// first returns the first fault.
func first(faults ...*SyntaxError) error {
	for _, f := range faults {
		if f != nil {
			return f
		}
	}
	return nil
}

// longest checks the length of a field.
func longest[T ~string | ~[]byte](field string, v T, max int) *SyntaxError {
	if len(v) > max {
		return &SyntaxError{CodeTooLong, field, fmt.Sprintf("at most %d bytes", max)}
	}
	return nil
}

// needed checks the length of a field that may not be empty.
func needed[T ~string | ~[]byte](field string, v T, max int) *SyntaxError {
	if len(v) == 0 {
		return &SyntaxError{CodeBadField, field, "at least one byte"}
	}
	return longest(field, v, max)
}

// require checks anything else.
func require(ok bool, field, want string) *SyntaxError {
	if !ok {
		return &SyntaxError{CodeBadField, field, want}
	}
	return nil
}
