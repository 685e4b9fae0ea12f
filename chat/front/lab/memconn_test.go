package lab

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	wire "udpchat/chat/wire/lab"
)

var errReset = errors.New("connection reset by peer")

// A memConn is the server's end of a connection in memory. What the server writes is kept as it was written; what it
// reads is what send was given, one segment a Read.
type memConn struct {
	name          string
	local, remote netip.AddrPort
	datagrams     bool // One Write is one datagram, and the conn has what plain datagrams have.

	mu       sync.Mutex
	changed  sync.Cond // On mu: in, err, closed or deadline.
	in       [][]byte  // Guarded by mu, like all that follows.
	err      error     // What Read returns after in.
	closed   bool
	deadline time.Time
	timer    *time.Timer
	stuck    bool // Writes block, as to a peer that does not read.

	out     []write        // Not yet looked at.
	proven  int            // Calls of Proven.
	alive   int            // Calls of Alive.
	answers map[string]int // What NoteAnswer was given and is not written yet.
}

// A write is one Write of the server, or one thing that happened to the connection.
type write struct {
	bytes  []byte
	answer bool // Reply was used, not Enqueue. Datagrams only.
}

func newMemConn(name, remote string, datagrams bool) *memConn {
	from := netip.MustParseAddrPort(remote)
	local := netip.MustParseAddrPort("10.0.0.1:4000")
	switch {
	case from.Addr().Is4In6(): // As on a socket for both families.
		local = netip.MustParseAddrPort("[::ffff:10.0.0.1]:4000")
	case from.Addr().Is6():
		local = netip.MustParseAddrPort("[2001:db8::1%eth0]:4000")
	}
	c := &memConn{
		name:      name,
		local:     local,
		remote:    from,
		datagrams: datagrams,
		answers:   make(map[string]int),
	}
	c.changed.L = &c.mu
	return c
}

// send gives the server a segment or datagram to read.
func (c *memConn) send(b string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, []byte(b))
	c.changed.Broadcast()
}

// end has the server's Read return err once everything was read: io.EOF or a loss.
func (c *memConn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.changed.Broadcast()
}

// setStuck has writes block until the connection is closed.
func (c *memConn) setStuck() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stuck = true
}

// take returns what was written since the last call, and whether the server has closed the connection.
func (c *memConn) take() (out []write, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, c.out = c.out, nil
	return out, c.closed
}

func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, net.ErrClosed
		case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(c.in) > 0:
			n := copy(p, c.in[0])
			if c.in[0] = c.in[0][n:]; len(c.in[0]) == 0 {
				c.in = c.in[1:]
			}
			return n, nil
		case c.err != nil:
			return 0, c.err
		}
		c.changed.Wait()
	}
}

func (c *memConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.stuck && !c.closed {
		c.changed.Wait()
	}
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.err != nil && c.err != io.EOF:
		return 0, c.err
	}
	answer := c.answers[string(p)] > 0
	if answer {
		c.answers[string(p)]--
	}
	c.out = append(c.out, write{bytes: append([]byte(nil), p...), answer: answer})
	return len(p), nil
}

func (c *memConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *memConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *memConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if in := time.Until(t); !t.IsZero() && in > 0 {
		c.timer = time.AfterFunc(in, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.changed.Broadcast()
		})
	}
	c.changed.Broadcast()
	return nil
}

// SetWriteDeadline lets go of a stuck Write when the session is aborted; no test waits for a write to time out.
func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stuck && !t.IsZero() && t.Before(time.Now()) {
		c.closed = true
		c.changed.Broadcast()
	}
	return nil
}

// plainConn is a memConn with what plain datagrams add.
type plainConn struct{ *memConn }

func (c plainConn) Proven() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proven++
}

func (c plainConn) Alive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive++
}

func (c plainConn) NoteAnswer(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[string(b)]++
}

// whole reports whether b is nothing but whole replies.
func whole(b []byte) bool {
	var d wire.ReplyDecoder
	d.Feed(b)
	n := 0
	for {
		r, ok, err := d.Next()
		if err != nil {
			return false
		}
		if !ok {
			break
		}
		if _, unknown := r.(wire.UnknownReply); unknown {
			return false
		}
		n += len(wire.AppendReply(nil, r))
	}
	return n == len(b)
}
