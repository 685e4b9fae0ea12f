package lab

import (
	"bytes"
	"context"
	"net/netip"
	"strconv"
	"sync"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A Front is the lab protocol. Its methods are safe for concurrent use.
type Front struct {
	cfg Config // Constant after New.

	mu        sync.Mutex
	members   map[*chat.User]*member  // Everybody who joined by this protocol. Guarded by mu.
	callbacks map[callbackKey]*member // Those who have a callback connection. Guarded by mu.
}

// A callbackKey is how DISCONNECT names a client that listens for callbacks (PROTOCOL.md 8).
type callbackKey struct {
	addr netip.AddrPort
	name string
}

var _ front.Front = (*Front)(nil)

// New returns a Front.
func New(cfg Config) *Front {
	return &Front{
		cfg:       cfg.withDefaults(),
		members:   make(map[*chat.User]*member),
		callbacks: make(map[callbackKey]*member),
	}
}

// Name returns "lab".
func (f *Front) Name() string { return "lab" }

// Match reports whether a session that begins with prefix speaks the lab protocol. Empty lines before the first
// message do not count (PROTOCOL.md 2.1).
func (f *Front) Match(prefix []byte) front.Match {
	return front.MatchWords(bytes.TrimLeft(prefix, " \t\r\n"),
		"HELO", "JOIN", "LEAVE", "CHAT:", "DISCONNECT", "KILL_SERVICE")
}

// Serve speaks the protocol on s until the client disconnects, the connection or ctx ends, or the client cannot be
// understood. It returns why, never nil. The caller closes s. When the connection is lost while clients live on over
// callback connections, Serve closes s itself and returns when the last of them has gone.
func (f *Front) Serve(ctx context.Context, s *session.Session, h *chat.Hub) (err error) {
	p := newPeer(f, h, s)
	err = errPanicked // Unless serve returns. The caller handles the panic; nobody may stay in a room because of it.
	defer func() { p.close(ctx, err) }()
	return p.serve(ctx, p.first)
}

// remember makes m known by its JOIN_ID and, if it has one, its callback address.
func (f *Front) remember(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[m.user] = m
	if m.link.callback {
		f.callbacks[callbackKey{m.link.addr, m.name}] = m
	}
}

// forget undoes remember.
func (f *Front) forget(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, m.user)
	if key := (callbackKey{m.link.addr, m.name}); f.callbacks[key] == m {
		delete(f.callbacks, key)
	}
}

// byJoinID returns the member with that JOIN_ID, as it was sent, or nil. Users of other protocols are not found.
func (f *Front) byJoinID(h *chat.Hub, id string) *member {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return nil // Ids are opaque: this one is nobody's (PROTOCOL.md 4).
	}
	u, ok := h.User(chat.JoinID(n))
	if !ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members[u]
}

// byCallback returns the member of that name that is called back at addr, or nil.
func (f *Front) byCallback(addr netip.AddrPort, name string) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.callbacks[callbackKey{addr, name}]
}

// address returns what HELO and JOINED show as the server's address on l.
func (f *Front) address(l *link) (ip, port string) {
	local := l.session.LocalAddr()
	ip = f.cfg.Advertise
	if ip == "" && local.IsValid() {
		ip = local.Addr().WithZone("").String() // The zone is our own name for a network.
	}
	return ip, strconv.Itoa(int(local.Port()))
}
