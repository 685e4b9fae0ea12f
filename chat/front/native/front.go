package native

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// Greeting is what a session begins with (SPEC.md 1).
const Greeting = "UC1\n"

// A Front is the native protocol. Its methods are safe for concurrent use.
type Front struct {
	cfg      Config // Constant after New, like all up to mu.
	pace     pace
	budget   *message.Budget
	networks *limiter[netip.Prefix]
	accounts *limiter[string]
	searches *limiter[string] // Also by account.
	newRooms struct {
		accounts *limiter[string]
		networks *limiter[netip.Prefix]
	}
	tickets *tickets
	spool   *spool // nil: no files.
	stop    func() // Ends listening for notes.

	mu       sync.Mutex
	sessions map[string]map[*conn]struct{} // Of those who have logged in, by account. Guarded by mu.
}

var _ front.Front = (*Front)(nil)

// New returns a Front. It makes the directory for uploads. Close it after the server has shut down.
func New(cfg Config) (*Front, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := pace{cfg.RequestsPerSecond, cfg.RequestsBurst}
	f := &Front{
		cfg: cfg, pace: p, budget: message.NewBudget(budgetBytes), tickets: newTickets(),
		networks: newLimiter[netip.Prefix](p.times(networkShare)), accounts: newLimiter[string](p.times(accountShare)),
		searches: newLimiter[string](pace{searchesPerSecond, searchesBurst}),
		sessions: make(map[string]map[*conn]struct{}),
	}
	rooms := pace{newRoomsPerSecond, newRoomsBurst}
	f.newRooms.accounts = newLimiter[string](rooms)
	f.newRooms.networks = newLimiter[netip.Prefix](rooms.times(newRoomsNetworkShare))
	if cfg.Spool != "" {
		if f.spool, err = openSpool(cfg.Spool); err != nil {
			return nil, err
		}
	}
	if f.stop, err = cfg.Engine.Subscribe(notesLog, f.takeNote); err != nil {
		return nil, err
	}
	return f, nil
}

// Close ends what New has begun.
func (f *Front) Close() { f.stop() }

// Name returns "native".
func (f *Front) Name() string { return "native" }

// Match reports whether a session that begins with prefix speaks the protocol.
func (f *Front) Match(prefix []byte) front.Match { return front.MatchWords(prefix, Greeting) }

// Serve speaks the protocol on s until the client leaves, the connection or ctx ends, or the client cannot be understood. It
// returns why, never nil. The caller closes s.
func (f *Front) Serve(ctx context.Context, s *session.Session, h *chat.Hub) (err error) {
	if !s.Encrypted() {
		_ = s.Reply(frame(wire.AppendReply(nil, wire.Head{}, wire.Error{
			Code: wire.CodeNotEncrypted, Text: "the native protocol needs an encrypted connection: TLS over TCP, or reliable UDP",
		}))) // If it cannot be said there is nobody to hear it.
		return ErrNotEncrypted
	}
	// What is under way when the server goes down is to be completed, so it has a context of its own.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	c := newConn(f, h, s)
	stop := context.AfterFunc(ctx, func() {
		c.end(context.Cause(ctx))
		time.AfterFunc(drainGrace, cancel)
	})
	defer stop()
	err = errPanicked // Unless serve returns. The caller handles the panic; nobody may stay logged in because of it.
	defer func() { c.close(ctx, cancel, err) }()
	return c.serve(work)
}

// frame makes a frame of a message.
func frame(m []byte) []byte { return message.Append(make([]byte, 0, message.FrameBytes(len(m))), m) }

// enter makes a session known by its account.
func (f *Front) enter(account string, c *conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sessions[account] == nil {
		f.sessions[account] = make(map[*conn]struct{}, 1)
	}
	f.sessions[account][c] = struct{}{}
}

// leave undoes enter.
func (f *Front) leave(account string, c *conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sessions[account], c)
	if len(f.sessions[account]) == 0 {
		delete(f.sessions, account)
	}
}

// of returns the sessions of an account on this node: those of one device if that is not empty, and not those of but.
func (f *Front) of(account, device, but string) []*conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*conn
	for c := range f.sessions[account] {
		if (device == "" || c.device == device) && c.device != but {
			all = append(all, c)
		}
	}
	return all
}
