package lab

import "fmt"

// This file assembles messages line by line; parser.go cuts the lines.

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
	bare := trimValue(line)
	if len(bare) == 0 {
		return false // Empty lines between messages mean nothing (PROTOCOL.md 2.1).
	}
	for _, f := range p.forms {
		if f.match(line, bare) {
			value := f.value(line)
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
	bare := trimValue(line)
	for _, f := range p.forms {
		if f.match(line, bare) {
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
