package lab

import (
	"slices"
	"strconv"
	"sync"

	"udpchat/chat"
	wire "udpchat/chat/wire/lab"
)

// A member is one client of a peer: a name and the link where its events go. It is the core's Receiver for it.
type member struct {
	front *Front
	peer  *peer
	link  *link
	name  string
	user  *chat.User // Set before the first Join, constant after.

	mu     sync.Mutex
	leaves map[chat.RoomRef][]*leave // LEAVEs whose LEFT is still to come. Guarded by mu.
}

// A leave is a LEAVE on its way through the core; its LEFT is sent when the member's own KindLeft comes back, so that
// it stands where it belongs among the room's events (PROTOCOL.md 5.2).
type leave struct {
	left []byte
	to   *link
}

var _ chat.Receiver = (*member)(nil)

// joinID returns the member's JOIN_ID as text.
func (m *member) joinID() string { return strconv.FormatUint(uint64(m.user.ID()), 10) }

// Receive implements chat.Receiver.
func (m *member) Receive(ev *chat.Event) {
	own := m.user.Owns(ev)
	switch {
	case ev.Kind > chat.KindSaid:
		return // The protocol has no word for it.
	case ev.Kind == chat.KindLeft && ev.Reason == chat.ReasonShutdown:
		return // ERROR 11 has told everybody; a notice from each to each would only delay the end.
	case own && ev.Kind == chat.KindJoined:
		m.link.reply(m.joined(ev))
	case own && ev.Kind == chat.KindLeft && ev.Reason == chat.ReasonLeft:
		m.answerLeaves(ev.Room)
		if m.front.cfg.Strict {
			return // "no further CHAT messages to the client in respect of the chat room left" (PROTOCOL.md 7.2).
		}
	}
	if !m.link.first(ev) {
		return
	}
	b := ev.Encoded("lab", encode)
	if own {
		m.link.reply(b) // On plain datagrams this is how the client sees that its request arrived.
		return
	}
	m.link.push(b)
}

// joined returns JOINED with the address of the connection on which it leaves.
func (m *member) joined(ev *chat.Event) []byte {
	ip, port := m.front.address(m.link)
	return wire.AppendJoined(nil, wire.Joined{
		Room:     ev.RoomName,
		ServerIP: ip,
		Port:     port,
		RoomRef:  refText(ev.Room),
		JoinID:   m.joinID(),
	})
}

// expectLeave notes that a LEAVE of that room is under way.
func (m *member) expectLeave(ref chat.RoomRef, l *leave) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaves == nil {
		m.leaves = make(map[chat.RoomRef][]*leave)
	}
	m.leaves[ref] = append(m.leaves[ref], l)
}

// forgetLeave takes the note back and reports whether LEFT is still to be sent.
func (m *member) forgetLeave(ref chat.RoomRef, l *leave) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.Index(m.leaves[ref], l)
	if i < 0 {
		return false
	}
	m.leaves[ref] = slices.Delete(m.leaves[ref], i, i+1)
	if len(m.leaves[ref]) == 0 {
		delete(m.leaves, ref)
	}
	return true
}

// answerLeaves sends LEFT to all who asked for it.
func (m *member) answerLeaves(ref chat.RoomRef) {
	m.mu.Lock()
	leaves := m.leaves[ref]
	delete(m.leaves, ref)
	m.mu.Unlock()
	for _, l := range leaves {
		l.to.reply(l.left)
	}
}

// encode returns an event as CHAT, the same bytes for all members.
func encode(ev *chat.Event) []byte {
	msg := wire.ChatMessage{RoomRef: refText(ev.Room), Name: ev.Name, Text: ev.Text}
	switch ev.Kind {
	case chat.KindJoined:
		msg.Text = ev.Name + " has joined this chatroom."
	case chat.KindLeft:
		msg.Text = ev.Name + " has left this chatroom."
	}
	return wire.AppendChatMessage(nil, msg)
}

func refText(ref chat.RoomRef) string { return strconv.FormatUint(uint64(ref), 10) }
