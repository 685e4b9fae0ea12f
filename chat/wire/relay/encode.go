package relay

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A Form is how a peer wants its messages. The zero value is what most do.
type Form struct {
	Spaced bool // A head ends by a line with a space in it, and SENT is called SEND (PROTOCOL.md 2.1).
	Bytes  bool // Content-length counts bytes, not characters.
	Send   bool // SENT is called SEND in any case.
}

// AppendRequest appends a request to b. Names must satisfy CanName or be empty, or what comes out is another message.
func AppendRequest(b []byte, r Request, f Form) []byte {
	switch r := r.(type) {
	case Register:
		return f.endRegister(fmt.Appendf(b, "REGISTER %v %s", r.Role, r.Name), r.Wide)
	case Send:
		return f.appendText(fmt.Appendf(b, "SEND %s", r.To), r.Text)
	case Incomplete:
		return f.endHead(fmt.Appendf(b, "SEND %s", r.To))
	case Received:
		return f.endHead(fmt.Appendf(b, "RECEIVED %s", r.From))
	case Failed:
		return f.endHead(fmt.Appendf(b, "ERROR %d %v", r.Code, r.Code))
	case Unknown:
		return f.endHead(append(b, r.Line...))
	}
	panic(fmt.Sprintf("BUG: relay: no such request: %T", r))
}

// AppendReply appends a reply to b. For names see AppendRequest.
func AppendReply(b []byte, r Reply, f Form) []byte {
	switch r := r.(type) {
	case Registered:
		return f.endRegister(fmt.Appendf(b, "REGISTERED %v %s", r.Role, r.Name), r.Wide)
	case Forward:
		return f.appendText(fmt.Appendf(b, "FORWARD %s", r.From), r.Text)
	case Sent:
		word := "SENT"
		if f.Spaced || f.Send {
			word = "SEND"
		}
		return f.endHead(fmt.Appendf(b, "%s %s", word, r.To))
	case Error:
		return f.endHead(fmt.Appendf(b, "ERROR %d %v", r.Code, r.Code))
	case UnknownReply:
		return f.endHead(append(b, r.Line...))
	}
	panic(fmt.Sprintf("BUG: relay: no such reply: %T", r))
}

// endHead ends a head.
func (f Form) endHead(b []byte) []byte {
	if f.Spaced {
		return append(b, "\n \n"...)
	}
	return append(b, "\n\n"...)
}

// endRegister ends the head of a registration.
func (f Form) endRegister(b []byte, wide bool) []byte {
	if wide {
		return append(b, " \n \n"...)
	}
	return f.endHead(b)
}

// appendText ends a head with the length of a text, and appends the text.
func (f Form) appendText(b []byte, text string) []byte {
	n := len(text)
	if !f.Bytes {
		n = utf8.RuneCountInString(text)
	}
	b = strconv.AppendInt(append(b, "\nContent-length: "...), int64(n), 10)
	return append(f.endHead(b), text...)
}
