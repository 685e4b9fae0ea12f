package labtest

import (
	"bytes"
	"strings"
	"time"
)

// A kind is which of the server's messages a message is.
type kind string

const (
	kindHelo   kind = "HELO reply"
	kindJoined kind = "JOINED_CHATROOM"
	kindLeft   kind = "LEFT_CHATROOM"
	kindChat   kind = "CHAT"
	kindError  kind = "ERROR_CODE"
	kindOther  kind = "text of no known kind" // One line.
)

// forms are the keys of each kind in the order of the document; the first one is the message's own. That of the HELO
// reply is no key: its first line is the request's.
var forms = map[kind][]string{
	kindHelo:   {"HELO", "IP", "Port", "StudentID"},
	kindJoined: {"JOINED_CHATROOM", "SERVER_IP", "PORT", "ROOM_REF", "JOIN_ID"},
	kindLeft:   {"LEFT_CHATROOM", "JOIN_ID"},
	kindChat:   {"CHAT", "CLIENT_NAME", "MESSAGE"},
	kindError:  {"ERROR_CODE", "ERROR_DESCRIPTION"},
}

// A message is one message of the server as the lenient reader understood it, and what is unusual about it.
type message struct {
	kind   kind
	raw    []byte            // As it came, without blank lines around it.
	fields map[string]string // By the key as the document spells it; blanks around values removed.
	keys   []string          // As they came, in that order.
	at     time.Duration     // When its last byte was read, since the run began.

	complete    bool // No key is missing.
	ended       bool // By a newline; CHAT by an empty line.
	crlf        bool // Some line ends with \r\n.
	tight       bool // Some key has no space behind its colon.
	loose       bool // Some key has more than one space behind its colon, or one before it.
	blankInside bool // An empty line between its lines.
	blanksAfter int  // Empty lines before the next message.

	claimed bool // A rule has taken it.
}

// is reports whether the message has this kind and this field.
func (m *message) is(k kind, key, value string) bool { return m.kind == k && m.fields[key] == value }

// says reports whether it is a CHAT whose text contains s.
func (m *message) says(s string) bool {
	return m.kind == kindChat && strings.Contains(m.fields["MESSAGE"], s)
}

// ordered reports whether the keys are those of the document, spelt so, in that order, each once.
func (m *message) ordered() bool {
	return strings.Join(m.keys, " ") == strings.Join(forms[m.kind], " ")
}

// A line is one line of what was received.
type line struct {
	text  string // Without its end.
	crlf  bool
	ended bool // By a newline.
	size  int  // With its end.
}

// blank reports whether nothing stands on the line.
func (l line) blank() bool { return strings.TrimSpace(l.text) == "" }

// nextLine cuts the first line off b. A line without newline counts only if no more bytes come.
func nextLine(b []byte, last bool) (l line, ok bool) {
	i := bytes.IndexByte(b, '\n')
	switch {
	case i >= 0:
		text, crlf := bytes.CutSuffix(b[:i], []byte("\r"))
		return line{text: string(text), crlf: crlf, ended: true, size: i + 1}, true
	case last && len(b) > 0:
		return line{text: string(b), size: len(b)}, true
	}
	return line{}, false
}

// key splits a line into key and value. ok is false for a line without one of the protocol's keys. The key is given as
// the document spells it; exact reports whether the server spelt it so.
func (l line) key() (key, value string, exact, ok bool) {
	if strings.HasPrefix(l.text, "HELO") {
		return "HELO", l.text, true, true
	}
	name, value, found := strings.Cut(l.text, ":")
	if !found {
		return "", "", false, false
	}
	name = strings.TrimRight(name, " \t")
	for _, k := range []string{
		"JOINED_CHATROOM", "LEFT_CHATROOM", "CHAT", "ERROR_CODE", "SERVER_IP", "PORT", "ROOM_REF", "JOIN_ID",
		"CLIENT_NAME", "MESSAGE", "ERROR_DESCRIPTION", "IP", "Port", "StudentID",
	} {
		if name == k {
			return k, value, true, true
		}
	}
	for _, k := range []string{
		"JOINED_CHATROOM", "LEFT_CHATROOM", "CHAT", "ERROR_CODE", "SERVER_IP", "ROOM_REF", "JOIN_ID",
		"CLIENT_NAME", "MESSAGE", "ERROR_DESCRIPTION", "IP", "StudentID",
	} {
		if strings.EqualFold(strings.TrimSpace(name), k) {
			return k, value, false, true
		}
	}
	return "", "", false, false
}

// headKind returns the kind that a line with this key begins.
func headKind(key string) (kind, bool) {
	for k, keys := range forms {
		if keys[0] == key {
			return k, true
		}
	}
	return "", false
}

// parse takes the first message off b. last says that no more bytes come for now, so that what is incomplete is taken
// as it is. It returns how many bytes of b are done with, and how many empty lines stood before the message; ok is false
// if there is no message (yet), and n may still count empty lines.
func parse(b []byte, last bool) (m *message, n, blanks int, ok bool) {
	for {
		l, found := nextLine(b[n:], last)
		if !found {
			return nil, n, blanks, false
		}
		if !l.blank() {
			break
		}
		n += l.size
		blanks++
	}
	k, decided := kindOf(b[n:], last)
	if !decided {
		return nil, n, blanks, false
	}
	m, size, whole := take(b[n:], k, last)
	if !whole {
		return nil, n, blanks, false
	}
	m.raw = bytes.Clone(b[n : n+size])
	return m, n + size, blanks, true
}

// kindOf decides what b begins with. A server may have the lines in the wrong order, so the message's own key may stand
// further down.
func kindOf(b []byte, last bool) (k kind, decided bool) {
	for i, n := 0, 0; i < 6; i++ {
		l, found := nextLine(b[n:], last)
		if !found {
			return kindOther, last
		}
		n += l.size
		if l.blank() {
			continue
		}
		key, _, _, ok := l.key()
		if !ok {
			return kindOther, true
		}
		if k, ok := headKind(key); ok {
			return k, true
		}
	}
	return kindOther, true
}

// take reads a message of kind k from the beginning of b.
func take(b []byte, k kind, last bool) (m *message, n int, whole bool) {
	m = &message{kind: k, fields: make(map[string]string)}
	if k == kindOther {
		l, _ := nextLine(b, last)
		m.complete, m.ended, m.crlf = true, l.ended, l.crlf
		m.fields["TEXT"] = l.text
		return m, l.size, true
	}
	form := forms[k]
	for len(m.fields) < len(form) {
		l, found := nextLine(b[n:], last)
		if !found {
			return m, n, last
		}
		key, value, exact, ok := l.key()
		key = m.alias(key)
		switch {
		case l.blank():
			if last && onlyBlanks(b[n:]) {
				return m, n, true
			}
			m.blankInside = true
			n += l.size
			continue
		case ok && !m.wants(key):
			_, head := headKind(key)
			if _, have := m.fields[key]; have || head {
				return m, n, true // The next message begins: this one lacks something.
			}
		case !ok && k == kindHelo:
			return m, n, true // Text of another kind: nothing of ours.
		}
		n += l.size
		m.crlf = m.crlf || l.crlf
		m.ended = l.ended
		if !ok {
			m.keys = append(m.keys, l.text)
			continue
		}
		m.note(key, value, l.text, exact)
		if key == "MESSAGE" {
			size, ended, whole := m.text(b[n:], last)
			if !whole {
				return m, n, false
			}
			n += size
			m.ended = ended
		}
	}
	m.complete = true
	return m, n, true
}

// onlyBlanks reports whether nothing but line ends is in b.
func onlyBlanks(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }

// alias is the key a line means in this message: PORT of JOINED and Port of HELO differ in case only.
func (m *message) alias(key string) string {
	for _, k := range forms[m.kind] {
		if strings.EqualFold(k, key) {
			return k
		}
	}
	return key
}

// wants reports whether the message still lacks this key.
func (m *message) wants(key string) bool {
	if _, have := m.fields[key]; have {
		return false
	}
	for _, k := range forms[m.kind] {
		if k == key {
			return true
		}
	}
	return false
}

// note takes a line with a key into the message.
func (m *message) note(key, value, text string, exact bool) {
	shown := key
	if !exact {
		shown, _, _ = strings.Cut(text, ":")
	}
	m.keys = append(m.keys, shown)
	if m.wants(key) {
		m.fields[key] = strings.Trim(value, " \t\r")
	}
	if key == "HELO" {
		m.fields[key] = value
		return
	}
	switch {
	case !strings.HasPrefix(value, " "):
		m.tight = true
	case strings.HasPrefix(value, "  ") && key != "MESSAGE":
		m.loose = true
	}
}

// text reads the rest of a text up to its empty line. A line that begins another message of the server, with that
// message's second line below it, ends a text that has no empty line. whole is false if more bytes are needed to tell.
func (m *message) text(b []byte, last bool) (n int, ended, whole bool) {
	for {
		l, found := nextLine(b[n:], last)
		switch {
		case !found:
			return n, false, last
		case l.blank():
			m.crlf = m.crlf || l.crlf
			return n + l.size, l.ended, true
		}
		key, value, exact, ok := l.key()
		if ok && key == "CLIENT_NAME" && m.wants(key) {
			n += l.size
			m.note(key, value, l.text, exact)
			continue
		}
		if k, head := headKind(key); ok && head {
			next, more := nextLine(b[n+l.size:], last)
			if !more && !last {
				return n, false, false
			}
			if second, _, _, isKey := next.key(); isKey && second == forms[k][1] {
				return n, false, true
			}
		}
		n += l.size
		m.crlf = m.crlf || l.crlf
		m.fields["MESSAGE"] += "\n" + l.text
	}
}
