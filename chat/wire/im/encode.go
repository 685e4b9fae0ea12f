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
		if r.File == "" {
			return appendPacket(b, "startprivate", "target", r.Target)
		}
		return appendPacket(b, "startprivate", "target", r.Target, "filename", r.File)
	case Accept:
		return append(appendPlace(b, "P2P", Connect(r)), "\n\n"...)
	case RegisterFile:
		return appendRegisterFile(b, r)
	case SearchFile:
		return appendPacket(b, "searchFile", "filename", r.File)
	case SearchChunk:
		return appendPacket(b, "searchChunk", "filename", r.File, "chunk", r.Chunks)
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
		if r.File == "" {
			return appendPacket(b, "P2P", "message", r.Message, "origin", r.Origin)
		}
		return appendPacket(b, "P2P", "message", r.Message, "origin", r.Origin, "filename", r.File)
	case Connect:
		return appendPlace(b, "P2PCONN", r)
	}
	panic(fmt.Sprintf("BUG: im: no packet for %T", rep))
}

// appendPlace appends a packet that says where somebody listens.
func appendPlace(b []byte, route string, c Connect) []byte {
	return appendPacket(b, route, "ip", c.IP, "port", int64(c.Port), "origin", c.Origin, "target", c.Target)
}

func appendRegisterFile(b []byte, r RegisterFile) []byte {
	pairs := []any{"filename", r.File}
	if r.Chunks > 0 {
		pairs = append(pairs, "size", r.Size, "chunks", int64(r.Chunks))
	}
	if r.Has != nil {
		pairs = append(pairs, "chunk", r.Has)
	}
	return appendPacket(b, "register", pairs...)
}

// appendPacket appends a packet with keys and values, which alternate. Values are texts, numbers and lists of numbers.
func appendPacket(b []byte, route string, pairs ...any) []byte {
	b = append(append(append(b, '['), route...), "] {"...)
	for i, v := range pairs {
		switch {
		case i == 0:
		case i%2 == 0:
			b = append(b, ", "...)
		default:
			b = append(b, ": "...)
		}
		switch v := v.(type) {
		case string:
			b = appendText(b, v)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case []int:
			b = append(appendNumbers(append(b, '['), v, ", "), ']')
		default:
			panic(fmt.Sprintf("BUG: im: no value in a packet can be %T", v))
		}
	}
	return append(b, '}')
}

// appendNumbers appends numbers with something between them.
func appendNumbers(b []byte, numbers []int, between string) []byte {
	for i, n := range numbers {
		if i > 0 {
			b = append(b, between...)
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return b
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
