package lab

import (
	"bytes"
	"fmt"
)

// A parser cuts a byte stream into messages by their keys (PROTOCOL.md 2). Both decoders are one with a table of
// forms. Bytes go through three stages: feed keeps them, line cuts lines, and next assembles messages line by
// line, so that the result cannot depend on where the stream was cut.
type parser struct {
	forms []*form

	buf      []byte // Bytes not yet cut into lines begin at off.
	off      int
	scanned  int  // buf[off:scanned] is known to hold no newline.
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
	p.off, p.scanned = end+1, end+1
	return line, true
}

// rest returns what follows the last whole line, without moving.
func (p *parser) rest() []byte { return p.buf[p.off:] }

// empty throws away what is left in the buffer.
func (p *parser) empty() {
	p.buf, p.off, p.scanned = p.buf[:0], 0, 0
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
	line := bytes.TrimRight(p.rest(), "\r")
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

// pending reports whether silence may end what is held (PROTOCOL.md 2.3). It is meant for when next has nothing.
func (p *parser) pending() bool {
	rest := bytes.TrimRight(p.rest(), "\r")
	if len(rest) > 0 && p.endsLines {
		return false
	}
	switch p.state {
	case stateText, stateSkipText:
		return !p.endsTexts
	case stateFields:
		i, value := p.msg.form.field(rest)
		return i >= 0 && p.msg.have&(1<<i) == 0 && len(trimValue(value)) > 0 &&
			p.msg.form.complete(p.msg.have|1<<i)
	case stateIdle, stateSkipFields:
		return p.dropLine && !p.endsLines || p.pendingHead(rest)
	}
	panic("BUG: lab: no such state")
}

// pendingHead reports whether line, not ended, can be a whole message in itself.
func (p *parser) pendingHead(line []byte) bool {
	if len(trimValue(line)) == 0 {
		return false
	}
	if p.state == stateSkipFields && p.isField(line) >= 0 {
		return false
	}
	for _, f := range p.forms {
		if _, ok := f.match(line); ok {
			return f.complete(0)
		}
		if f.couldBegin(line) {
			return false
		}
	}
	return true
}

// take handles one line. done says that msg is complete; again, that the line is the first of another message
// and must be handled once more.
func (p *parser) take(line []byte) (done, again bool, err error) {
	switch p.state {
	case stateIdle:
		return p.takeHead(line), false, nil
	case stateFields:
		return p.takeField(line)
	case stateText:
		if len(line) == 0 {
			return true, false, nil
		}
		return false, false, p.takeText(line)
	case stateSkipFields:
		return p.skipField(line)
	case stateSkipText:
		if len(line) == 0 {
			p.state = stateIdle
		}
		return false, false, nil
	}
	panic("BUG: lab: no such state")
}

// takeHead begins a message; a form without fields is complete with it, and so is an unknown line.
func (p *parser) takeHead(line []byte) (done bool) {
	if len(trimValue(line)) == 0 {
		return false // Empty lines between messages mean nothing (PROTOCOL.md 2.1).
	}
	for _, f := range p.forms {
		if value, ok := f.match(line); ok {
			p.msg = message{form: f, head: string(value), bytes: len(value)}
			p.state = stateFields
			return f.complete(0)
		}
	}
	p.msg = message{form: unknownForm, head: string(line)}
	return true
}

// takeField adds one field to the message.
func (p *parser) takeField(line []byte) (done, again bool, err error) {
	m := &p.msg
	i, value := m.form.field(line)
	switch {
	case len(trimValue(line)) == 0:
		return false, false, nil
	case i < 0 && p.isHead(line):
		return false, true, p.giveUp(stateIdle, line, m.form.missing(m.have), false)
	case i < 0:
		return false, false, p.giveUp(stateSkipFields, line, m.form.missing(m.have), false)
	case m.have&(1<<i) != 0:
		return false, false, p.giveUp(stateSkipFields, line, m.form.missing(m.have)+", not the same line twice", false)
	case m.form.isText(i) && !m.form.complete(m.have|1<<i):
		// The text comes last, because it would swallow any field behind it.
		return false, false, p.giveUp(stateSkipText, line, m.form.missing(m.have|1<<i)+" before it", false)
	}
	m.have |= 1 << i
	if m.form.isText(i) {
		p.state = stateText
		return false, false, p.takeText(trimText(value))
	}
	value = trimValue(value)
	if m.bytes += len(value); m.bytes > headBytesMax {
		return false, false, p.giveUp(stateSkipFields, line, tooLongWant("fields", headBytesMax), true)
	}
	m.vals[i] = string(value)
	return m.form.complete(m.have) && !m.form.text, false, nil
}

// takeText adds one line to the text. Its very first line may be empty.
func (p *parser) takeText(line []byte) error {
	m := &p.msg
	first := m.text == nil
	size := len(m.text) + len(line)
	if !first {
		size++ // For the newline.
	}
	if size > TextBytesMax {
		return p.giveUp(stateSkipText, line, tooLongWant("text", TextBytesMax), true)
	}
	if first {
		m.text = append(make([]byte, 0, len(line)), line...) // Not nil even if empty.
		return nil
	}
	m.text = append(append(m.text, '\n'), line...)
	return nil
}

// skipField handles a line behind a message that was given up.
func (p *parser) skipField(line []byte) (done, again bool, err error) {
	switch i := p.isField(line); {
	case i < 0:
		p.state = stateIdle
		return false, true, nil
	case i == textField:
		p.state = stateSkipText
	}
	return false, false, nil
}

// giveUpLine gives up the message in which a line is too long.
func (p *parser) giveUpLine(line []byte) error {
	next := stateSkipFields
	if p.state == stateText || p.state == stateSkipText || p.isField(line) == textField {
		next = stateSkipText
	}
	if p.state == stateIdle {
		next = stateIdle
	}
	return p.giveUp(next, line, tooLongWant("line", LineBytesMax), true)
}

// giveUp drops the message being assembled and goes to the given state.
func (p *parser) giveUp(next state, line []byte, want string, tooLong bool) error {
	p.msg = message{}
	p.state = next
	return syntaxError(line, want, tooLong)
}

// finish hands out the message and begins anew.
func (p *parser) finish() message {
	m := p.msg
	p.msg = message{}
	p.state = stateIdle
	if m.form.text {
		m.vals[len(m.form.fields)-1] = string(m.text)
	}
	return m
}

func (p *parser) isHead(line []byte) bool {
	for _, f := range p.forms {
		if _, ok := f.match(line); ok {
			return true
		}
	}
	return false
}

// textField is what isField returns for the key of a text.
const textField = fieldsMax

// isField returns -1 if line is no field of any message, and textField if it begins a text.
func (p *parser) isField(line []byte) int {
	for _, f := range p.forms {
		if i, _ := f.field(line); i >= 0 {
			if f.isText(i) {
				return textField
			}
			return i
		}
	}
	return -1
}

func tooLongWant(what string, max int) string {
	return fmt.Sprintf("%s of at most %d bytes", what, max)
}
