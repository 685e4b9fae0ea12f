package lab

import (
	"strconv"
	"strings"
)

// A Dialect is a spelling of requests. Replies have only one (PROTOCOL.md 3).
type Dialect uint8

const (
	// Spaced has one space behind every colon: clients and tester of 2016 and later.
	Spaced Dialect = iota
	// Compact2015 has no space in JOIN and DISCONNECT but one in LEAVE and CHAT, as the tester of 2015 did.
	Compact2015
)

// The Append functions add one whole message to b and return the longer slice. Values cannot break out of their
// line: a newline inside one becomes a space. Texts keep their inner newlines; see appendText.

// AppendHelo appends a HELO request. r.Line must begin with "HELO".
func AppendHelo(b []byte, r Helo) []byte { return append(appendValue(b, r.Line), '\n') }

// AppendKill appends a KILL_SERVICE request.
func AppendKill(b []byte) []byte { return append(b, "KILL_SERVICE\n"...) }

// AppendJoin appends a JOIN_CHATROOM request.
func AppendJoin(b []byte, r Join, d Dialect) []byte {
	sep := separator(d)
	b = appendField(b, "JOIN_CHATROOM", sep, r.Room)
	b = appendField(b, "CLIENT_IP", sep, r.ClientIP)
	b = appendField(b, "PORT", sep, r.Port)
	return appendField(b, "CLIENT_NAME", sep, r.Name)
}

// AppendLeave appends a LEAVE_CHATROOM request.
func AppendLeave(b []byte, r Leave) []byte {
	b = appendField(b, "LEAVE_CHATROOM", spaced, r.Room)
	b = appendField(b, "JOIN_ID", spaced, r.JoinID)
	return appendField(b, "CLIENT_NAME", spaced, r.Name)
}

// AppendChat appends a CHAT request, its closing empty line included.
func AppendChat(b []byte, r Chat) []byte {
	b = appendField(b, "CHAT", spaced, r.Room)
	b = appendField(b, "JOIN_ID", spaced, r.JoinID)
	b = appendField(b, "CLIENT_NAME", spaced, r.Name)
	return appendText(b, r.Text)
}

// AppendDisconnect appends a DISCONNECT request.
func AppendDisconnect(b []byte, r Disconnect, d Dialect) []byte {
	sep := separator(d)
	b = appendField(b, "DISCONNECT", sep, r.IP)
	b = appendField(b, "PORT", sep, r.Port)
	return appendField(b, "CLIENT_NAME", sep, r.Name)
}

// AppendRequest appends any request. LEAVE and CHAT are the same in both dialects.
func AppendRequest(b []byte, r Request, d Dialect) []byte {
	switch r := r.(type) {
	case Helo:
		return AppendHelo(b, r)
	case Kill:
		return AppendKill(b)
	case Join:
		return AppendJoin(b, r, d)
	case Leave:
		return AppendLeave(b, r)
	case Chat:
		return AppendChat(b, r)
	case Disconnect:
		return AppendDisconnect(b, r, d)
	case Unknown:
		return append(appendValue(b, r.Line), '\n')
	default:
		panic("BUG: lab: request of no known type")
	}
}

// AppendHeloReply appends the answer to HELO. Its three keys have no space behind the colon.
func AppendHeloReply(b []byte, r HeloReply) []byte {
	b = append(appendValue(b, r.Line), '\n')
	b = appendField(b, "IP", compact, r.IP)
	b = appendField(b, "Port", compact, r.Port)
	return appendField(b, "StudentID", compact, r.StudentID)
}

// AppendJoined appends a JOINED_CHATROOM reply.
func AppendJoined(b []byte, r Joined) []byte {
	b = appendField(b, "JOINED_CHATROOM", spaced, r.Room)
	b = appendField(b, "SERVER_IP", spaced, r.ServerIP)
	b = appendField(b, "PORT", spaced, r.Port)
	b = appendField(b, "ROOM_REF", spaced, r.RoomRef)
	return appendField(b, "JOIN_ID", spaced, r.JoinID)
}

// AppendLeft appends a LEFT_CHATROOM reply.
func AppendLeft(b []byte, r Left) []byte {
	b = appendField(b, "LEFT_CHATROOM", spaced, r.RoomRef)
	return appendField(b, "JOIN_ID", spaced, r.JoinID)
}

// AppendChatMessage appends a CHAT as it goes to members, its closing empty line included.
func AppendChatMessage(b []byte, r ChatMessage) []byte {
	b = appendField(b, "CHAT", spaced, r.RoomRef)
	b = appendField(b, "CLIENT_NAME", spaced, r.Name)
	return appendText(b, r.Text)
}

// AppendError appends an ERROR_CODE reply.
func AppendError(b []byte, r ErrorReply) []byte {
	b = appendField(b, "ERROR_CODE", spaced, strconv.Itoa(int(r.Code)))
	return appendField(b, "ERROR_DESCRIPTION", spaced, r.Description)
}

// AppendReply appends any reply.
func AppendReply(b []byte, r Reply) []byte {
	switch r := r.(type) {
	case HeloReply:
		return AppendHeloReply(b, r)
	case Joined:
		return AppendJoined(b, r)
	case Left:
		return AppendLeft(b, r)
	case ChatMessage:
		return AppendChatMessage(b, r)
	case ErrorReply:
		return AppendError(b, r)
	case UnknownReply:
		return append(appendValue(b, r.Line), '\n')
	default:
		panic("BUG: lab: reply of no known type")
	}
}

// What stands between a key and its value.
const (
	spaced  = ": "
	compact = ":"
)

func separator(d Dialect) string {
	if d == Compact2015 {
		return compact
	}
	return spaced
}

func appendField(b []byte, key, sep, value string) []byte {
	b = append(append(b, key...), sep...)
	return append(appendValue(b, value), '\n')
}

// appendValue appends s with newlines turned into spaces, so that a value stays inside its line.
func appendValue(b []byte, s string) []byte {
	start := len(b)
	b = append(b, s...)
	for i := start; i < len(b); i++ {
		if b[i] == '\n' {
			b[i] = ' '
		}
	}
	return b
}

// appendText appends the MESSAGE field and the empty line that ends it. An empty line inside the text would end
// it early, so it gets one space; newlines at the end and carriage returns at line ends are dropped (PROTOCOL.md 2.2).
func appendText(b []byte, text string) []byte {
	b = append(b, "MESSAGE: "...)
	text = strings.TrimRight(text, "\r\n")
	for first := true; ; first = false {
		line, rest, more := strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r")
		if line == "" && !first {
			line = " "
		}
		b = append(append(b, line...), '\n')
		if !more {
			return append(b, '\n')
		}
		text = rest
	}
}
