package names

import "fmt"

// A Fault is what is wrong with a name.
type Fault uint8

const (
	// Empty: the name has no bytes.
	Empty Fault = iota + 1
	// TooLong: the name has more bytes than allowed.
	TooLong
	// NotUTF8: the bytes at Offset are not UTF-8.
	NotUTF8
	// Control: the character at Offset is a control character, tab and newline included.
	Control
	// LineBreak: the character at Offset separates lines or paragraphs.
	LineBreak
	// Direction: the character at Offset changes the direction of writing.
	Direction
	// Invisible: the character at Offset cannot be seen where it stands.
	Invisible
	// EdgeSpace: the name begins or ends with a space.
	EdgeSpace
	// OddSpace: the character at Offset is a space other than the ordinary one, U+0020.
	OddSpace
	// LoneMark: the name begins with a mark, which would attach itself to the text before the name.
	LoneMark
	// Unassigned: the character at Offset has no meaning people agree on: it is for private use,
	// or not assigned.
	Unassigned
	// Character: the character at Offset may not stand there in the name of an account.
	Character
	// NotASCII: the character at Offset is not an ASCII one, and accounts have no others here.
	NotASCII
	// MixedScripts: the character at Offset is of another script than those before it.
	MixedScripts
	// Profile: the name breaks a rule of PRECIS (RFC 8264) that the faults above do not name.
	Profile
	// Reserved: the name stands for somebody or something else.
	Reserved
)

// An Error says why a name is not acceptable. Its text never contains the name itself or any part
// of it that is not printable, so it may be shown and logged.
type Error struct {
	Fault  Fault
	Offset int  // Where in the name, in bytes. 0 for Empty; the limit for TooLong.
	Rune   rune // The character at Offset; 0 for Empty, TooLong, NotUTF8, Profile and Reserved.
	Bytes  int  // How long the name is, in bytes.
	Max    int  // How long it may be, in bytes.
}

// Error says in words what is wrong with the name.
func (e *Error) Error() string {
	switch e.Fault {
	case Empty:
		return "name is empty"
	case TooLong:
		return fmt.Sprintf("name has %d bytes, the most is %d", e.Bytes, e.Max)
	case NotUTF8:
		return fmt.Sprintf("name is not valid UTF-8 at byte %d", e.Offset)
	case Control:
		return e.character("is a control character")
	case LineBreak:
		return e.character("breaks the line")
	case Direction:
		return e.character("changes the direction of writing")
	case Invisible:
		return e.character("is invisible there")
	case EdgeSpace:
		return "name begins or ends with a space"
	case OddSpace:
		return e.character("is not the ordinary space")
	case LoneMark:
		return e.character("is a mark with nothing before it")
	case Unassigned:
		return e.character("is private or not assigned")
	case Character:
		return e.character("may not stand there")
	case NotASCII:
		return e.character("is none of A-Z, a-z, 0-9, dot, hyphen and underscore")
	case MixedScripts:
		return e.character("is of another script than the others")
	case Profile:
		return "name mixes directions, or has characters that are only another way to write others"
	case Reserved:
		return "name is reserved"
	}
	return "name is not acceptable"
}

// character returns a sentence about the character at Offset; why is its end.
func (e *Error) character(why string) string {
	return fmt.Sprintf("name has %U at byte %d, which %s", e.Rune, e.Offset, why)
}
