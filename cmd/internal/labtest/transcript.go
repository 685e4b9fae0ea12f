package labtest

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Directions of an entry.
const (
	sent     = "sent"
	received = "received"
	noted    = "note" // Nothing on the wire: a socket opened or closed.
)

// An Entry is one thing that happened on one socket.
type Entry struct {
	AtMS      float64 `json:"at_ms"` // Since the run began.
	Socket    string  `json:"socket"`
	Direction string  `json:"direction"`
	Text      string  `json:"text"`            // The bytes, escaped; possibly only the first ones.
	Bytes     int     `json:"bytes,omitempty"` // How many there were.
}

// String is the entry on one line.
func (e Entry) String() string {
	arrow := map[string]string{sent: "→", received: "←", noted: "·"}[e.Direction]
	text := e.Text
	if e.Direction != noted {
		text = `"` + text + `"`
	}
	return fmt.Sprintf("%9.1f ms  %-10s %s %s", e.AtMS, e.Socket, arrow, text)
}

// A transcript keeps what passes on all sockets of one rule. Safe for concurrent use.
type transcript struct {
	began time.Time // Of the run; constant.

	mu       sync.Mutex
	entries  []Entry // guarded by mu
	bytes    int     // guarded by mu; kept in entries
	missing  int     // guarded by mu; entries beyond the limit
	lastSent string  // guarded by mu; the last message of ours, escaped
}

// add appends an entry and returns its time since the run began.
func (t *transcript) add(socket, direction string, b []byte) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := time.Since(t.began)
	if direction == sent {
		t.lastSent = socket + `: "` + escapeSome(b, entryBytesMax) + `"`
	}
	if len(t.entries) >= entriesMax || t.bytes >= transcriptBytesMax {
		t.missing++
		return at
	}
	e := Entry{AtMS: milliseconds(at), Socket: socket, Direction: direction, Text: escapeSome(b, entryBytesMax)}
	if direction != noted {
		e.Bytes = len(b)
	} else {
		e.Text = string(b)
	}
	t.bytes += len(e.Text)
	t.entries = append(t.entries, e)
	return at
}

func (t *transcript) note(socket, format string, args ...any) {
	t.add(socket, noted, fmt.Appendf(nil, format, args...))
}

// all returns the entries; the caller must not change them.
func (t *transcript) all() []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries := t.entries
	if t.missing > 0 {
		entries = append(entries[:len(entries):len(entries)],
			Entry{AtMS: milliseconds(time.Since(t.began)), Direction: noted, Text: fmt.Sprintf("… and %d more, not kept", t.missing)})
	}
	return entries
}

// last is the last message we sent, with its socket.
func (t *transcript) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lastSent
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}

// escapeSome escapes the first n bytes of b and says how many more there are.
func escapeSome(b []byte, n int) string {
	if len(b) <= n {
		return escape(string(b))
	}
	return fmt.Sprintf("%s… (%d bytes more)", escape(string(b[:n])), len(b)-n)
}

// escape makes bytes of strangers harmless and unambiguous on one line: line ends, controls, invisible signs and what
// is no UTF-8 are shown as in Go's string literals.
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\\':
			b.WriteString(`\\`)
		case r == '"':
			b.WriteString(`\"`)
		case r < 0x80 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}
