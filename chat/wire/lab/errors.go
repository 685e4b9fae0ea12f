package lab

import "fmt"

// A Code is the number in an ERROR_CODE reply (PROTOCOL.md 6).
type Code int

// The codes this implementation sends. Servers of others use numbers of their own.
const (
	CodeMalformed      Code = 1  // The message cannot be read; the description says what was expected.
	CodeUnknownMessage Code = 2  // The line begins no message of this protocol.
	CodeUnknownRoom    Code = 3  // No room has this ROOM_REF or name.
	CodeNotMember      Code = 4  // The client is not in the room.
	CodeWrongJoinID    Code = 5  // The JOIN_ID does not belong to this client; strict mode only.
	CodeBadName        Code = 6  // The name of a client or room is empty, too long or has control characters.
	CodeTooLong        Code = 7  // A line or message is longer than the limit.
	CodeTooMany        Code = 8  // Too many rooms, clients or callbacks.
	CodeCallbackFailed Code = 9  // Nobody answered at CLIENT_IP and PORT.
	CodeRateLimited    Code = 10 // Too many requests; slow down.
	CodeShuttingDown   Code = 11 // The server is going away.
	CodeNotAllowed     Code = 12 // The request exists but is switched off here (KILL_SERVICE).
	CodeInternal       Code = 13 // The server's fault; the description carries a reference into its log.
)

// A SyntaxError is one message that could not be read. The decoder that returned it goes on with the next one.
type SyntaxError struct {
	Line    string // The line that did not fit, cut to a length fit for a log; raw bytes of the peer.
	Want    string // What was expected instead, such as "PORT: or CLIENT_NAME:", or the limit that was passed.
	TooLong bool   // A limit was passed; otherwise the message is malformed.
}

// Error describes the fault in one line; the peer's bytes are quoted.
func (e *SyntaxError) Error() string {
	if e.TooLong {
		return fmt.Sprintf("lab: too long: want %s", e.Want)
	}
	return fmt.Sprintf("lab: got line %q, want %s", e.Line, e.Want)
}

// syntaxError makes the error for line, of which it keeps a copy of the beginning.
func syntaxError(line []byte, want string, tooLong bool) *SyntaxError {
	if len(line) > lineShownBytes {
		line = line[:lineShownBytes]
	}
	return &SyntaxError{Line: string(line), Want: want, TooLong: tooLong}
}
