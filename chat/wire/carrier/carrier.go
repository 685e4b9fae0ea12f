// Package carrier is what a program that carries other programs' connections over a reliable one says to a server: the
// first line of each of its sessions, and the answer to it. Whatever follows is not its business.
//
//	UCP1 hold          this connection carries others on its streams: keep it, though nothing is said on it
//	UCP1 hold NAME     the same, and they are for the target NAME
//	UCP1 to NAME       join this stream to the target NAME
//
// The answer is "ok", or "no" and why in words. Lines end with a newline and have at most 256 bytes. A stream without such
// a line is a session with the server itself.
//
// Functions are pure and safe for concurrent use.
package carrier

import (
	"bytes"
	"errors"
	"strings"
)

// Prefix begins every request.
const Prefix = "UCP1 "

// Ping may be said on a connection that is held, to see by the layer below whether the server is there. It is not answered.
const Ping = "\n"

const (
	// LineBytesMax is the longest line, its end included. A longer one is no line of ours.
	LineBytesMax = 256

	// NameBytesMax is the longest name of a target.
	NameBytesMax = 32
)

// ErrSyntax is what is no line of ours.
var ErrSyntax = errors.New("carrier: want UCP1 hold, UCP1 hold NAME or UCP1 to NAME, and an answer ok or no")

// A Request is the first line of a session.
type Request struct {
	Connect bool   // to; otherwise hold
	Target  string // empty: the server itself, only with hold
}

// Append appends the request as a line. The target must be valid.
func (r Request) Append(b []byte) []byte {
	b = append(b, Prefix...)
	if r.Connect {
		b = append(b, "to"...)
	} else {
		b = append(b, "hold"...)
	}
	if r.Target != "" {
		b = append(append(b, ' '), r.Target...)
	}
	return append(b, '\n')
}

// ParseRequest reads a request and returns how many bytes it had, 0 if more are needed. What does not begin one is
// ErrSyntax.
func ParseRequest(b []byte) (r Request, n int, err error) {
	line, n, err := cutLine(b)
	if n == 0 || err != nil {
		return r, 0, err
	}
	rest, ok := strings.CutPrefix(line, Prefix)
	if !ok {
		return r, 0, ErrSyntax
	}
	verb, target, named := strings.Cut(rest, " ")
	r = Request{Connect: verb == "to", Target: target}
	switch {
	case verb != "hold" && verb != "to", named != ValidName(target), r.Connect && !named:
		return Request{}, 0, ErrSyntax
	}
	return r, n, nil
}

// An Answer says whether a request is granted.
type Answer struct {
	OK   bool
	Text string // why not, for people; from a server, so escape it
}

// Append appends the answer as a line. Line breaks in the text become spaces, and it is cut to what fits.
func (a Answer) Append(b []byte) []byte {
	if a.OK {
		return append(b, "ok\n"...)
	}
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, a.Text)
	if room := LineBytesMax - len("no \n"); len(text) > room {
		text = strings.ToValidUTF8(text[:room], "")
	}
	b = append(append(b, "no "...), text...)
	return append(b, '\n')
}

// ParseAnswer is ParseRequest for an answer.
func ParseAnswer(b []byte) (a Answer, n int, err error) {
	line, n, err := cutLine(b)
	if n == 0 || err != nil {
		return a, 0, err
	}
	if line == "ok" {
		return Answer{OK: true}, n, nil
	}
	text, ok := strings.CutPrefix(line, "no ")
	if !ok {
		return a, 0, ErrSyntax
	}
	return Answer{Text: text}, n, nil
}

// cutLine returns the first line without its end, and its length with it; 0: it is not all there.
func cutLine(b []byte) (line string, n int, err error) {
	i := bytes.IndexByte(b[:min(len(b), LineBytesMax)], '\n')
	switch {
	case i >= 0:
		return string(b[:i]), i + 1, nil
	case len(b) >= LineBytesMax:
		return "", 0, ErrSyntax
	}
	return "", 0, nil
}

// ValidName reports whether a target may have this name: 1 to 32 lower-case letters, digits and hyphens.
func ValidName(name string) bool {
	if name == "" || len(name) > NameBytesMax {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) < 0
}
