package reliable

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// A Conn is a reliable, ordered stream of bytes each way over an Endpoint's socket. It is a net.Conn: all methods are
// safe for concurrent use.
//
// The methods only put bytes into buffers and take them from there. A turn (conn_turn.go), run by one of the endpoint's
// workers when there is something to do, moves them to and from the connection's Machine.
type Conn struct {
	e      *Endpoint
	m      *Machine // owned by the turn
	key    helloKey
	call   *outgoingCall // the connection answers it; owned by the turn; nil: none
	server bool          // the peer dialled
	owner  bool          // the endpoint was made for this connection alone

	resettable bool // the endpoint knows the server's stateless reset; owned by the turn

	task  task   // its place among the workers; theirs
	batch *batch // of who runs the turn; owned by it

	mu        sync.Mutex
	inbox     inbox          // guarded by mu
	remote    netip.AddrPort // guarded by mu, set by the turn
	local     netip.AddrPort // guarded by mu, set by the turn
	moved     chan struct{}  // guarded by mu; one token; nil: nobody has asked
	moves     uint64         // guarded by mu; that were told
	port                     // guarded by mu; of the connection itself
	streams   *streamSet     // guarded by mu; further streams; nil: there were none
	opened    latch          // guarded by mu, set by the turn; the handshake is over
	ended     latch          // guarded by mu; there will be no more turns
	leaving   *time.Timer    // guarded by mu; ends the time for which Close waits for streams; nil: it does not wait
	closed    bool           // guarded by mu; Close was called, and nothing holds it up
	abort     bool           // guarded by mu; and nothing more is to be delivered
	closeCode uint32         // guarded by mu
	closeText string         // guarded by mu
	err       error          // guarded by mu; why it ended
	stats     ConnStats      // guarded by mu; as of the last turn
	dropped   *Drops         // guarded by mu; of datagrams that did not reach the machine; nil: none
}

func newConn(e *Endpoint, remote, local netip.AddrPort) *Conn {
	c := &Conn{e: e, remote: remote, local: local}
	c.init(c)
	return c
}

// path is the way to the peer, for the turn.
func (c *Conn) path() Path { return Path{Remote: c.remote, Local: c.local.Addr()} }

// Close ends the connection in order: everything written is still delivered, in the background, for at most
// Config.Linger; then the peer's Read returns io.EOF. It returns at once, unless the connection came from the function
// Dial: then it waits, and reports if not everything was delivered. Streams that came out of Endpoint.StreamListener belong
// to others: as long as they are in use, but no longer than Config.Linger, the connection stays for them.
func (c *Conn) Close() error { return c.CloseWithReason(CodeNone, "") }

// CloseWithReason is Close with a code and a text for the peer, which gets them as a *CloseError.
func (c *Conn) CloseWithReason(code uint32, text string) error {
	if !c.leave(code, text) {
		c.finish(code, text, false)
	}
	if !c.owner {
		return nil
	}
	<-c.wait(&c.ended)
	err := c.e.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == errLinger {
		return errLinger
	}
	return err
}

// Abort ends the connection at once. What the peer has not acknowledged may be lost.
func (c *Conn) Abort(code uint32, text string) { c.finish(code, text, true) }

func (c *Conn) finish(code uint32, text string, abort bool) {
	c.mu.Lock()
	if !c.closed {
		c.closed, c.closeCode, c.closeText = true, code, text
	}
	c.abort = c.abort || abort
	c.wakeLocked()
	c.mu.Unlock()
	c.e.workers.push(c)
}

// wakeLocked has everybody who reads or writes look again.
func (c *Conn) wakeLocked() {
	c.wake()
	if c.streams == nil {
		return
	}
	for _, s := range c.streams.list {
		s.wake()
	}
	notify(c.streams.news)
}

// wait returns a channel that is closed when the latch, one of c's, is set.
func (c *Conn) wait(l *latch) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.wait()
}

// waitOpen returns when the handshake is over, or why there is no connection.
func (c *Conn) waitOpen(ctx context.Context) error {
	opened, ended := c.wait(&c.opened), c.wait(&c.ended)
	select {
	case <-opened:
		return nil
	case <-ended:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-ctx.Done():
		c.Abort(CodeNone, "")
		<-ended
		return ctx.Err()
	}
}

// ServerKey returns the key the server has proven to have. It is the zero key on the server's own side.
func (c *Conn) ServerKey() Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.opened.set {
		return Key{}
	}
	return c.m.ServerKey() // Does not change any more.
}

// PeerKey returns the key the peer has proven to have, whoever dialled. Clients of ordinary connections prove none: it is
// zero then.
func (c *Conn) PeerKey() Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.opened.set {
		return Key{}
	}
	return c.m.peerKey // As above.
}

// SetDeadline sets both deadlines; see net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.setLimits(c, t, true, true) }

// SetReadDeadline sets when Read gives up with an error that is Timeout(). The zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setLimits(c, t, true, false) }

// SetWriteDeadline is SetReadDeadline for Write.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setLimits(c, t, false, true) }

// Stats returns the connection's figures so far; after its end, the last ones.
func (c *Conn) Stats() ConnStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	if c.dropped != nil {
		s.Drops.add(c.dropped)
	}
	return s
}

// dropLocked counts a datagram that did not reach the machine or the network.
func (c *Conn) dropLocked(reason Drop) {
	if c.dropped == nil {
		c.dropped = new(Drops)
	}
	c.dropped[reason]++
}

// Call has the peer's listener at the address to dial back to us, from the local address of this connection; see
// Endpoint.Call.
func (c *Conn) Call(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	local, remote := c.addrs()
	return c.e.call(ctx, to, local.Addr(), remote.Addr())
}
