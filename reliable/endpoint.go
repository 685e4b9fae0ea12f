package reliable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
)

// An Endpoint owns one UDP socket, accepts connections on it and dials from it. Its methods are safe for concurrent
// use. It runs one goroutine, the reader, and a few workers that all its connections share.
type Endpoint struct {
	cfg    Config
	sock   socket
	shared *Shared

	accepted chan *Conn
	closing  chan struct{} // closed when no more connections are accepted
	streams  streamQueue   // for the StreamListener
	wg       sync.WaitGroup
	workers  workers

	datagrams   sync.Pool // of *datagram
	mailPool    sync.Pool // of *mail
	scratchPool sync.Pool // of *[scratchBytes]byte

	gate   *handshake.Gate // owned by the reader
	reset  *resetter       // owned by the reader; nil: what is forgotten is not answered
	tokens TokenStore

	mu       sync.Mutex
	closed   bool                                   // guarded by mu
	conns    map[wire.ConnID]*Conn                  // guarded by mu
	hellos   map[helloKey]*Conn                     // guarded by mu; connections others dialled
	resets   map[wire.ConnID]*Conn                  // guarded by mu; by the IDs of the resets their servers would send
	ended    timeWaitList                           // guarded by mu
	calls    map[wire.CallNonce]*outgoingCall       // guarded by mu
	awaited  map[netip.AddrPort]chan wire.CallNonce // guarded by mu
	meetings map[wire.CallNonce]chan netip.AddrPort // guarded by mu; where their peers were heard
	half     int                                    // guarded by mu; connections that are half-open
	stats    EndpointStats                          // guarded by mu
}

// scratchBytes is how much is moved from a connection's machine at once.
const scratchBytes = 16 << 10

// Listen opens a UDP socket on addr ("host:port"; an empty host means all addresses, port 0 a free one) and returns an
// endpoint that owns it.
func Listen(addr string, cfg Config) (*Endpoint, error) {
	udp, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("reliable: address %q: %w", addr, err)
	}
	conn, err := net.ListenUDP("udp", udp)
	if err != nil {
		return nil, fmt.Errorf("reliable: %w", err)
	}
	return NewEndpoint(conn, cfg)
}

// NewEndpoint returns an endpoint over a packet connection whose addresses are *net.UDPAddr. It owns pc from now on, and
// closes it also when it returns an error.
func NewEndpoint(pc net.PacketConn, cfg Config) (*Endpoint, error) {
	e, err := newEndpoint(pc, cfg)
	if err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	e.wg.Go(e.read) // Owns the gate; ends when the socket is closed.
	return e, nil
}

func newEndpoint(pc net.PacketConn, cfg Config) (*Endpoint, error) {
	cfg = cfg.withDefaults()
	sock, err := newSocket(pc, cfg.NoBatch)
	if err != nil {
		return nil, err
	}
	if udp, ok := sock.(*udpSocket); ok && !udp.whole {
		cfg.MTUMax = wire.DatagramBytesBase
	}
	cfg.Random = &lockedReader{r: cfg.Random}
	gate, err := handshake.NewGate(time.Now(), cfg.Random)
	if err != nil {
		return nil, err
	}
	tokens := cfg.Tokens
	if tokens == nil {
		tokens = &memoryTokens{}
	}
	e := &Endpoint{
		cfg: cfg, sock: sock, shared: NewShared(), gate: gate, tokens: tokens,
		accepted: make(chan *Conn, cfg.Backlog), closing: make(chan struct{}),
		conns: make(map[wire.ConnID]*Conn), hellos: make(map[helloKey]*Conn),
		calls:   make(map[wire.CallNonce]*outgoingCall),
		awaited: make(map[netip.AddrPort]chan wire.CallNonce), meetings: make(map[wire.CallNonce]chan netip.AddrPort),
		resets: make(map[wire.ConnID]*Conn),
	}
	if cfg.Identity != nil { // Else we have a key that nobody will have after us.
		if e.reset, err = newResetter(cfg.Identity, cfg.Node, sock.local()); err != nil {
			return nil, err
		}
	}
	e.streams.init(cfg.StreamBacklog)
	e.workers.init(e, time.Now())
	return e, nil
}

// add starts a connection. It reports false when the endpoint is closed.
func (e *Endpoint) add(c *Conn) bool {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return false
	}
	e.conns[c.m.local] = c
	if c.server {
		e.hellos[c.key] = c
		e.half++
	} else {
		e.stats.Dialled++
	}
	e.mu.Unlock()
	e.workers.push(c)
	return true
}

// remove forgets an ended connection, but for what latecomers need. The last turn is over.
func (e *Endpoint) remove(c *Conn) {
	now := time.Now()
	stats := c.Stats()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c.m.local)
	if r := c.m.forgotten; r != nil && e.resets[r.ID] == c {
		delete(e.resets, r.ID)
	}
	e.stats.Drops.add(&stats.Drops)
	if c.server {
		delete(e.hellos, c.key)
	}
	e.ended.expire(now)
	if c.server && !c.opened.set {
		e.half--
		e.stats.HalfOpenEnded++
	} else if c.m.remote != 0 {
		e.ended.add(now, &endedConn{
			local: c.m.local, key: c.key, path: c.path(), frame: c.m.closing.frame,
		})
	}
}

// opened hands a connection whose client has finished the handshake to Accept, or to the call it answers.
func (e *Endpoint) opened(c *Conn) {
	e.mu.Lock()
	e.half--
	e.stats.Accepted++
	e.mu.Unlock()
	switch {
	case c.call != nil:
		c.call.answer(c)
		c.call = nil
	case isClosed(e.closing):
		c.Abort(CodeShutdown, "the server is shutting down")
	default:
		select {
		case e.accepted <- c:
		default:
			c.Abort(CodeFull, "the server is full")
		}
	}
}

// Accept returns the next connection that somebody dialled. After Close it returns an error that matches net.ErrClosed.
func (e *Endpoint) Accept() (net.Conn, error) {
	select {
	case c := <-e.accepted:
		return c, nil
	case <-e.closing:
		return nil, fmt.Errorf("reliable: accept: %w", net.ErrClosed)
	}
}

// ServerKey returns the key by which clients know this endpoint.
func (e *Endpoint) ServerKey() (Key, error) {
	id, err := e.shared.ids.of(&e.cfg)
	if err != nil {
		return Key{}, err
	}
	return id.Key(), nil
}

// Addr returns the socket's address.
func (e *Endpoint) Addr() net.Addr { return net.UDPAddrFromAddrPort(e.sock.local()) }

func (e *Endpoint) stopAccepting() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !isClosed(e.closing) {
		close(e.closing)
	}
}

// Close closes the endpoint, its connections and the socket. It waits until what was written has been delivered, for
// at most Config.Linger.
func (e *Endpoint) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), e.cfg.Linger+time.Second)
	defer cancel()
	return e.Shutdown(ctx)
}

// Shutdown is Close with a limit of the caller's: when ctx is done the connections that are left are cut off and its
// error is returned.
func (e *Endpoint) Shutdown(ctx context.Context) error {
	e.stopAccepting()
	e.streams.close()
	e.mu.Lock()
	first := !e.closed
	e.closed = true
	conns := make([]*Conn, 0, len(e.conns))
	for _, c := range e.conns {
		conns = append(conns, c)
	}
	e.mu.Unlock()
	for _, c := range conns {
		c.finish(CodeShutdown, "the server is shutting down", false)
	}
	var err error
	for _, c := range conns {
		ended := c.wait(&c.ended)
		select {
		case <-ended:
		case <-ctx.Done():
			err = fmt.Errorf("reliable: shutdown: %w", ctx.Err())
			c.Abort(CodeShutdown, "the server is shutting down")
			<-ended
		}
	}
	if first {
		e.workers.close()
		err = errors.Join(err, e.sock.close())
	}
	e.wg.Wait()
	return err
}

// Stats returns the endpoint's figures so far.
func (e *Endpoint) Stats() EndpointStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Conns, s.HalfOpen = len(e.conns), e.half
	s.ReadCalls, s.WriteCalls = e.sock.calls()
	e.ended.expire(time.Now())
	s.TimeWait = len(e.ended.order)
	return s
}

// WritePlain sends a datagram that is none of ours through the endpoint's socket, from the address local if it is given.
func (e *Endpoint) WritePlain(b []byte, to netip.AddrPort, local netip.Addr) error {
	if err := e.sock.write(Datagram{Path: Path{Remote: to, Local: local}, Bytes: b}); err != nil {
		return fmt.Errorf("reliable: sending plain text: %w", err)
	}
	return nil
}

func (e *Endpoint) newDatagram() *datagram {
	if d, ok := e.datagrams.Get().(*datagram); ok {
		return d
	}
	return new(datagram)
}

func (e *Endpoint) release(d *datagram) { e.datagrams.Put(d) }

func (e *Endpoint) scratch() *[scratchBytes]byte {
	if b, ok := e.scratchPool.Get().(*[scratchBytes]byte); ok {
		return b
	}
	return new([scratchBytes]byte)
}

// lockedReader lets several goroutines draw from one source.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader // guarded by mu
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
