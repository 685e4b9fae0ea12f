package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/lab"
)

// A world is a server in a synctest bubble: a real hub and engine, one Front, and clients that are connections in
// memory. Everything but Serve runs on the test's goroutine.
type world struct {
	t     *testing.T
	hub   *chat.Hub
	front *Front
	ctx   context.Context
	stop  context.CancelFunc
	log   *strings.Builder // Owned by the bubble; read after synctest.Wait.

	wg sync.WaitGroup

	mu        sync.Mutex // Calls come from the server's goroutines.
	conns     []*memConn // In the order in which they were opened. Guarded by mu.
	listening map[netip.AddrPort]string
	calls     []netip.AddrPort
	ended     []string // "a: io.EOF", in the order in which Serve returned.
	kills     int
}

func newWorld(t *testing.T, cfg Config) *world {
	return newWorldOn(t, cfg, memory.New(memory.Config{}))
}

func newWorldOn(t *testing.T, cfg Config, engine chat.Engine) *world {
	hub, err := chat.New(chat.Config{
		Engine: engine,
		Rand:   rand.New(rand.NewPCG(1, 2)), // Random JOIN_IDs are in transcripts.
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, hub: hub, log: new(strings.Builder), listening: make(map[netip.AddrPort]string)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	cfg.Kill = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.kills++
	}
	if cfg.StudentID == "" {
		cfg.StudentID = "12345678"
	}
	cfg.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	w.front = New(cfg)
	return w
}

// open connects a client over transport from remote and has it served.
func (w *world) open(name, transport, remote string) *memConn {
	c := w.add(name, transport, remote)
	cfg := session.Config{Transport: transport}
	if transport == session.TransportUDP || transport == session.TransportPlain {
		cfg.Call = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
			return w.call(ctx, c, transport, addr)
		}
	}
	s := session.New(w.asConn(c), cfg)
	w.wg.Go(func() {
		err := w.serve(s)
		_ = s.Close(err)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = append(w.ended, fmt.Sprintf("%s: %v", name, err))
	})
	return c
}

// serve recovers from panics as the server does.
func (w *world) serve(s *session.Session) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return w.front.Serve(w.ctx, s, w.hub)
}

func (w *world) add(name, transport, remote string) *memConn {
	c := newMemConn(name, remote, transport == session.TransportPlain)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c
}

func (w *world) asConn(c *memConn) net.Conn {
	if c.datagrams {
		return plainConn{c}
	}
	return c
}

// listen has a client expect calls at addr; the connection it then makes is called name.
func (w *world) listen(addr, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listening[netip.MustParseAddrPort(addr)] = name
}

// call is what the transports do for session.Call: over udp whoever listens at addr dials back, else nobody answers;
// plain datagrams can be sent to any port of the same host.
func (w *world) call(ctx context.Context, from *memConn, transport string, addr netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	w.calls = append(w.calls, addr)
	name, ok := w.listening[addr]
	w.mu.Unlock()
	switch {
	case name == "panic":
		panic("test: call")
	case transport == session.TransportPlain && addr.Addr() != from.remote.Addr():
		return nil, errors.New("not the peer's host")
	case !ok && transport == session.TransportUDP:
		<-ctx.Done()
		return nil, ctx.Err()
	case !ok:
		name = addr.String()
	}
	return w.asConn(w.add(name, transport, addr.String())), nil
}

// conn returns the client's end called name.
func (w *world) conn(name string) *memConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.conns, func(c *memConn) bool { return c.name == name })
	if i < 0 {
		w.t.Fatalf("no connection is called %q", name)
	}
	return w.conns[i]
}

// got returns everything that was written to c since the last time, after checking that every write was whole
// messages.
func (w *world) got(c *memConn) string {
	synctest.Wait()
	out, _ := c.take()
	var b strings.Builder
	for _, o := range out {
		if !whole(o.bytes) {
			w.t.Errorf("%s: one write of the server was not whole messages: %q", c.name, o.bytes)
		}
		b.Write(o.bytes)
	}
	return b.String()
}

// replies returns what was written to c since the last time, decoded.
func (w *world) replies(c *memConn) []wire.Reply {
	var d wire.ReplyDecoder
	d.Feed([]byte(w.got(c)))
	var all []wire.Reply
	for {
		r, ok, err := d.Next()
		if err != nil || !ok {
			return all
		}
		all = append(all, r)
	}
}

// close ends the server and checks that nothing is left behind. A goroutine that does not end makes the bubble panic.
func (w *world) close() {
	w.stop()
	w.wg.Wait()
	if s := w.hub.Stats(); s.Users != 0 || s.Members != 0 {
		w.t.Errorf("at the end: got %d users and %d members, want none", s.Users, s.Members)
	}
	if n, m := len(w.front.members), len(w.front.callbacks); n != 0 || m != 0 {
		w.t.Errorf("at the end: the front remembers %d members and %d callbacks, want none", n, m)
	}
	for _, c := range w.conns {
		if _, closed := c.take(); !closed {
			w.t.Errorf("at the end: connection %s is open", c.name)
		}
	}
	_ = w.hub.Close() // Always nil.
}

// inWorld runs f in a bubble with a server.
func inWorld(t *testing.T, cfg Config, f func(w *world)) {
	t.Helper()
	inWorldOn(t, cfg, memory.New(memory.Config{}), f)
}

func inWorldOn(t *testing.T, cfg Config, engine chat.Engine, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOn(t, cfg, engine)
		defer w.close()
		f(w)
	})
}
