package jsonchat

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/jsonchat"
)

// A Front is the length-prefixed JSON chat protocol. Its methods are safe for concurrent use.
type Front struct {
	cfg       Config // Constant after New, like the next two.
	tokens    *tokens
	uploads   *busy        // Files that are being received.
	fetches   *busy        // Large answers.
	large     atomic.Int64 // Bytes of large JSON texts that are not all there.
	largeMost int64        // How many there may be. Constant after New.

	mu      sync.Mutex
	devices map[token]*device // With a connection here. Guarded by mu.
	users   map[string]user   // By canonical name. Guarded by mu.
}

var _ front.Front = (*Front)(nil)

// New returns a Front over an engine, of which it reads the key of the tokens; the first time it makes it.
func New(ctx context.Context, cfg Config) (*Front, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	tokens, err := newTokens(ctx, cfg.Engine)
	if err != nil {
		return nil, err
	}
	return &Front{
		cfg: cfg, tokens: tokens,
		uploads: newBusy(uploadsMax), fetches: newBusy(fetchesMax), largeMost: largeBytesMax,
		devices: make(map[token]*device), users: make(map[string]user),
	}, nil
}

// Name returns "jsonchat".
func (f *Front) Name() string { return "jsonchat" }

// Match reports whether a session that begins with prefix speaks this protocol (PROTOCOL.md 1.2).
func (f *Front) Match(prefix []byte) front.Match {
	switch can, sure := wire.Looks(prefix); {
	case sure:
		return front.Yes
	case can:
		return front.More
	}
	return front.No
}

// Serve speaks the protocol on s until the client closes the connection, the connection or ctx ends, or nobody can know
// where the next frame begins. It returns why, never nil. The caller closes s. Plain datagrams are refused: a frame does
// not end with one.
func (f *Front) Serve(ctx context.Context, s *session.Session, h *chat.Hub) error {
	if s.Transport() == session.TransportPlain {
		return errors.New("jsonchat: plain datagrams are no stream")
	}
	running, cancel := context.WithCancel(ctx)
	c := newConn(running, f, h, s)
	defer c.close()
	defer cancel()
	return c.serve(running)
}
