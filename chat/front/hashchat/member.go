package hashchat

import (
	"bytes"
	"sync"

	"udpchat/chat"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/hashchat"
)

// A member is one client. It is the core's Hearer for it.
type member struct {
	front   *Front
	session *session.Session
	user    *chat.User   // Set before the first Join, constant after.
	room    chat.RoomRef // Owned by the session's goroutine.

	mu   sync.Mutex
	here bool   // It was sent its first ONLINE: nothing may come before. Guarded by mu.
	left bool   // CLOSE was sent: nothing may follow. Guarded by mu.
	list []byte // The last ONLINE it got; shared by all who got it. Guarded by mu.
}

var _ chat.Hearer = (*member)(nil)

// Receive implements chat.Receiver.
func (m *member) Receive(ev *chat.Event) {
	switch ev.Kind {
	case chat.KindSaid:
		m.push(ev.Encoded("hashchat", encodeSaid))
	case chat.KindJoined, chat.KindLeft, chat.KindCame, chat.KindWent, chat.KindElsewhere:
		own := m.user.Owns(ev)
		switch {
		case own && ev.Kind == chat.KindLeft, ev.Reason == chat.ReasonShutdown:
			return // CLOSE says it.
		case own:
			m.front.remember(m)
		}
		m.front.tell(m, own, ev.Encoded("hashchat", encodeOnline))
	}
}

// Hear implements chat.Hearer.
func (m *member) Hear(w *chat.Whisper) {
	b := wire.AppendMessage(nil, wire.Message{From: w.From, Text: w.Text})
	switch {
	case len(b) == 0: // Cannot be said here (PROTOCOL.md 3.4).
		w.Done(chat.ErrNotTaken)
	default:
		w.Done(m.push(b))
	}
}

// push queues b. It returns why b does not arrive, as far as that is known.
func (m *member) push(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left || !m.here {
		return chat.ErrNotTaken
	}
	return m.session.Enqueue(b)
}

// show queues a list, unless the client has just that: not every change is one of the list.
func (m *member) show(list []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left || bytes.Equal(list, m.list) {
		return
	}
	m.here, m.list = true, list
	_ = m.session.Enqueue(list) // The error says that the session has ended; its reader finds out.
}

// leave queues the last line.
func (m *member) leave(bye []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = true
	_ = m.session.Reply(bye) // An error says that nobody is there to hear it.
}

// encodeSaid returns what somebody said, the same bytes for all members; nil if it cannot be said here.
func encodeSaid(ev *chat.Event) []byte {
	return wire.AppendMessage(nil, wire.Message{From: ev.Name, Text: ev.Text})
}

// encodeOnline returns who is there after ev, the same bytes for all members.
func encodeOnline(ev *chat.Event) []byte {
	return wire.AppendOnline(nil, wire.Online{Names: ev.Present()})
}
