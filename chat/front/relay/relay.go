package relay

import (
	"bytes"
	"context"
	"sync"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A Front is the relay protocol. Its methods are safe for concurrent use.
type Front struct {
	cfg   Config // Constant after New.
	casts casts

	mu    sync.Mutex
	users map[string]*user // By name: who is registered, or has begun to. Guarded by mu.
}

var _ front.Front = (*Front)(nil)

// New returns a Front.
func New(cfg Config) *Front {
	return &Front{cfg: cfg.withDefaults(), users: make(map[string]*user)}
}

// Name returns "relay".
func (f *Front) Name() string { return "relay" }

// Match reports whether a session that begins with prefix speaks this protocol. Empty lines before the first message do
// not count (PROTOCOL.md 2.1).
func (f *Front) Match(prefix []byte) front.Match {
	return front.MatchWords(bytes.TrimLeft(prefix, " \t\r\n"), "REGISTER TO")
}

// Serve speaks the protocol on s, one of the two sessions of a user or its only one, until the client closes it, the
// user's other session or ctx ends, or the client cannot be understood. It returns why, never nil. The caller closes s.
func (f *Front) Serve(ctx context.Context, s *session.Session, h *chat.Hub) (err error) {
	c := newConn(f, s, h)
	err = errPanicked // Unless Run returns. The caller handles the panic; nobody may stay registered because of it.
	defer func() { c.close(ctx, err) }()
	return c.loop.Run(ctx)
}
