package stage

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front"
	"udpchat/chat/passwd"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
)

// sniffTimeout is how long a client that may speak several protocols may take to show which.
const sniffTimeout = 5 * time.Second

// A Cast makes the front-ends of w, which is not begun yet, of its settings, and must fail the test if it does not know one.
type Cast func(t *testing.T, w *World, settings map[string]string, log *slog.Logger) []front.Front

// A CastWithAccounts is a Cast for protocols that log in: the world has accounts, whose passwords cost next to nothing.
type CastWithAccounts func(t *testing.T, accounts *account.Service, settings map[string]string, log *slog.Logger) []front.Front

// A World is a server. Everything but Serve and what it calls runs on the test's goroutine.
type World struct {
	Hub      *chat.Hub
	Engine   chat.Engine
	Fronts   []front.Front
	Accounts *account.Service // nil in a world without.

	t    *testing.T
	ctx  context.Context
	stop context.CancelFunc
	log  *strings.Builder // Owned by the bubble; read after synctest.Wait.
	wg   sync.WaitGroup

	beside []*World // Servers on the same engine.

	mu        sync.Mutex                // Calls come from the server's goroutines.
	conns     []*Conn                   // In the order in which they were opened. Guarded by mu.
	ended     []string                  // "a: io.EOF", in the order in which Serve returned. Guarded by mu.
	listening map[netip.AddrPort]string // Names of the connections that calls make. Guarded by mu.
	calls     []netip.AddrPort          // Guarded by mu.
	kills     int                       // Calls of AskToEnd. Guarded by mu.
}

// In runs f in a bubble with a world, and checks in the end that nothing is left behind.
func In(t *testing.T, cast Cast, settings map[string]string, f func(w *World)) {
	t.Helper()
	InOn(t, cast, settings, memory.New(memory.Config{}), f)
}

// InOn is In on an engine of the test's.
func InOn(t *testing.T, cast Cast, settings map[string]string, engine chat.Engine, f func(w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cast, settings, engine)
		defer w.close()
		f(w)
	})
}

// InWithAccounts is In for protocols that log in.
func InWithAccounts(t *testing.T, cast CastWithAccounts, settings map[string]string, f func(w *World)) {
	t.Helper()
	InWithAccountsOn(t, cast, settings, memory.New(memory.Config{}), f)
}

// InWithAccountsOn is InWithAccounts on an engine of the test's.
func InWithAccountsOn(t *testing.T, cast CastWithAccounts, settings map[string]string, engine chat.Engine, f func(w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldWithAccounts(t, cast, settings, engine)
		defer w.close()
		f(w)
	})
}

func newWorld(t *testing.T, cast Cast, settings map[string]string, engine chat.Engine) *World {
	w := emptyWorld(t, chat.Config{Engine: engine})
	w.Fronts = cast(t, w, settings, slog.New(slog.NewTextHandler(w.log, nil)))
	return w
}

func newWorldWithAccounts(t *testing.T, cast CastWithAccounts, settings map[string]string, engine chat.Engine) *World {
	return worldWithAccounts(t, cast, settings, engine, 1)
}

// worldWithAccounts is newWorldWithAccounts for the server of that number.
func worldWithAccounts(t *testing.T, cast CastWithAccounts, settings map[string]string, engine chat.Engine, number uint64) *World {
	accounts, err := account.New(t.Context(), account.Config{
		Engine: engine, Open: true, Guests: true, Passwords: passwd.Config{MemoryKiB: 8, Passes: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := emptyWorld(t, chat.Config{
		Engine: engine, Accounts: accounts, Reserved: accounts.Reserved, Rand: rand.New(rand.NewPCG(number, 2)),
	})
	w.Accounts = accounts
	kinds := map[account.Kind]chat.Kind{
		account.Blocked: chat.KindBlocked, account.Unblocked: chat.KindUnblocked, account.PasswordChanged: chat.KindProfile,
	}
	accounts.OnChange(func(ctx context.Context, c account.Change) {
		if kind, ok := kinds[c.Kind]; ok {
			if err := w.Hub.Announce(ctx, c.Account, kind, c.Peer, c.Kind.String()); err != nil {
				t.Errorf("%v of %s: %v", kind, c.Account, err)
			}
		}
	})
	w.Fronts = cast(t, accounts, settings, slog.New(slog.NewTextHandler(w.log, nil)))
	return w
}

func emptyWorld(t *testing.T, cfg chat.Config) *World {
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(1, 2))
	}
	hub, err := chat.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Hub: hub, Engine: cfg.Engine, t: t, log: new(strings.Builder), listening: make(map[netip.AddrPort]string)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// Beside returns another server on the same engine, as in a cluster. It ends with w.
func (w *World) Beside(cast Cast, settings map[string]string) *World {
	w.t.Helper()
	other := emptyWorld(w.t, chat.Config{Engine: w.Engine, Rand: rand.New(rand.NewPCG(3, uint64(len(w.beside))))})
	other.Fronts = cast(w.t, other, settings, slog.New(slog.NewTextHandler(other.log, nil)))
	return w.join(other)
}

// BesideWithAccounts is Beside for protocols that log in. The accounts are the same.
func (w *World) BesideWithAccounts(cast CastWithAccounts, settings map[string]string) *World {
	w.t.Helper()
	return w.join(worldWithAccounts(w.t, cast, settings, w.Engine, uint64(len(w.beside))+2))
}

// join has another server be one of w's.
func (w *World) join(other *World) *World {
	w.beside = append(w.beside, other)
	w.Hub.Start()
	other.Hub.Start()
	synctest.Wait() // They have heard of each other.
	return other
}

// Open connects a client over transport and has it served by the front-end called proto, or by the one that its first
// bytes tell if proto is "any".
func (w *World) Open(name, proto, transport string) *Conn {
	w.t.Helper()
	return w.OpenFrom(name, proto, transport, clientAddr)
}

// OpenFrom is Open for a client at the address remote.
func (w *World) OpenFrom(name, proto, transport, remote string) *Conn {
	w.t.Helper()
	fronts := w.Fronts
	if proto != "any" {
		i := slices.IndexFunc(fronts, func(f front.Front) bool { return f.Name() == proto })
		if i < 0 {
			w.t.Fatalf("no front-end is called %q", proto)
		}
		fronts = fronts[i : i+1]
	}
	c := w.add(name, transport, remote)
	s := session.New(c.server(), w.sessionConfig(c, transport))
	w.wg.Go(func() {
		err := w.serve(s, fronts)
		_ = s.Close(err)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = append(w.ended, fmt.Sprintf("%s: %v", name, err))
	})
	return c
}

// serve recovers from panics as the server does.
func (w *World) serve(s *session.Session, fronts []front.Front) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	stop := context.AfterFunc(w.ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
	f, err := front.Sniff(s, fronts, sniffTimeout)
	stop()
	if err != nil {
		return err
	}
	return f.Serve(w.ctx, s, w.Hub)
}

// Conn returns the client's end called name.
func (w *World) Conn(name string) *Conn {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.conns, func(c *Conn) bool { return c.Name == name })
	if i < 0 {
		w.t.Fatalf("no connection is called %q", name)
	}
	return w.conns[i]
}

// Conns returns all clients' ends so far, in the order in which they were opened.
func (w *World) Conns() []*Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.conns)
}

// Got returns everything that was written to c since the last time, when nothing moves any more.
func (w *World) Got(c *Conn) string {
	synctest.Wait()
	writes, _ := c.Take()
	var b strings.Builder
	for _, p := range writes {
		b.Write(p)
	}
	return b.String()
}

// Log returns what was logged so far, when nothing moves any more.
func (w *World) Log() string {
	synctest.Wait()
	return w.log.String()
}

// Ended returns why sessions have ended so far, as "NAME: ERROR", when nothing moves any more.
func (w *World) Ended() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ended)
}

// Shutdown tells the server to end, as In does when the test is over.
func (w *World) Shutdown() { w.stop() }

// Wait waits until all sessions of clients have ended.
func (w *World) Wait() { w.wg.Wait() }

// AskToEnd is for front-ends whose clients can tell the server to end. It only notes that one has.
func (w *World) AskToEnd() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills++
}

// close ends the server. A goroutine that does not end makes the bubble panic.
func (w *World) close() {
	for _, other := range w.beside {
		other.close()
	}
	w.stop()
	w.wg.Wait()
	if s := w.Hub.Stats(); s.Users != 0 || s.Members != 0 {
		w.t.Errorf("at the end: got %d users and %d members, want none", s.Users, s.Members)
	}
	for _, c := range w.conns {
		if _, closed := c.Take(); !closed {
			w.t.Errorf("at the end: connection %s is open", c.Name)
		}
	}
	_ = w.Hub.Close()    // Always nil.
	_ = w.Engine.Close() // In memory: nothing can be lost.
}
