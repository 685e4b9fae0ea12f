package im

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"udpchat/chat"
	wire "udpchat/chat/wire/im"
)

// What servers of a cluster say to each other for users of this protocol who are logged in at different ones.
type letterKind string

const (
	letterHere    letterKind = "here"    // Is that account logged in by this protocol? Taking it is the answer.
	letterInvite  letterKind = "invite"  // Somebody asks for a private connection.
	letterAccept  letterKind = "accept"  // Whoever was asked listens there.
	letterDecline letterKind = "decline" // Whoever was asked does not want to.
)

// A letter is one of these, as the text of a chat.Note.
type letter struct {
	Kind letterKind `json:"kind"`
	Show string     `json:"show,omitempty"` // The sender's name as it is shown.
	File string     `json:"file,omitempty"` // letterInvite: what for; empty: to talk.
	IP   string     `json:"ip,omitempty"`   // letterAccept, like the next two: where the sender says it listens,
	Port int        `json:"port,omitempty"`
	Seen string     `json:"seen,omitempty"` // and at which address its server sees it.
}

// letterHead is what all of them begin with.
const letterHead = "im "

// deliver gives a letter of an account to another one, or to the same one elsewhere, and returns what became of it:
// chat.ErrNotTaken if nobody is logged in with that account by this protocol, or nothing was heard for letterWait.
func deliver(ctx context.Context, h *chat.Hub, from, to string, l letter) error {
	b, err := json.Marshal(l)
	if err != nil {
		panic("BUG: im: a letter cannot be written down: " + err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, letterWait)
	defer cancel()
	err = h.Note(to, chat.Note{From: from, Text: letterHead + string(b)}).Wait(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return chat.ErrNotTaken
	}
	return err
}

// Note implements chat.Correspondent.
func (m *member) Note(n chat.Note) error {
	var l letter
	text, ok := strings.CutPrefix(n.Text, letterHead)
	if !ok || json.Unmarshal([]byte(text), &l) != nil {
		return chat.ErrNotTaken
	}
	switch l.Kind {
	case letterHere:
	case letterInvite:
		if l.File != "" && !m.hasFile(l.File) {
			return chat.ErrNotUnderstood
		}
		m.invite(n.From, l.Show, l.File)
	case letterAccept:
		m.connect(wire.Accept{IP: l.IP, Port: l.Port}, l.Show, address(l.Seen))
	case letterDecline:
		m.declined(l.Show)
	default:
		return chat.ErrNotTaken
	}
	return nil
}
