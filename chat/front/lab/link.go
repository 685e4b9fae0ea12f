package lab

import (
	"net/netip"
	"sync"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
)

// A link is a session on which members live. If several members of one room do, the room's events go out once
// (PROTOCOL.md 5.7).
type link struct {
	session  *session.Session
	callback bool           // We had the client call back for it. Constant.
	addr     netip.AddrPort // Where, if so. Constant.
	ended    bool           // Its loop has ended: nobody may join on it. Guarded by the peer's mu.

	mu      sync.Mutex
	members int                     // Guarded by mu.
	sent    map[chat.RoomRef]uint64 // Seq of the last event of each room; kept only with several members. Guarded by mu.
}

// plain reports whether every message is a datagram of its own, from an address that may be forged.
func (l *link) plain() bool { return l.session.Transport() == session.TransportPlain }

// udp reports whether clients may ask for a callback here.
func (l *link) udp() bool { return l.plain() || l.session.Transport() == session.TransportUDP }

// remote returns the peer's address.
func (l *link) remote() netip.AddrPort { return l.session.RemoteAddr() }

// reply queues b as the answer to the request last read.
func (l *link) reply(b []byte) {
	// The error says that the session has ended; its reader finds out and ends the members.
	_ = l.session.Reply(b)
}

// push queues b, which nobody asked for here.
func (l *link) push(b []byte) {
	_ = l.session.Enqueue(b) // As above.
}

// wake makes the link's reader return, or fail at once when it reads next.
func (l *link) wake() {
	_ = l.session.SetReadDeadline(time.Unix(1, 0)) // An error says that the session has ended: it is awake.
}

// attach and detach count the members that live here.
func (l *link) attach() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.members++
}

func (l *link) detach() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.members--
	if l.members < 2 {
		l.sent = nil
	}
}

// first reports whether ev is to be sent here, which it is for the first of the link's members that receives it.
// All of them receive it with the room locked, one after the other, and in the order of Seq.
func (l *link) first(ev *chat.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.members < 2 {
		return true
	}
	if ev.Seq <= l.sent[ev.Room] {
		return false
	}
	if l.sent == nil {
		l.sent = make(map[chat.RoomRef]uint64)
	}
	l.sent[ev.Room] = ev.Seq
	return true
}
