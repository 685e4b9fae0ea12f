package jsonchat

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/passwd"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/jsonchat"
)

// A world is a server in a synctest bubble: a real hub, accounts and engine, one Front, and clients that are connections in
// memory. Everything but Serve runs on the test's goroutine.
type world struct {
	t        *testing.T
	engine   chat.Engine
	accounts *account.Service
	hub      *chat.Hub
	front    *Front
	ctx      context.Context
	stop     context.CancelFunc
	log      *strings.Builder // Owned by the bubble; read after synctest.Wait.
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns []*client // In the order in which they were opened. Guarded by mu.
	ended []string  // "a: EOF", in the order in which Serve returned. Guarded by mu.

	natives map[string]*native
}

func newWorld(t *testing.T, cfg Config, engine chat.Engine) *world {
	w := &world{t: t, engine: engine, log: new(strings.Builder), natives: make(map[string]*native)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	var err error
	w.accounts, err = account.New(w.ctx, account.Config{
		Engine: engine, Open: true, QuotaBytes: 1 << 20, Passwords: passwd.Config{MemoryKiB: 8, Passes: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.hub, err = chat.New(chat.Config{Engine: engine, Accounts: w.accounts}); err != nil {
		t.Fatal(err)
	}
	kinds := map[account.Kind]chat.Kind{
		account.Blocked: chat.KindBlocked, account.Unblocked: chat.KindUnblocked, account.TokenRevoked: chat.KindRevoked,
	}
	w.accounts.OnChange(func(ctx context.Context, c account.Change) {
		if kind, ok := kinds[c.Kind]; ok {
			if err := w.hub.Announce(ctx, c.Account, kind, c.Peer+c.Device, ""); err != nil {
				t.Errorf("%v of %s: %v", kind, c.Account, err)
			}
		}
	})
	cfg.Engine, cfg.Accounts, cfg.Logger = engine, w.accounts, slog.New(slog.NewTextHandler(w.log, nil))
	if w.front, err = New(w.ctx, cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// inWorld runs f in a bubble with a server.
func inWorld(t *testing.T, cfg Config, f func(w *world)) {
	t.Helper()
	inWorldOn(t, cfg, memory.New(memory.Config{}), f)
}

func inWorldOn(t *testing.T, cfg Config, engine chat.Engine, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cfg, engine)
		defer w.close()
		f(w)
	})
}

// A client is a connection, what it has heard, and its token.
type client struct {
	*stage.Conn
	w       *world
	decoder wire.Decoder
	partial *strings.Builder // A frame whose payload is coming in.
	pending int              // Bytes of a frame that is not whole yet.
	token   int64
	closed  bool
}

// open connects a client and has it served.
func (w *world) open(name string) *client { return w.openWith(name, session.Config{}) }

func (w *world) openWith(name string, cfg session.Config) *client {
	c := &client{Conn: stage.NewConn(name), w: w}
	w.mu.Lock()
	w.conns = append(w.conns, c)
	w.mu.Unlock()
	if cfg.Transport == "" {
		cfg.Transport = session.TransportTCP
	}
	s := session.New(c.Conn, cfg)
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

// conn returns the client called name.
func (w *world) conn(name string) *client {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.conns, func(c *client) bool { return c.Name == name })
	if i < 0 {
		w.t.Fatalf("no connection is called %q", name)
	}
	return w.conns[i]
}

// close ends the server and checks that nothing is left behind. A goroutine that does not end makes the bubble panic.
func (w *world) close() {
	w.stop()
	w.wg.Wait()
	for _, n := range w.natives {
		_ = n.Close(context.Background()) // Always nil.
	}
	if n := len(w.front.devices); n != 0 {
		w.t.Errorf("at the end: the front remembers %d devices, want none", n)
	}
	if s := w.hub.Stats(); s.Devices != 0 {
		w.t.Errorf("at the end: %d devices are logged in, want none", s.Devices)
	}
	for _, c := range w.conns {
		if _, closed := c.Take(); !closed && !c.closed {
			w.t.Errorf("at the end: connection %s is open", c.Name)
		}
	}
	_ = w.hub.Close()    // Always nil.
	_ = w.engine.Close() // In memory: nothing can be lost.
}

// request sends a request with the client's token.
func (c *client) request(req wire.Request, payload string) {
	c.Send(string(wire.AppendFrame(nil, wire.Long, wire.AppendRequest(nil, req, c.token), int64(len(payload)))) + payload)
}

// heard returns the frames that came since the last time, as JSON with the payload behind it, after checking that what the
// server wrote at once was whole frames, unless they are large.
func (c *client) heard() []string {
	synctest.Wait()
	writes, closed := c.Take()
	c.closed = c.closed || closed
	var out []string
	for _, b := range writes {
		before := c.pending
		frames, size := c.decode(b)
		c.pending += len(b) - size
		if before == 0 && c.partial == nil && len(b) < pieceBytes && c.pending != 0 {
			c.w.t.Errorf("%s: one write of the server was not whole frames: %q", c.Name, b)
		}
		out = append(out, frames...)
	}
	return out
}

// decode takes what one write of the server brought, and returns how much of it was frames.
func (c *client) decode(b []byte) (out []string, size int) {
	c.decoder.Feed(b)
	for {
		if c.partial != nil {
			buf := make([]byte, len(b))
			n := c.decoder.Take(buf)
			size += n
			c.partial.Write(buf[:n])
			if c.decoder.Left() > 0 {
				return out, size
			}
			text, payload, _ := strings.Cut(c.partial.String(), "\x00")
			out = append(out, fmt.Sprintf("%s + %q", text, payload))
			c.partial = nil
		}
		f, ok, err := c.decoder.Next()
		if err != nil {
			c.w.t.Errorf("%s: the server sent %v", c.Name, err)
		}
		if !ok {
			return out, size
		}
		size += len(wire.AppendFrame(nil, f.Form, f.JSON, 0))
		text := string(f.JSON)
		if f.Form == wire.Short {
			text = "short " + text
		}
		if res, err := wire.ParseResponse(f.JSON); err != nil {
			c.w.t.Errorf("%s: the server sent %s: %v", c.Name, f.JSON, err)
		} else if t, ok := res.Body.(wire.Token); ok {
			c.token = t.TokenID
		}
		if f.Payload == 0 {
			out = append(out, text)
			continue
		}
		c.partial = new(strings.Builder)
		c.partial.WriteString(text + "\x00")
	}
}

// do sends a request and returns the one answer.
func (c *client) do(req wire.Request, payload string) wire.Response {
	c.w.t.Helper()
	c.heard()
	c.request(req, payload)
	return c.answer()
}

// answer returns the last answer that is no FORWARDMSG.
func (c *client) answer() wire.Response {
	c.w.t.Helper()
	var last wire.Response
	for _, text := range c.heard() {
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "short "), " + ")
		res, err := wire.ParseResponse([]byte(text))
		if err != nil {
			c.w.t.Fatalf("%s: %s: %v", c.Name, text, err)
		}
		if res.Name != wire.ForwardName {
			last = res
		}
	}
	return last
}

// forwarded returns the messages that came since the last time.
func (c *client) forwarded() []wire.Message {
	c.w.t.Helper()
	var all []wire.Message
	for _, text := range c.heard() {
		res, err := wire.ParseResponse([]byte(text))
		if m, ok := res.Body.(wire.Message); err == nil && ok {
			all = append(all, m)
		}
	}
	return all
}

// join opens a connection and registers an account whose password is its name.
func (w *world) join(name string) *client {
	w.t.Helper()
	c := w.open(name)
	if res := c.do(wire.Register{Identity: identity(name)}, ""); res.Err != "" {
		w.t.Fatalf("registering %s: %s", name, res.Err)
	}
	return c
}

// more opens another connection of the same device.
func (c *client) more(name string) *client {
	c.w.t.Helper()
	other := c.w.open(name)
	other.token = c.token
	if res := other.do(wire.State{}, ""); res.Err != "" {
		c.w.t.Fatalf("another connection of %s: %s", c.Name, res.Err)
	}
	return other
}

// identity is a user whose password is its name.
func identity(name string) wire.Identity {
	return wire.Identity{Username: wrap([]byte(name), 1), Passwd: md5Hex(name)}
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// A native is a device of another protocol: the core's own words.
type native struct {
	*chat.Device
	n     uint64
	heard []string
	mu    sync.Mutex
}

// Receive implements chat.Receiver.
func (n *native) Receive(ev *chat.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch ev.Kind {
	case chat.KindSaid:
		n.heard = append(n.heard, fmt.Sprintf("%s: %s", ev.Account, ev.Text))
	case chat.KindFile:
		n.heard = append(n.heard, fmt.Sprintf("%s: file %s, %d bytes, %q", ev.Account, ev.File.Name, ev.File.Size, ev.File.MIME))
	}
}

// native logs an account in by another protocol, and registers it if need be.
func (w *world) native(name string) *native {
	w.t.Helper()
	if n := w.natives[name]; n != nil {
		return n
	}
	secret, err := passwd.Clear(name)
	if err != nil {
		w.t.Fatal(err)
	}
	if there, err := w.accounts.Exists(w.ctx, name); err != nil || !there {
		if _, err := w.accounts.Register(w.ctx, account.Attempt{}, name, secret); err != nil {
			w.t.Fatal(err)
		}
	}
	n := new(native)
	if n.Device, err = w.hub.LogIn(w.ctx, chat.Login{Account: name, Device: account.NewDevice()}, n); err != nil {
		w.t.Fatal(err)
	}
	w.natives[name] = n
	return n
}

// say says something to another account.
func (n *native) say(w *world, to string, content chat.Content) {
	w.t.Helper()
	n.n++
	if _, err := n.Say(w.ctx, chat.DirectLog(n.Account(), to), n.n, content); err != nil {
		w.t.Fatalf("%s to %s: %v", n.Account(), to, err)
	}
}

// follow attaches to the conversation with another account.
func (n *native) follow(w *world, peer string) {
	w.t.Helper()
	if _, err := n.Direct(w.ctx, peer); err != nil {
		w.t.Fatal(err)
	}
}

// took returns what the native device was told since the last time.
func (n *native) took() []string {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	heard := n.heard
	n.heard = nil
	return heard
}

// file stores a file as other protocols do.
func (w *world) file(name, content string) *chat.File {
	w.t.Helper()
	id, size, err := w.engine.PutBlob(w.ctx, strings.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	return &chat.File{SHA256: id, Size: size, Name: name, MIME: "text/plain"}
}
