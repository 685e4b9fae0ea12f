package relay

import (
	"bytes"
	"unicode/utf8"
)

// A counting is what the peer counts in a Content-length (PROTOCOL.md 2.2). Nobody says so; texts show it.
type counting uint8

const (
	unknown    counting = iota // It has sent nothing in which it matters.
	bytesOf                    // Bytes.
	characters                 // Characters.
)

// text returns the text of length n at the beginning of what is held, and moves past it. over says that it is too long to be
// one. It is ok if all of it is there and it is certain where it ends.
func (p *parser) text(n int) (text string, ok, over bool) {
	rest := p.buf[p.off:]
	begin := 0
	if p.lead == no && begins(rest, n) {
		begin = 1
	}
	size := p.size(rest[begin:], n)
	switch {
	case size > TextBytesMax, size < 0 && len(rest) > TextBytesMax+headBytesMax:
		return "", false, true
	case size < 0:
		return "", false, false
	}
	if p.lead == maybe && begins(rest, n) {
		if p.lead = p.leads(rest[size:]); p.lead == maybe {
			return "", false, false
		}
		return p.text(n)
	}
	text = string(rest[begin : begin+size])
	p.advance(begin + size)
	return text, true, false
}

// begins reports whether a text of length n begins with a space, which some programs put there and do not count
// (PROTOCOL.md 2.2).
func begins(rest []byte, n int) bool { return n > 0 && len(rest) > 0 && rest[0] == ' ' }

// leads returns whether the peer counts the space with which a text begins, of which it said that it ends before rest. If
// not, rest is one character and then something else.
func (p *parser) leads(rest []byte) guess {
	flushing := p.flushing
	p.flushing = false
	switch {
	case isNext(rest) == yes:
		return yes
	case !utf8.FullRune(rest): // Also nothing.
		if flushing {
			return yes
		}
		return maybe
	}
	_, size := utf8.DecodeRune(rest)
	switch isNext(rest[size:]) {
	case yes:
		return no
	case no:
		return yes
	}
	if flushing {
		return no
	}
	return maybe
}

// size returns how many bytes of rest are a text of length n, or -1 if there are not enough to tell.
func (p *parser) size(rest []byte, n int) int {
	switch {
	case p.mode == characters:
		return sizeOfCharacters(rest, n)
	case len(rest) < n:
		return -1
	case p.mode == bytesOf || isASCII(rest[:n]):
		return n
	}
	// n bytes that hold fewer than n characters. If they end inside of one, n are not the bytes.
	switch whole, valid := endsWhole(rest[:n]); {
	case !valid:
		return n // Not in UTF-8, so its characters cannot be counted.
	case !whole:
		p.mode = characters
		return sizeOfCharacters(rest, n)
	}
	switch isNext(rest[n:]) {
	case no:
		p.mode = characters
		return sizeOfCharacters(rest, n)
	case yes:
		p.mode = bytesOf
		return n
	}
	if !p.flushing {
		return -1
	}
	p.flushing = false
	p.mode = bytesOf
	return n
}

// pendingText reports whether silence may end a text of length n: its bytes are there, and perhaps not its characters, or one
// too many.
func (p *parser) pendingText(n int) bool {
	rest := p.buf[p.off:]
	return len(rest) >= n && (p.mode == unknown || p.lead == maybe && begins(rest, n))
}

// sizeOfCharacters returns how many bytes the first n characters of b have, or -1 if there are not as many. A byte that
// belongs to none counts as one.
func sizeOfCharacters(b []byte, n int) int {
	at := 0
	for range n {
		if at >= len(b) || !utf8.FullRune(b[at:]) {
			return -1
		}
		_, size := utf8.DecodeRune(b[at:])
		at += size
	}
	return at
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// endsWhole reports whether b is UTF-8, and whether it does not end inside of a character.
func endsWhole(b []byte) (whole, valid bool) {
	for len(b) > 0 {
		if !utf8.FullRune(b) {
			return false, true
		}
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return false, false
		}
		b = b[size:]
	}
	return true, true
}

// A guess is an answer that may need more bytes.
type guess uint8

const (
	maybe guess = iota
	no
	yes
)

// isNext reports whether b, behind a text, begins something else: an empty line, another message, or the NULs in the rest of a
// buffer.
func isNext(b []byte) guess {
	if len(b) == 0 {
		return maybe
	}
	if b[0] == '\n' || b[0] == '\r' || b[0] == 0 {
		return yes
	}
	for _, word := range []string{"SEND ", "RECEIVED ", "RECIEVED ", "REGISTER ", "ERROR "} {
		n := min(len(b), len(word))
		switch {
		case !bytes.Equal(b[:n], []byte(word[:n])):
		case n == len(word):
			return yes
		default:
			return maybe
		}
	}
	return no
}
