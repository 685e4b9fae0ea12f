package im

import (
	"bytes"
	"context"
	"sync"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A Front is the instant messaging protocol. Its methods are safe for concurrent use.
type Front struct {
	cfg   Config // Constant after New.
	files files

	mu      sync.Mutex
	members map[string]*member // Who is logged in by this protocol, by canonical name. Guarded by mu.
}

var _ front.Front = (*Front)(nil)

// New returns a front-end.
func New(cfg Config) *Front {
	return &Front{cfg: cfg.withDefaults(), members: make(map[string]*member), files: newFiles()}
}

// Name implements front.Front.
func (f *Front) Name() string { return "im" }

// Match implements front.Front: a session begins with a log-in or a registration.
func (f *Front) Match(prefix []byte) front.Match {
	return front.MatchWords(bytes.TrimLeft(prefix, "\r\n"), "[login]", "[register]")
}

// Serve speaks the protocol on s until the client leaves, is silent for too long or may not log in, or ctx ends. It returns
// why, never nil. The caller closes s.
func (f *Front) Serve(ctx context.Context, s *session.Session, h *chat.Hub) (err error) {
	c := newConn(f, s, h)
	err = errPanicked // Unless Run returns. The caller handles the panic; nobody may stay logged in because of it.
	defer func() { c.close(ctx, err) }()
	return c.loop.Run(ctx)
}

// enter notes that somebody is logged in; false if that account is so already.
func (f *Front) enter(m *member) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members[m.account.Name] != nil {
		return false
	}
	f.members[m.account.Name] = m
	return true
}

// leave undoes enter.
func (f *Front) leave(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, m.account.Name)
}

// member returns who is logged in with an account, or nil.
func (f *Front) member(name string) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members[name]
}
