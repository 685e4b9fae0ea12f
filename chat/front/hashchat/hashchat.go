package hashchat

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A Front is the '#' protocol. Its methods are safe for concurrent use.
type Front struct {
	cfg   Config // Constant after New.
	users map[string]bool

	mu      sync.Mutex
	members map[*member]bool // Everybody who is in the room by this protocol. Guarded by mu.
	late    []byte           // The list that a crowd is to be shown soon; nil: none. Guarded by mu.
	counted *byte            // The first one of the list of which crowd is known. Guarded by mu, like the next.
	crowd   bool             // That list is long.
}

var _ front.Front = (*Front)(nil)

// New returns a Front.
func New(cfg Config) *Front {
	cfg = cfg.withDefaults()
	f := &Front{cfg: cfg, members: make(map[*member]bool)}
	if cfg.Numbered && len(cfg.Users) > 0 {
		f.users = make(map[string]bool, len(cfg.Users))
		for name := range slices.Values(cfg.Users) {
			f.users[name] = true
		}
	}
	return f
}

// Name returns "hashchat".
func (f *Front) Name() string { return "hashchat" }

// Match reports whether a session that begins with prefix speaks this protocol. Empty lines before the first line do not
// count (PROTOCOL.md 2.1).
func (f *Front) Match(prefix []byte) front.Match {
	return front.MatchWords(bytes.TrimLeft(prefix, "\r\n"), "CONNECT#")
}

// Serve speaks the protocol on s until the client or the server closes, or the connection or ctx ends. It returns why,
// never nil. The caller closes s.
func (f *Front) Serve(ctx context.Context, s *session.Session, h *chat.Hub) (err error) {
	c := newConn(f, s, h)
	err = errPanicked // Unless Run returns. The caller handles the panic; nobody may stay in the room because of it.
	defer func() { c.close(ctx, err) }()
	return c.loop.Run(ctx)
}
