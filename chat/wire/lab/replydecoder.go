package lab

import (
	"fmt"
	"strconv"
)

// A ReplyDecoder turns the bytes a server sends into replies. The zero value is ready; its methods are those of
// Decoder.
type ReplyDecoder struct{ p parser }

// Feed adds bytes of the stream; see Decoder.Feed.
func (d *ReplyDecoder) Feed(b []byte) {
	d.p.forms = replyForms
	d.p.feed(b)
}

// Next returns the next reply; see Decoder.Next.
func (d *ReplyDecoder) Next() (rep Reply, ok bool, err error) {
	d.p.forms = replyForms
	m, ok, err := d.p.next()
	if err != nil || !ok {
		return nil, false, err
	}
	rep, err = m.reply()
	return rep, err == nil, err
}

// Pending reports whether silence may end what is held; see Decoder.Pending.
func (d *ReplyDecoder) Pending() bool {
	d.p.forms = replyForms
	return d.p.pending()
}

// Flush declares that the pending reply is at its end; see Decoder.Flush.
func (d *ReplyDecoder) Flush() { d.p.flushing = true }

// reply turns the message, of one of replyForms, into its value.
func (m *message) reply() (Reply, error) {
	switch m.form {
	case heloReplyForm:
		return HeloReply{Line: m.head, IP: m.vals[0], Port: m.vals[1], StudentID: m.vals[2]}, nil
	case joinedForm:
		return Joined{Room: m.head, ServerIP: m.vals[0], Port: m.vals[1], RoomRef: m.vals[2], JoinID: m.vals[3]}, nil
	case leftForm:
		return Left{RoomRef: m.head, JoinID: m.vals[0]}, nil
	case chatMessageForm:
		return ChatMessage{RoomRef: m.head, Name: m.vals[0], Text: m.vals[1]}, nil
	case errorForm:
		code, err := strconv.Atoi(m.head)
		if err != nil {
			return nil, syntaxError([]byte("ERROR_CODE: "+m.head), "an integer", false)
		}
		return ErrorReply{Code: Code(code), Description: m.vals[0]}, nil
	case unknownForm:
		return UnknownReply{Line: m.head}, nil
	default:
		panic(fmt.Sprintf("BUG: lab: no reply has the form %v", m.form))
	}
}
