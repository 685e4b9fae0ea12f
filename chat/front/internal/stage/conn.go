package stage

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// clientAddr is where a client is if nothing is said.
const clientAddr = "10.0.0.2:50001"

var errReset = errors.New("connection reset by peer")

// A Conn is the server's end of a connection in memory. What the server writes is kept as it was written; what it reads
// is what Send was given, one segment or datagram a Read.
type Conn struct {
	Name string

	local, remote netip.AddrPort
	datagrams     bool // One Write is one datagram, and the server is given a plainConn.
	stream        bool // What is written arrives late, and the server is given a streamConn.

	mu         sync.Mutex
	changed    sync.Cond // On mu: in, err, closed or deadline.
	in         [][]byte  // Guarded by mu, like all that follows.
	err        error     // What Read returns after in.
	closed     bool
	deadline   time.Time
	timer      *time.Timer
	stuck      bool // Writes block, as to a peer that does not read.
	late       bool // The deadline of writes is over.
	writeTimer *time.Timer
	out        []write        // Not yet looked at.
	proven     int            // Calls of Proven.
	alive      int            // Calls of Alive.
	answers    map[string]int // What NoteAnswer was given and is not written yet.
	wrote      time.Time      // The last Write.
}

// A write is one Write of the server.
type write struct {
	bytes  []byte
	answer bool // It is the answer to a request. Datagrams only.
}

// NewConn returns a connection for tests that have a world of their own.
func NewConn(name string) *Conn { return newConn(name, clientAddr, false) }

func newConn(name, remote string, datagrams bool) *Conn {
	from := netip.MustParseAddrPort(remote)
	local := netip.MustParseAddrPort("10.0.0.1:4000")
	switch {
	case from.Addr().Is4In6(): // As on a socket for both families.
		local = netip.MustParseAddrPort("[::ffff:10.0.0.1]:4000")
	case from.Addr().Is6():
		local = netip.MustParseAddrPort("[2001:db8::1%eth0]:4000")
	}
	c := &Conn{Name: name, local: local, remote: from, datagrams: datagrams, answers: make(map[string]int)}
	c.changed.L = &c.mu
	return c
}

// Send gives the server a segment or datagram to read.
func (c *Conn) Send(b string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, []byte(b))
	c.changed.Broadcast()
}

// EOF has the server's Read end once everything was read: the client has nothing more to send, and still reads.
func (c *Conn) EOF() { c.end(io.EOF) }

// Lose breaks the connection.
func (c *Conn) Lose() { c.end(errReset) }

func (c *Conn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.changed.Broadcast()
}

// Stick has writes block until the connection is closed.
func (c *Conn) Stick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stuck = true
}

// Take returns what was written since the last call, one for each Write, and whether the server has closed the
// connection.
func (c *Conn) Take() (writes [][]byte, closed bool) {
	out, closed := c.take()
	for _, o := range out {
		writes = append(writes, o.bytes)
	}
	return writes, closed
}

func (c *Conn) take() (out []write, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, c.out = c.out, nil
	return out, c.closed
}

func (c *Conn) Read(p []byte) (int, error) {
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

func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.stuck && !c.closed && !c.late {
		c.changed.Wait()
	}
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.stuck && c.late:
		return 0, os.ErrDeadlineExceeded
	case c.err != nil && c.err != io.EOF:
		return 0, c.err
	}
	answer := c.answers[string(p)] > 0
	if answer {
		c.answers[string(p)]--
	}
	c.wrote = time.Now()
	c.out = append(c.out, write{bytes: append([]byte(nil), p...), answer: answer})
	return len(p), nil
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
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

// SetWriteDeadline lets go of a stuck Write when it is time.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writeTimer != nil {
		c.writeTimer.Stop()
		c.writeTimer = nil
	}
	in := time.Until(t)
	c.late = !t.IsZero() && in <= 0
	if !t.IsZero() && in > 0 {
		c.writeTimer = time.AfterFunc(in, func() { _ = c.SetWriteDeadline(t) }) // Always nil.
	}
	c.changed.Broadcast()
	return nil
}
