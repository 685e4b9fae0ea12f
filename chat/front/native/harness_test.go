package native

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// A world is a server in a synctest bubble: a real hub, accounts and engine, one Front, and clients on pipes.
type world struct {
	t        *testing.T
	engine   chat.Engine
	accounts *account.Service
	hub      *chat.Hub
	front    *Front
	ctx      context.Context
	stop     context.CancelFunc
	log      lockedText

	wg sync.WaitGroup

	mu    sync.Mutex
	ended map[string]error // What Serve returned, by the client's name. Guarded by mu.
}

type lockedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// setUp is what a test wants to be different.
type setUp struct {
	engine func(chat.Engine) chat.Engine // Wraps the engine.
	front  func(*Config)
	files  bool
	quota  int64
}

// inWorld runs f in a bubble with a server, and checks that nothing is left behind.
func inWorld(t *testing.T, s setUp, f func(w *world)) {
	t.Helper()
	spool := ""
	if s.files {
		spool = t.TempDir()
	}
	synctest.Test(t, func(t *testing.T) {
		engine := chat.Engine(memory.New(memory.Config{}))
		if s.engine != nil {
			engine = s.engine(engine)
		}
		w := newWorld(t, s, engine, spool)
		defer func() {
			w.close()
			if err := engine.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(w)
	})
}

// newWorld makes a server on an engine.
func newWorld(t *testing.T, s setUp, engine chat.Engine, spool string) *world {
	w := &world{t: t, engine: engine, ended: make(map[string]error)}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	var err error
	w.accounts, err = account.New(t.Context(), account.Config{
		Engine: w.engine, Open: true, Guests: true, Logger: log, QuotaBytes: s.quota,
		Passwords: passwd.Config{MemoryKiB: 8, Passes: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.hub, err = chat.New(chat.Config{Engine: w.engine, Accounts: w.accounts, Reserved: w.accounts.Reserved, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	w.accounts.OnChange(w.announce)
	cfg := Config{Accounts: w.accounts, Engine: w.engine, Open: true, Guests: true, Spool: spool, Agent: "test", Logger: log}
	if s.front != nil {
		s.front(&cfg)
	}
	if w.front, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// second makes another server on the same engine.
func (w *world) second() *world { return newWorld(w.t, setUp{}, w.engine, "") }

// announce is what the server does about changes of accounts, as far as tests need it.
func (w *world) announce(ctx context.Context, c account.Change) {
	kinds := map[account.Kind]chat.Kind{
		account.Blocked: chat.KindBlocked, account.Unblocked: chat.KindUnblocked, account.ContactAdded: chat.KindContact,
		account.ContactAccepted: chat.KindContact, account.ContactRequested: chat.KindRequested,
	}
	if kind, ok := kinds[c.Kind]; ok {
		if err := w.hub.Announce(ctx, c.Account, kind, c.Peer, ""); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) close() {
	w.stop()
	w.wg.Wait()
	w.front.Close()
	if n := len(w.front.sessions); n != 0 {
		w.t.Errorf("at the end the front has %d sessions", n)
	}
	if len(w.front.tickets.transfers) != 0 {
		w.t.Errorf("at the end transfers are under way: %v", w.front.tickets.transfers)
	}
	if s := w.front.budget.Stats(); s.HeldBytes != 0 {
		w.t.Errorf("at the end %d bytes are held", s.HeldBytes)
	}
	if err := w.hub.Close(); err != nil {
		w.t.Errorf("closing: %v", err)
	}
}

// A client is the other end of a session. What the server says is read all the time, unless it is slow.
type client struct {
	w      *world
	name   string
	conn   net.Conn
	device string
	token  string
	last   uint64 // Id of the last request.

	mu     sync.Mutex
	got    []reply       // Guarded by mu: not yet looked at.
	more   chan struct{} // Closed when there is more. Guarded by mu.
	closed bool          // The server has closed. Guarded by mu.
}

type reply struct {
	head wire.Head
	m    wire.Reply
	at   time.Time
}

// open connects a client and has it served. It has said nothing yet.
func (w *world) open(name, transport string) *client {
	return w.openFrom(name, transport, "127.0.0.1:5000")
}

// openFrom is open from an address.
func (w *world) openFrom(name, transport, addr string) *client {
	ours, theirs := net.Pipe()
	c := &client{w: w, name: name, conn: theirs, more: make(chan struct{})}
	remote := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr))
	s := session.New(addressed{ours, remote}, session.Config{Transport: transport})
	w.wg.Go(func() {
		err := w.serve(s)
		_ = s.Close(err)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended[name] = err
	})
	return c
}

// addressed is a connection from an address.
type addressed struct {
	net.Conn
	remote net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.remote }

// serve recovers from panics as the server does.
func (w *world) serve(s *session.Session) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return w.front.Serve(w.ctx, s, w.hub)
}

// end waits until the client's session has ended and returns why.
func (w *world) end(c *client) error {
	for range 1000 {
		w.mu.Lock()
		err, ok := w.ended[c.name]
		w.mu.Unlock()
		if ok {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatalf("%s: the session does not end", c.name)
	return nil
}

// read begins to read what the server says.
func (c *client) read() *client {
	c.w.wg.Go(func() {
		r := message.NewReader(c.conn, message.Config{})
		defer r.Close()
		for {
			b, err := r.Next()
			c.mu.Lock()
			if err == nil {
				head, m, err := wire.DecodeReply(b)
				if err != nil {
					c.w.t.Errorf("%s: the server says %x: %v", c.name, b, err)
				}
				c.got = append(c.got, reply{head, m, time.Now()})
			}
			c.closed = err != nil
			close(c.more)
			c.more = make(chan struct{})
			c.mu.Unlock()
			if err != nil {
				_ = c.conn.Close()
				return
			}
		}
	})
	return c
}

// begin connects a client that has said hello.
func (w *world) begin(name string) *client {
	c := w.open(name, session.TransportUDP).read()
	c.write([]byte(Greeting))
	if welcome := ask[wire.Welcome](c, wire.Hello{Version: 1, VersionMin: 1}); welcome.Version != 1 {
		w.t.Fatalf("%s: welcome is %#v", name, welcome)
	}
	return c
}

// register connects a client with a new account of its name.
func (w *world) register(name string) *client {
	c := w.begin(name)
	in := ask[wire.LoggedIn](c, wire.Register{Name: name, Password: "secret-" + name})
	c.device, c.token = in.Device, in.Token
	return c
}

// again connects the same device, or with another name another client's device, once more.
func (w *world) again(old *client, name string) *client {
	c := w.begin(name)
	in := ask[wire.LoggedIn](c, wire.LogIn{Token: old.token})
	c.device, c.token = in.Device, old.token
	return c
}

func (c *client) write(b []byte) {
	if _, err := c.conn.Write(b); err != nil && !c.isClosed() {
		c.w.t.Errorf("%s: writing: %v", c.name, err)
	}
}

func (c *client) isClosed() bool {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// send sends a request and returns its id.
func (c *client) send(m wire.Request) uint64 {
	c.last++
	c.write(frame(wire.AppendRequest(nil, c.last, m)))
	return c.last
}

// answer waits for the answer to a request.
func (c *client) answer(id uint64) wire.Reply {
	c.w.t.Helper()
	return c.wait(fmt.Sprintf("answer to request %d", id), func(r reply) bool { return r.head.ID == id && id != 0 })
}

// push waits for a push of that type that fits.
func push[M wire.Reply](c *client, fits func(M) bool) M {
	c.w.t.Helper()
	m := c.wait(fmt.Sprintf("push %T", *new(M)), func(r reply) bool {
		m, ok := r.m.(M)
		return ok && r.head.ID == 0 && (fits == nil || fits(m))
	})
	got, _ := m.(M)
	return got
}

// event waits for an event of that kind.
func (c *client) event(kind wire.Kind) wire.Event {
	c.w.t.Helper()
	return push(c, func(m wire.Event) bool { return m.Kind == kind })
}

// wait waits for what fits, and takes it out of what was got.
func (c *client) wait(what string, fits func(reply) bool) wire.Reply {
	c.w.t.Helper()
	timeout := time.After(time.Minute)
	for {
		c.mu.Lock()
		for i, r := range c.got {
			if fits(r) {
				c.got = append(c.got[:i:i], c.got[i+1:]...)
				c.mu.Unlock()
				return r.m
			}
		}
		more, closed := c.more, c.closed
		got := fmt.Sprintf("%+v", c.got)
		c.mu.Unlock()
		if closed {
			c.w.t.Fatalf("%s: no %s, the server has closed; got %.2000s", c.name, what, got)
		}
		select {
		case <-more:
		case <-timeout:
			c.w.t.Fatalf("%s: no %s within a minute; got %.2000s", c.name, what, got)
		}
	}
}

// take returns everything that was got and not looked at, but who is online.
func (c *client) take() []reply {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := slices.DeleteFunc(c.got, func(r reply) bool { _, ok := r.m.(wire.Presence); return ok })
	c.got = nil
	return got
}

// ask sends a request and returns its answer, which must be of that type.
func ask[M wire.Reply](c *client, m wire.Request) M {
	c.w.t.Helper()
	got := c.answer(c.send(m))
	answer, ok := got.(M)
	if !ok {
		c.w.t.Fatalf("%s: %#v was answered with %#v, want %v", c.name, m, got, reflect.TypeFor[M]())
	}
	return answer
}

// refused sends a request that must be refused with that code.
func (c *client) refused(code wire.Code, m wire.Request) wire.Error {
	c.w.t.Helper()
	got := ask[wire.Error](c, m)
	if got.Code != code || got.Text == "" {
		c.w.t.Errorf("%s: %T: got %v %q, want %v and a text", c.name, m, got.Code, got.Text, code)
	}
	return got
}

// hangUp closes the client's end.
func (c *client) hangUp() { _ = c.conn.Close() }
