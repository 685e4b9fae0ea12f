package hashchat

import "bytes"

// closeWord is a line that needs no end: nothing that could follow changes what it means (PROTOCOL.md 2.2).
const closeWord = "CLOSE#"

// lines cuts a stream into lines. The zero value is ready.
type lines struct {
	buf     []byte // Bytes not yet cut begin at off.
	off     int
	scanned int  // buf[off:scanned] is known to hold no newline.
	drop    bool // The rest of the current line is to be thrown away.

	flushing bool // Flush was called: silence ends what is held.
	ended    bool // The peer has ended a line properly, so from now on a pause is only a pause (PROTOCOL.md 2.2).
}

// feed adds bytes of the stream, which it copies.
func (l *lines) feed(b []byte) {
	if l.drop {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return
		}
		l.drop = false
		b = b[i+1:]
	}
	if l.off > 0 {
		l.buf = append(l.buf[:0], l.buf[l.off:]...)
		l.scanned -= l.off
		l.off = 0
	}
	l.buf = append(l.buf, b...)
}

// next returns the next line that is not empty, without its end. The line is valid until the next call of feed.
func (l *lines) next() (line []byte, ok bool, err error) {
	for {
		rest := l.buf[l.off:]
		i := bytes.IndexByte(l.buf[l.scanned:], '\n')
		switch {
		case bytes.HasPrefix(rest, []byte(closeWord)):
			l.skip(i)
			return rest[:len(closeWord)], true, nil
		case i < 0 && len(rest) > LineBytesMax, i >= 0 && l.scanned+i-l.off > LineBytesMax:
			err := tooLong(rest)
			l.skip(i)
			return nil, false, err
		case i < 0:
			return l.silence(rest)
		}
		line := trim(l.buf[l.off : l.scanned+i])
		l.skip(i)
		if len(line) > 0 {
			l.ended = true
			return line, true, nil
		}
	}
}

// skip moves past the current line, which ends at scanned+i, or has not ended if i is negative.
func (l *lines) skip(i int) {
	if i < 0 {
		l.drop = true
		l.empty()
		return
	}
	l.off = l.scanned + i + 1
	l.scanned = l.off
}

// silence is next where rest has no end: after a flush it is a line.
func (l *lines) silence(rest []byte) ([]byte, bool, error) {
	l.scanned = len(l.buf)
	flush := l.flushing && l.pending()
	l.flushing = false
	if !flush {
		if len(rest) == 0 {
			l.empty()
		}
		return nil, false, nil
	}
	line := trim(rest)
	l.empty()
	return line, true, nil
}

// empty forgets what is in the buffer. What was returned of it stays valid until the next feed.
func (l *lines) empty() {
	l.buf, l.off, l.scanned = l.buf[:0], 0, 0
	if cap(l.buf) > bufferKeptBytes {
		l.buf = nil
	}
}

// pending reports whether silence may end the line that is held.
func (l *lines) pending() bool {
	line := trim(l.buf[l.off:])
	return !l.ended && len(line) > 0 && !isBeginning(line)
}

// isBeginning reports whether a line is only the beginning of a request, and nothing without the rest: that comes, however slow
// the peer is.
func isBeginning(line []byte) bool {
	for _, word := range []string{"CONNECT#", "SEND#", "CLOSE"} {
		if len(line) < len(word) && string(line) == word[:len(line)] {
			return true
		}
	}
	rest, isSend := bytes.CutPrefix(line, []byte("SEND#"))
	return string(line) == "CONNECT#" || isSend && bytes.IndexByte(rest, '#') < 0
}

// trim returns a line or the last value of one without the carriage returns at its end.
func trim(b []byte) []byte { return bytes.TrimRight(b, "\r") }
