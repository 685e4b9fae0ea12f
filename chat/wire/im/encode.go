package im

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendRequest appends a request as the protocol's own program writes it.
func AppendRequest(b []byte, req Request) []byte {
	switch r := req.(type) {
	case Login:
		if !r.HasPassword {
			return appendPacket(b, "login", "user", r.User)
		}
		return appendPacket(b, "login", "user", r.User, "password", r.Password)
	case Register:
		return appendPacket(b, "register", "user", r.User, "password", r.Password)
	case Message:
		return appendPacket(b, "message", "reciever", r.To, "message", r.Text)
	case Broadcast:
		return appendPacket(b, "broadcast", "message", r.Text)
	case WhoElse:
		return appendPacket(b, "whoelse")
	case WhoElseSince:
		return appendPacket(b, "whoelsesince", "time", strconv.FormatInt(r.Seconds, 10))
	case Block:
		return appendPacket(b, "block", "block", r.User)
	case Unblock:
		return appendPacket(b, "unblock", "unblock", r.User)
	case StartPrivate:
		return appendPacket(b, "startprivate", "target", r.Target)
	case Accept:
		return append(appendPlace(b, "P2P", Connect(r)), "\n\n"...)
	case Decline:
		return append(appendPacket(b, "P2PDECLINE", "origin", r.Origin, "target", r.Target), "\n\n"...)
	case Refresh:
		return append(appendPacket(b, "refresh"), '\n')
	case Logout:
		return appendPacket(b, "logout")
	case Unknown:
		return appendPacket(b, r.Route)
	}
	panic(fmt.Sprintf("BUG: im: no packet for %T", req))
}

// AppendReply appends a reply.
func AppendReply(b []byte, rep Reply) []byte {
	switch r := rep.(type) {
	case Text:
		b = strconv.AppendInt(append(b, '['), int64(r.Code), 10)
		return append(append(b, "] "...), r.Text...)
	case Fin:
		return append(append(b, "[FIN] "...), r.Text...)
	case Invite:
		return appendPacket(b, "P2P", "message", r.Message, "origin", r.Origin)
	case Connect:
		return appendPlace(b, "P2PCONN", r)
	}
	panic(fmt.Sprintf("BUG: im: no packet for %T", rep))
}

// appendPacket appends a packet with keys and values, which alternate.
func appendPacket(b []byte, route string, pairs ...string) []byte {
	b = append(append(append(b, '['), route...), "] {"...)
	for i, s := range pairs {
		switch {
		case i == 0:
		case i%2 == 0:
			b = append(b, ", "...)
		default:
			b = append(b, ": "...)
		}
		b = appendText(b, s)
	}
	return append(b, '}')
}

// appendPlace appends a packet that says where somebody listens.
func appendPlace(b []byte, route string, c Connect) []byte {
	b = append(append(append(b, '['), route...), `] {"ip": `...)
	b = append(appendText(b, c.IP), `, "port": `...)
	b = append(strconv.AppendInt(b, int64(c.Port), 10), `, "origin": `...)
	b = append(appendText(b, c.Origin), `, "target": `...)
	return append(appendText(b, c.Target), '}')
}

// appendText appends a JSON text in ASCII, as Python writes it by default.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case ' ' <= r && r <= '~':
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}

// Split cuts a text into parts that each fit into a packet of ReplyBytesMax bytes, behind lines where it can and between
// characters at least. An empty text has one part.
func Split(text string) []string {
	const room = ReplyBytesMax - len("[200] ")
	var parts []string
	for len(text) > room {
		n := room
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		if n == 0 { // No text: bytes.
			n = room
		}
		for i := n; i > n/2; i-- {
			if text[i-1] == '\n' {
				n = i
				break
			}
		}
		parts = append(parts, text[:n])
		text = text[n:]
	}
	return append(parts, text)
}
