package relay

import "bytes"

// A parser cuts a stream into messages: a head, which ends at an empty line, and for some a text of a length that the
// head says (PROTOCOL.md 2). Both decoders are one. The zero value is ready.
type parser struct {
	buf []byte // Bytes not yet used begin at off.
	off int

	scanned int // In buf[off:off+scanned] is no end of a head; a line begins there.

	mode counting // How the peer counts texts.
	lead guess    // Whether it counts the space with which texts begin; maybe: it has sent nothing in which it matters.

	end      end  // How the last head ended.
	spaced   bool // The peer ends heads by a line with a space in it (PROTOCOL.md 2.1).
	flushing bool // Flush was called: silence ends what is held.
	ended    bool // The peer has ended a head properly, so from now on a pause is only a pause (PROTOCOL.md 2.3).
	broken   bool // The stream was given up: nothing more is read.
}

// feed adds bytes of the stream, which it copies.
func (p *parser) feed(b []byte) {
	if p.broken {
		return
	}
	if p.off > 0 {
		p.buf = append(p.buf[:0], p.buf[p.off:]...)
		p.off = 0
	}
	p.buf = append(p.buf, b...)
}

// nextHead returns the lines of the next head, without the spaces around them and without empty ones. They are valid
// until the next call of feed.
func (p *parser) nextHead() (lines [][]byte, ok bool, err error) {
	if p.broken {
		return nil, false, nil
	}
	p.skipEmpty()
	rest := p.buf[p.off:]
	for {
		i := bytes.IndexByte(rest[p.scanned:], '\n')
		if i < 0 && len(rest) > headBytesMax || p.scanned+i+1 > headBytesMax {
			p.breakOff()
			return nil, false, tooLong(rest)
		}
		if i < 0 {
			break
		}
		line := rest[p.scanned : p.scanned+i]
		if len(trim(line)) > 0 {
			p.scanned += i + 1
			continue
		}
		head := rest[:p.scanned]
		p.end = endOf(head, line)
		p.ended = true
		p.advance(p.scanned + i + 1)
		return split(head), true, nil
	}
	if !p.flushing {
		return nil, false, nil
	}
	p.flushing = false
	if !p.pendingHead() {
		return nil, false, nil
	}
	end := bytes.IndexByte(rest, '\n') + 1 // The next line may be another message without its end.
	if end == 0 {
		end = len(rest)
	}
	p.advance(end)
	p.end = plain
	return split(rest[:end]), true, nil
}

// An end is how a head ends (PROTOCOL.md 2.1).
type end uint8

const (
	plain  end = iota // Newline, newline.
	spaced            // Newline, space, newline.
	wide              // Space, newline, space, newline.
)

// endOf returns how a head ends, of which the lines and the empty line behind them are given.
func endOf(head, empty []byte) end {
	switch {
	case bytes.IndexByte(empty, ' ') < 0:
		return plain
	case bytes.HasSuffix(bytes.TrimRight(head, "\r\n"), []byte{' '}):
		return wide
	}
	return spaced
}

// skipEmpty moves past empty lines before a head: a client may send a newline too many after a text. A space at the
// beginning of a line that has not ended may be one of those lines. It also moves past the rest of a buffer that a client
// has sent whole, with its text at the beginning: NULs, and what stands between them (PROTOCOL.md 2.1).
func (p *parser) skipEmpty() {
	for p.scanned == 0 {
		rest := p.buf[p.off:]
		if n := len(rest) - len(bytes.TrimLeft(rest, "\x00")); n > 0 {
			p.advance(n)
			continue
		}
		line, _, ended := bytes.Cut(rest[:min(len(rest), headBytesMax)], []byte{'\n'})
		if i := bytes.LastIndexByte(bytes.TrimRight(line, "\x00"), 0); i >= 0 {
			p.advance(i + 1)
			continue
		}
		if !ended || len(trim(line)) > 0 {
			return
		}
		p.advance(len(line) + 1)
	}
}

// advance moves past n bytes.
func (p *parser) advance(n int) {
	p.off += n
	p.scanned = 0
	if p.off == len(p.buf) {
		p.buf, p.off = p.buf[:0], 0
		if cap(p.buf) > bufferKeptBytes {
			p.buf = nil // What was returned of it stays valid all the same.
		}
	}
}

// breakOff gives up the stream: nobody knows where the next message begins.
func (p *parser) breakOff() {
	p.broken = true
	p.buf, p.off, p.scanned = nil, 0, 0
}

// pendingHead reports whether silence may end the head that is held: it is there but for its end, and nothing else could
// follow but that.
func (p *parser) pendingHead() bool {
	if p.ended || p.broken {
		return false
	}
	line, _, _ := bytes.Cut(p.buf[p.off:], []byte{'\n'})
	word, rest, _ := bytes.Cut(trim(line), []byte{' '})
	switch string(word) {
	case "REGISTER":
		_, name, _ := bytes.Cut(rest, []byte{' '})
		return len(trim(name)) > 0
	case "RECEIVED", "RECIEVED", "ERROR":
		return len(trim(rest)) > 0
	}
	return false
}

// split returns the lines of a head.
func split(head []byte) [][]byte {
	var lines [][]byte
	for line := range bytes.SplitSeq(head, []byte{'\n'}) {
		if line = trim(line); len(line) > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// trim returns a line or value without the blanks around it.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\x00") }
