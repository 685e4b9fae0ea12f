package lab

import (
	"bytes"
	"strings"
)

// A form says how one message is laid out: how its first line begins and which lines follow.
type form struct {
	heads    []string // Spellings of the first line's key, colon included; or one word for a word form.
	word     bool     // The first line is a word, alone or (with verbatim) followed by any text.
	verbatim bool     // The first line's value is the whole line as it came.
	fields   []string // Keys of the lines that follow, colon included, in the order we write them.
	optional int      // Bit mask of the fields that may be missing.
	text     bool     // The last field is a text: it must come last and ends at an empty line.
}

// fieldsMax is the largest number of fields any form has.
const fieldsMax = 4

// The messages of a client, and of a server. unknownForm is the form of a line that fits none of them.
var (
	heloForm       = &form{heads: []string{"HELO"}, word: true, verbatim: true}
	killForm       = &form{heads: []string{"KILL_SERVICE"}, word: true}
	joinForm       = &form{heads: []string{"JOIN_CHATROOM:", "JOIN CHATROOM:"}, fields: []string{"CLIENT_IP:", "PORT:", "CLIENT_NAME:"}}
	leaveForm      = &form{heads: []string{"LEAVE_CHATROOM:"}, fields: []string{"JOIN_ID:", "CLIENT_NAME:"}}
	chatForm       = &form{heads: []string{"CHAT:"}, fields: []string{"JOIN_ID:", "CLIENT_NAME:", "MESSAGE:"}, optional: 1 << 0, text: true}
	disconnectForm = &form{heads: []string{"DISCONNECT:"}, fields: []string{"PORT:", "CLIENT_NAME:"}}

	heloReplyForm   = &form{heads: []string{"HELO"}, word: true, verbatim: true, fields: []string{"IP:", "Port:", "StudentID:"}}
	joinedForm      = &form{heads: []string{"JOINED_CHATROOM:"}, fields: []string{"SERVER_IP:", "PORT:", "ROOM_REF:", "JOIN_ID:"}}
	leftForm        = &form{heads: []string{"LEFT_CHATROOM:"}, fields: []string{"JOIN_ID:"}}
	chatMessageForm = &form{heads: []string{"CHAT:"}, fields: []string{"CLIENT_NAME:", "MESSAGE:"}, text: true}
	errorForm       = &form{heads: []string{"ERROR_CODE:"}, fields: []string{"ERROR_DESCRIPTION:"}}

	unknownForm = &form{}

	requestForms = []*form{heloForm, killForm, joinForm, leaveForm, chatForm, disconnectForm}
	replyForms   = []*form{heloReplyForm, joinedForm, leftForm, chatMessageForm, errorForm}
)

// match reports whether line is a first line of this form. bare is the line without the blanks around it. It looks at no
// more of them than the form's key is long.
func (f *form) match(line, bare []byte) bool {
	switch {
	case f.verbatim:
		rest, found := bytes.CutPrefix(line, []byte(f.heads[0]))
		return found && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t')
	case f.word:
		return string(bare) == f.heads[0]
	}
	for _, head := range f.heads {
		if bytes.HasPrefix(line, []byte(head)) {
			return true
		}
	}
	return false
}

// value returns the value of line, which is a first line of this form.
func (f *form) value(line []byte) []byte {
	switch {
	case f.verbatim:
		return line
	case f.word:
		return nil
	}
	_, value, _ := bytes.Cut(line, []byte(":")) // Every head ends with its only colon.
	return trimValue(value)
}

// field returns the index and the bare value of the field that line is, or -1.
func (f *form) field(line []byte) (i int, value []byte) {
	for i, key := range f.fields {
		if value, found := bytes.CutPrefix(line, []byte(key)); found {
			return i, value
		}
	}
	return -1, nil
}

// isText reports whether field i is the text of the message.
func (f *form) isText(i int) bool { return f.text && i == len(f.fields)-1 }

// complete reports whether the fields in the bit mask have are all this form needs.
func (f *form) complete(have int) bool {
	return have|f.optional == 1<<len(f.fields)-1
}

// missing names the needed fields which are not in have: "PORT: or CLIENT_NAME:".
func (f *form) missing(have int) string {
	var keys []string
	for i, key := range f.fields {
		if (have|f.optional)&(1<<i) == 0 {
			keys = append(keys, key)
		}
	}
	return strings.Join(keys, " or ")
}

// couldBegin reports whether more bytes could turn line, which is not ended, into the first line of this form.
func (f *form) couldBegin(line []byte) bool {
	for _, head := range f.heads {
		if len(line) < len(head) && strings.HasPrefix(head, string(line)) {
			return true
		}
	}
	return false
}

// blanks are what may surround a value without belonging to it.
const blanks = " \t\r"

func trimValue(b []byte) []byte { return bytes.Trim(b, blanks) }

// trimText removes the one space that may follow "MESSAGE:"; further spaces are the sender's.
func trimText(b []byte) []byte {
	b, _ = bytes.CutPrefix(b, []byte(" "))
	return b
}
