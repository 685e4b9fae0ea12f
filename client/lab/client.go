package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"udpchat/chat/wire/lab"
)

// A Client is one member, over one connection. See the package comment for who may call what.
type Client struct {
	cfg      Config         // Constant after Dial.
	link     link           // Constant after Dial: how requests leave.
	callback netip.AddrPort // Constant after Dial: zero without a callback address.
	log      *slog.Logger   // Constant after Dial.
	events   chan Event     // Closed by the last reader.

	// stop ends when the client ends; closed when Close was called, and nobody wants events any more.
	stop   context.Context
	cancel context.CancelFunc
	closed chan struct{}

	tasks sync.WaitGroup // Readers, and what else runs for this client.

	mu      sync.Mutex
	book    book          // Guarded by mu.
	changed chan struct{} // Guarded by mu: closed and replaced whenever a request leaves the book.
	leaving bool          // Guarded by mu: DISCONNECT was asked for, so the end of a connection is no loss.
	readers int           // Guarded by mu: that have not seen the end of their connection.
	ended   bool          // Guarded by mu.
	err     error         // Guarded by mu: why the client ended; nil if we asked.
	conns   []io.Closer   // Guarded by mu: closed when the client ends.
	first   net.Conn      // Constant after Dial.
	called  net.Conn      // Guarded by mu: the callback connection; nil until the server has called.
}

// A link puts requests on the wire. There are two: a stream, and plain datagrams.
type link interface {
	// send transmits p, which it puts into the book first. It returns once p is on its way; over plain datagrams
	// that is when its turn has come.
	send(ctx context.Context, p *pending) error
	// answers reports whether Say has to wait for its copy, because nothing else says that it arrived.
	answers() bool
}

// Dial connects to the server, and over plain datagrams asks it to identify itself, so that Dial fails if nobody is
// there. It blocks until ctx ends at most; ctx means nothing afterwards. The caller must Close the client.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Name = strings.TrimSpace(cfg.Name) // As the server will repeat it.
	conn, err := cfg.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("lab: connecting to %s over %s: %w", cfg.Server, cfg.Transport, err)
	}
	stop, cancel := context.WithCancel(context.Background())
	c := &Client{
		cfg:     cfg,
		log:     cfg.Logger,
		events:  make(chan Event, eventsMax),
		stop:    stop,
		cancel:  cancel,
		closed:  make(chan struct{}),
		changed: make(chan struct{}),
		book:    book{name: cfg.Name},
		conns:   []io.Closer{conn},
		first:   conn,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := c.start(ctx, conn); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// start opens the callback listener, if any, and starts the goroutines of the transport.
func (c *Client) start(ctx context.Context, conn net.Conn) error {
	if c.cfg.Transport == Plain {
		return c.startPlain(ctx, conn)
	}
	c.link = &streamLink{c: c, conn: conn}
	if c.cfg.Callback != "" {
		if err := c.awaitCalls(conn); err != nil {
			return err
		}
	}
	c.read(func() error { return c.readStream(conn) })
	return nil
}

// Events returns the channel of everything the server sends. It is closed after the last event; Err says why then.
func (c *Client) Events() <-chan Event { return c.events }

// Err returns why the client ended: a *LostError, or nil while it lives and after Disconnect or Close.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Rooms returns the rooms we are in, in order of joining.
func (c *Client) Rooms() []Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.book.rooms)
}

// Join enters the room and returns it once the server has said so. Joining a room we are in is allowed; the server
// announces us once more. The error is a *ServerError if the server refused.
func (c *Client) Join(ctx context.Context, room string) (Room, error) {
	room = strings.TrimSpace(room)
	if err := CheckName(room); err != nil {
		return Room{}, err
	}
	ip, port := c.addressFields()
	p := c.request(lab.Join{Room: room, ClientIP: ip, Port: port, Name: c.cfg.Name})
	if err := c.do(ctx, p); err != nil {
		return Room{}, fmt.Errorf("lab: joining %q: %w", room, err)
	}
	j := p.reply.(lab.Joined)
	return Room{Name: j.Room, Ref: j.RoomRef, JoinID: j.JoinID}, nil
}

// Leave leaves the room and returns once the server has said so. The server's notice that we left comes later, as an
// event.
func (c *Client) Leave(ctx context.Context, room string) error {
	r, err := c.joinedRoom(room)
	if err != nil {
		return err
	}
	if err := c.do(ctx, c.request(lab.Leave{Room: r.Ref, JoinID: r.JoinID, Name: c.cfg.Name})); err != nil {
		return fmt.Errorf("lab: leaving %q: %w", room, err)
	}
	return nil
}

// Hello asks the server to identify itself and returns its answer. The line it repeats is "HELO " and text.
func (c *Client) Hello(ctx context.Context, text string) (lab.HeloReply, error) {
	p := c.request(lab.Helo{Line: "HELO " + text})
	if err := c.do(ctx, p); err != nil {
		return lab.HeloReply{}, fmt.Errorf("lab: saying hello: %w", err)
	}
	return p.reply.(lab.HeloReply), nil
}

// Disconnect says goodbye, waits until the server has closed the connection or ctx has ended, and closes the client.
// Events that come before, such as the notices that we left, are still delivered.
func (c *Client) Disconnect(ctx context.Context) error {
	defer c.Close()
	ip, port := c.addressFields()
	p := c.request(lab.Disconnect{IP: ip, Port: port, Name: c.cfg.Name})
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return nil
	}
	c.leaving = true
	p.rooms = make(map[string]bool)
	for _, r := range c.book.rooms {
		p.rooms[r.Ref] = true
	}
	c.mu.Unlock()
	if err := c.link.send(ctx, p); err != nil {
		return fmt.Errorf("lab: disconnecting: %w", err)
	}
	if c.link.answers() {
		_ = c.await(ctx, p) // Heard or not, there is nothing more to do: the client ends here.
		return nil
	}
	select {
	case <-c.stop.Done():
	case <-ctx.Done():
	}
	return nil
}

// Close ends the client at once, without saying goodbye, and waits for its goroutines. Events not taken yet are
// gone. It may be called more than once.
func (c *Client) Close() error {
	c.mu.Lock()
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	c.mu.Unlock()
	c.end(nil)
	c.tasks.Wait()
	return nil
}

// end ends the client: err is nil if we wanted it. The first call counts.
func (c *Client) end(err error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.err = true, err
	if err == nil {
		err = ErrClosed
	}
	c.book.settleAll(err, time.Now())
	c.wakeLocked()
	conns := c.conns
	c.conns = nil
	if c.readers == 0 {
		close(c.events) // No reader ever started, or the last one is gone.
	}
	c.mu.Unlock()
	c.cancel()
	for _, conn := range conns {
		if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			c.log.Debug("closing", "err", err)
		}
	}
}

// reason returns why the client has ended, or nil while it lives.
func (c *Client) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endLocked()
}

// own registers conn to be closed with the client. It closes it at once if the client has ended.
func (c *Client) own(conn io.Closer) error {
	c.mu.Lock()
	ended := c.ended
	if !ended {
		c.conns = append(c.conns, conn)
	}
	c.mu.Unlock()
	if !ended {
		return nil
	}
	return errors.Join(ErrClosed, conn.Close())
}

// wakeLocked tells those who wait for room in the book to look again.
func (c *Client) wakeLocked() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// joinedRoom returns the room we are in under that name.
func (c *Client) joinedRoom(name string) (Room, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.book.room(name)
	if !ok {
		return Room{}, fmt.Errorf("lab: room %q: %w", name, ErrNotJoined)
	}
	return r, nil
}

// addressFields returns CLIENT_IP and PORT: the callback address, or 0 and 0 for "the connection this comes over".
func (c *Client) addressFields() (ip, port string) {
	if !c.callback.IsValid() {
		return "0", "0"
	}
	return c.callback.Addr().String(), fmt.Sprint(c.callback.Port())
}
