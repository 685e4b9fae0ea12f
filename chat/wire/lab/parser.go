package lab

import "bytes"

// A parser cuts a byte stream into messages by their keys (PROTOCOL.md 2). Both decoders are one with a table of
// forms. Bytes go through three stages: feed keeps them, line cuts lines, and take (assemble.go) makes messages of
// lines, so that the result cannot depend on where the stream was cut.
type parser struct {
	forms []*form

	buf      []byte // Bytes not yet cut into lines begin at off.
	off      int
	scanned  int  // buf[off:scanned] is known to hold no newline.
	tail     tail // What is known of buf[off:] if it is no whole line.
	dropLine bool // The rest of the current line is to be thrown away: it was too long.

	state state
	msg   message // Being assembled; valid in stateFields and stateText.

	flushing bool // Flush was called: silence ends what is complete.

	// What the peer has shown: that it ends the lines of its messages, and its texts by an empty line. From
	// then on silence ends nothing of that kind, because a pause is then only a pause (PROTOCOL.md 2.3).
	endsLines, endsTexts bool
}

// A state says what the next line may be.
type state uint8

const (
	// stateIdle: between messages; the line is a first line, empty or unknown.
	stateIdle state = iota
	// stateFields: some fields of msg are missing.
	stateFields
	// stateText: all fields of msg are there, and its text goes on until an empty line.
	stateText
	// stateSkipFields: a message was given up; its remaining fields are thrown away, so that one bad message
	// is one error. Ends at anything that is no field.
	stateSkipFields
	// stateSkipText: the same inside a text; ends at an empty line.
	stateSkipText
)

// A message is a form with values.
type message struct {
	form  *form
	have  int // Bit mask of the fields that are set.
	head  string
	vals  [fieldsMax]string
	text  []byte // The text field.
	bytes int    // Size of all values but the text, against headBytesMax.
}

// feed adds bytes of the stream, which it copies.
func (p *parser) feed(b []byte) {
	if p.dropLine {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return
		}
		p.dropLine = false
		b = b[i+1:]
	}
	if p.off > 0 {
		p.buf = append(p.buf[:0], p.buf[p.off:]...)
		p.scanned -= p.off
		p.off = 0
	}
	p.buf = append(p.buf, b...)
}

// line returns the next line without its newline and moves past it. ok is false when none is whole.
func (p *parser) line() (line []byte, ok bool) {
	i := bytes.IndexByte(p.buf[p.scanned:], '\n')
	if i < 0 {
		p.scanned = len(p.buf)
		return nil, false
	}
	end := p.scanned + i
	line = p.buf[p.off:end]
	p.off, p.scanned, p.tail = end+1, end+1, tail{}
	return line, true
}

// rest returns what follows the last whole line, without moving.
func (p *parser) rest() []byte { return p.buf[p.off:] }

// empty throws away what is left in the buffer.
func (p *parser) empty() {
	p.buf, p.off, p.scanned, p.tail = p.buf[:0], 0, 0, tail{}
	if cap(p.buf) > bufferKeptBytes {
		p.buf = nil
	}
}

// next returns the next message, or one malformed message as an error, or neither when more bytes are needed.
func (p *parser) next() (message, bool, error) {
	for {
		before := p.off
		line, ok := p.line()
		switch {
		case !ok && len(p.rest()) > LineBytesMax:
			err := p.giveUpLine(p.rest())
			p.dropLine = true
			p.empty()
			return message{}, false, err
		case !ok:
			return p.silence()
		case len(line) > LineBytesMax:
			return message{}, false, p.giveUpLine(line)
		}
		done, again, err := p.take(bytes.TrimRight(line, "\r"))
		if again {
			p.off, p.scanned = before, before
		}
		if err != nil {
			return message{}, false, err
		}
		if done {
			p.endsLines = p.endsLines || p.msg.form != unknownForm
			p.endsTexts = p.endsTexts || p.msg.form.text
			return p.finish(), true, nil
		}
	}
}

// silence handles the end of the buffered lines: after Flush it completes what can be completed.
func (p *parser) silence() (message, bool, error) {
	if !p.flushing || !p.pending() {
		p.flushing = false
		if len(p.rest()) == 0 {
			p.empty()
		}
		return message{}, false, nil
	}
	p.flushing = false
	p.dropLine = false
	line, _ := p.tailLine()
	switch p.state {
	case stateSkipText:
		line = nil // The last line of what is skipped.
		p.state = stateIdle
	case stateSkipFields:
		p.state = stateIdle // A pending line is no field.
	}
	if len(line) > 0 {
		_, again, err := p.take(line)
		if again {
			panic("BUG: lab: a pending line was not taken")
		}
		if err != nil {
			p.empty()
			return message{}, false, err
		}
	}
	p.empty()
	if p.msg.form == nil {
		return message{}, false, nil // Silence ended only what was being skipped.
	}
	return p.finish(), true, nil
}

// pending reports whether silence may end what is held (PROTOCOL.md 2.3). It is meant for when next has nothing. It is
// asked after every read, however little that brought, so its cost must not grow with what is held.
func (p *parser) pending() bool {
	line, bare := p.tailLine()
	if len(line) > 0 && p.endsLines {
		return false
	}
	switch p.state {
	case stateText, stateSkipText:
		return !p.endsTexts
	case stateFields:
		i, value := p.msg.form.field(line)
		return i >= 0 && p.msg.have&(1<<i) == 0 && p.tail.end > len(line)-len(value) &&
			p.msg.form.complete(p.msg.have|1<<i)
	case stateIdle, stateSkipFields:
		return p.dropLine && !p.endsLines || p.pendingHead(line, bare)
	}
	panic("BUG: lab: no such state")
}

// pendingHead reports whether line, not ended, can be a whole message in itself. bare is the line without the blanks
// around it.
func (p *parser) pendingHead(line, bare []byte) bool {
	if len(bare) == 0 {
		return false
	}
	if p.state == stateSkipFields && p.isField(line) >= 0 {
		return false
	}
	for _, f := range p.forms {
		if f.match(line, bare) {
			return f.complete(0)
		}
		if f.couldBegin(line) {
			return false
		}
	}
	return true
}
