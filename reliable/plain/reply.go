package plain

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// reply is a connection that only writes: to another port of a peer's host. It lives as long as
// the connection it came from, and what it sends counts against the same limit for unproven
// sources. Safe for concurrent use.
type reply struct {
	c  *Conn          // constant
	to netip.AddrPort // constant

	// Guarded by c.l.mu; c.readable tells of changes.
	closed  bool
	readBy  deadline
	writeBy deadline
}

var _ net.Conn = (*reply)(nil)

// ReplyTo returns a connection that sends to another port of the peer's host. Nothing is ever read
// from it: Read blocks until one of the two connections ends. What that port sends comes from
// another source and makes a connection of its own. A datagram proves nothing about other hosts,
// so an address that is not the peer's is refused with ErrOtherHost.
func (c *Conn) ReplyTo(to netip.AddrPort) (net.Conn, error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	// A zone names one of our interfaces, so the peer cannot know it.
	host := to.Addr().Unmap().WithZone(c.remote.Addr().Zone())
	to = netip.AddrPortFrom(host, to.Port())
	switch {
	case c.err != nil:
		return nil, c.err
	case to.Port() == 0 || host != c.remote.Addr():
		return nil, ErrOtherHost
	case ours(to, c.local):
		return nil, ErrOwnAddress
	}
	return &reply{c: c, to: to}, nil
}

// Read returns no bytes ever. It blocks until the deadline has passed or the connection has ended.
func (r *reply) Read([]byte) (int, error) {
	l := r.c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case r.endLocked() != nil:
			return 0, r.endLocked()
		case r.readBy.passed(l.now()):
			return 0, os.ErrDeadlineExceeded
		}
		r.c.readable.Wait()
	}
}

// endLocked returns why the connection has ended, or nil.
func (r *reply) endLocked() error {
	if r.closed {
		return net.ErrClosed
	}
	return r.c.err
}

// Write sends b as one datagram, under the rules of Conn.Write.
func (r *reply) Write(b []byte) (int, error) {
	l := r.c.l
	l.mu.Lock()
	err := r.endLocked()
	if err == nil && r.writeBy.passed(l.now()) {
		err = os.ErrDeadlineExceeded
	}
	l.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return r.c.write(b, r.to)
}

// NoteAnswer is Conn.NoteAnswer for an answer that went this way; a repeat gets it this way again.
func (r *reply) NoteAnswer(b []byte) { r.c.noteAnswer(b, r.to) }

// Proven is Conn.Proven of the connection this one came from.
func (r *reply) Proven() { r.c.Proven() }

// Alive is Conn.Alive of the connection this one came from.
func (r *reply) Alive() { r.c.Alive() }

// Close ends this connection and leaves the one it came from alone.
func (r *reply) Close() error {
	l := r.c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.closed {
		return net.ErrClosed
	}
	r.closed = true
	r.readBy.stop()
	r.c.readable.Broadcast()
	return nil
}

// LocalAddr is Conn.LocalAddr of the connection this one came from.
func (r *reply) LocalAddr() net.Addr { return r.c.LocalAddr() }

// RemoteAddr returns the address Write sends to.
func (r *reply) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(r.to) }

// SetDeadline sets both deadlines.
func (r *reply) SetDeadline(t time.Time) error {
	return errors.Join(r.SetReadDeadline(t), r.SetWriteDeadline(t))
}

// SetReadDeadline sets when Read gives up. Zero: never.
func (r *reply) SetReadDeadline(t time.Time) error { return r.setDeadline(&r.readBy, t, r.c.wake) }

// SetWriteDeadline sets from when Write fails. Zero: never.
func (r *reply) SetWriteDeadline(t time.Time) error { return r.setDeadline(&r.writeBy, t, nil) }

func (r *reply) setDeadline(d *deadline, t time.Time, wake func()) error {
	l := r.c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.endLocked() != nil {
		return net.ErrClosed
	}
	d.to(l.now(), t, wake)
	r.c.readable.Broadcast() // A reader may have to give up at once.
	return nil
}
