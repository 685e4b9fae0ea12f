package im

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// fields are the members of an object that are of use.
type fields map[string]value

// A value is a text or a number, which are the same here: the program of this protocol sends numbers as either. Or it is a
// list of them.
type value struct {
	text   string
	list   []string
	isList bool
}

// find returns the first field of these names that is there.
func (f fields) find(names ...string) (value, bool) {
	for _, name := range names {
		if v, ok := f[name]; ok {
			return v, true
		}
	}
	return value{}, false
}

// get returns the first field of these names that is there, if it is a text or a number.
func (f fields) get(names ...string) (string, bool) {
	v, ok := f.find(names...)
	return v.text, ok && !v.isList
}

// A reader reads an object. Besides JSON it takes what Python prints for a dictionary: texts in single quotes
// (PROTOCOL.md 2.1).
type reader struct {
	b     []byte
	depth int
}

// readObject reads b, which is one object and nothing else.
func readObject(b []byte) (fields, bool) {
	r := reader{b: b}
	f, ok := r.object()
	r.space()
	return f, ok && len(r.b) == 0
}

func (r *reader) space() {
	for len(r.b) > 0 && isSpace(r.b[0]) {
		r.b = r.b[1:]
	}
}

// take consumes c, behind any spaces, if it is next.
func (r *reader) take(c byte) bool {
	r.space()
	if len(r.b) == 0 || r.b[0] != c {
		return false
	}
	r.b = r.b[1:]
	return true
}

func (r *reader) object() (fields, bool) {
	if r.depth++; r.depth > depthMax || !r.take('{') {
		return nil, false
	}
	defer func() { r.depth-- }()
	f := make(fields)
	if r.take('}') {
		return f, true
	}
	for n := 0; n < fieldsMax; n++ {
		r.space()
		key, ok := r.text()
		if !ok || !r.take(':') {
			return nil, false
		}
		v, useful, ok := r.value()
		if !ok {
			return nil, false
		}
		if delete(f, key); useful {
			f[key] = v
		}
		switch {
		case r.take(','):
		case r.take('}'):
			return f, true
		default:
			return nil, false
		}
	}
	return nil, false
}

// value reads a value. useful says that it is one of those that v can be.
func (r *reader) value() (v value, useful, ok bool) {
	r.space()
	if len(r.b) == 0 {
		return value{}, false, false
	}
	switch c := r.b[0]; c {
	case '"', '\'':
		v.text, ok = r.text()
		return v, true, ok
	case '{':
		_, ok = r.object()
		return value{}, false, ok
	case '[':
		return r.list()
	}
	n := 0
	for n < len(r.b) && (isAlnum(r.b[n]) || strings.IndexByte("+-.", r.b[n]) >= 0) {
		n++
	}
	word := string(r.b[:n])
	r.b = r.b[n:]
	if _, err := strconv.ParseFloat(word, 64); err == nil {
		return value{text: word}, true, true
	}
	switch word {
	case "true", "false", "null", "True", "False", "None":
		return value{}, false, true
	}
	return value{}, false, false
}

// list reads a list. It is of use if it is short and has texts and numbers only.
func (r *reader) list() (v value, useful, ok bool) {
	if r.depth++; r.depth > depthMax || !r.take('[') {
		return value{}, false, false
	}
	defer func() { r.depth-- }()
	v.isList = true
	if r.take(']') {
		return v, true, true
	}
	for useful = true; ; {
		e, plain, ok := r.value()
		if !ok {
			return value{}, false, false
		}
		if useful = useful && plain && !e.isList && len(v.list) < ChunksMax; useful {
			v.list = append(v.list, e.text)
		}
		switch {
		case r.take(','):
		case r.take(']'):
			return v, useful, true
		default:
			return value{}, false, false
		}
	}
}

// text reads a text in quotes of either kind.
func (r *reader) text() (string, bool) {
	if len(r.b) == 0 || r.b[0] != '"' && r.b[0] != '\'' {
		return "", false
	}
	quote := r.b[0]
	r.b = r.b[1:]
	var out strings.Builder
	for len(r.b) > 0 {
		c := r.b[0]
		switch {
		case c == quote:
			r.b = r.b[1:]
			return strings.ToValidUTF8(out.String(), string(utf8.RuneError)), true
		case c != '\\':
			out.WriteByte(c)
			r.b = r.b[1:]
		case len(r.b) < 2:
			return "", false
		default:
			r.escape(&out)
		}
	}
	return "", false
}

// escapes are the characters after a backslash that mean another one.
var escapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads a backslash and what it stands for. An unknown one stands for the character behind it.
func (r *reader) escape(out *strings.Builder) {
	c := r.b[1]
	if c == 'u' {
		if u, ok := hex4(r.b[2:]); ok {
			r.b = r.b[6:]
			if utf16.IsSurrogate(u) && len(r.b) >= 2 && r.b[0] == '\\' && r.b[1] == 'u' {
				if low, ok := hex4(r.b[2:]); ok && utf16.DecodeRune(u, low) != utf8.RuneError {
					u = utf16.DecodeRune(u, low)
					r.b = r.b[6:]
				}
			}
			out.WriteRune(u) // Half a pair becomes U+FFFD.
			return
		}
	}
	if as, ok := escapes[c]; ok {
		c = as
	}
	out.WriteByte(c)
	r.b = r.b[2:]
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	u, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(u), err == nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
