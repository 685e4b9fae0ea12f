package lab

// A tail is what is known of the line that has begun and not ended. It grows with the line, so that a line that comes
// byte by byte, with a question about it after each, is looked at once and not each time from its beginning. All are
// counted from there. The zero value is an empty line.
type tail struct {
	seen      int // So much has been looked at.
	line      int // Without the carriage returns at its end it is so long.
	bare, end int // What is between the blanks around it; both are 0 if it has nothing else.
}

// tailLine returns the line that has begun and not ended, without the carriage returns at its end, and bare, which is
// the same without all blanks around it. It is meant for when no line is whole.
func (p *parser) tailLine() (line, bare []byte) {
	rest, t := p.rest(), &p.tail
	for i := t.seen; i < len(rest); i++ {
		switch rest[i] {
		case '\r':
		case ' ', '\t':
			t.line = i + 1
		default:
			if t.end == 0 {
				t.bare = i
			}
			t.line, t.end = i+1, i+1
		}
	}
	t.seen = len(rest)
	return rest[:t.line], rest[t.bare:t.end]
}
