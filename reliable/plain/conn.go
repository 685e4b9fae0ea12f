package plain

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Conn is what came from one source and what goes to it. It is a net.Conn, with the boundaries of
// datagrams kept. Safe for concurrent use.
type Conn struct {
	l      *Listener      // constant
	remote netip.AddrPort // constant

	// All that follows is guarded by l.mu.
	readable sync.Cond      // queue, err or a deadline changed
	local    netip.AddrPort // where the last datagram was sent to
	queue    [][]byte       // datagrams that wait to be read
	rest     []byte         // of a datagram that did not fit the buffer of Read
	err      error          // why the connection ended; nil while it is open
	proven   bool           // the source is no forgery, or cannot be one
	born     time.Duration  // when the source was heard first
	received uint64         // bytes
	sent     uint64         // bytes
	last     request        // the last datagram, for knowing its repeats
	readBy   deadline
	writeBy  deadline

	heard        time.Duration // when the source was heard last
	in           *list
	older, newer *Conn // in the list
}

var _ net.Conn = (*Conn)(nil)

// hearLocked notes that a datagram of n bytes came from the source.
func (c *Conn) hearLocked(now time.Duration, n int, local netip.AddrPort) {
	c.received += uint64(n)
	c.local = local
	if c.err == nil {
		c.move(now, c.in)
	}
}

// queueLocked puts a copy of a datagram where Read finds it, if there is room. A datagram for
// which there is none leaves no trace: when the client repeats it, it is new.
func (c *Conn) queueLocked(now time.Duration, b []byte, sum uint64) {
	switch {
	case len(c.queue) >= queueMax:
		c.l.stats.DroppedQueue++
		return
	case c.l.queued+len(b) > queuedBytesMax:
		c.l.stats.DroppedMemory++
		return
	}
	c.queue = append(c.queue, bytes.Clone(b))
	c.l.queued += len(b)
	c.l.stats.Delivered++
	delete(c.l.answered, c)
	c.last = request{sum: sum, at: now, set: true}
	c.readable.Broadcast()
}

// spendLocked reports whether n bytes may be sent, and counts them as sent or as dropped.
func (c *Conn) spendLocked(n int) bool {
	if !c.proven && c.sent+uint64(n) > c.unprovenMaxLocked() {
		c.l.stats.DroppedUnproven++
		return false
	}
	c.sent += uint64(n)
	c.l.countSentLocked(n)
	return true
}

// unprovenMaxLocked is how many bytes the source may have been sent by now if it is not proven.
func (c *Conn) unprovenMaxLocked() uint64 {
	age := c.l.now() - c.born
	return min(AmplificationMax*c.received, UnprovenBytes+uint64(age/time.Second)*UnprovenBytesPerSecond)
}

// Read returns the next datagram. It blocks until there is one, the deadline has passed or the
// connection has ended. When p is too short, the next Read returns the rest.
func (c *Conn) Read(p []byte) (int, error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	for {
		switch {
		case c.err == net.ErrClosed:
			return 0, net.ErrClosed
		case c.readBy.passed(c.l.now()):
			return 0, os.ErrDeadlineExceeded
		case len(c.rest) > 0:
			n := copy(p, c.rest)
			c.rest = c.rest[n:]
			return n, nil
		case len(c.queue) > 0:
			c.nextLocked()
		case c.err != nil:
			return 0, c.err
		default:
			c.readable.Wait()
		}
	}
}

// nextLocked takes the next datagram from the queue.
func (c *Conn) nextLocked() {
	c.rest, c.queue[0] = c.queue[0], nil
	c.l.queued -= len(c.rest)
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil // Frees the array.
		c.last.read = true
	}
}

// discardLocked throws away what waits to be read.
func (c *Conn) discardLocked() {
	for _, b := range c.queue {
		c.l.queued -= len(b)
	}
	c.queue, c.rest = nil, nil
}

// Write sends b as one datagram; no bytes are no datagram. It does not block and does not keep b.
// Success says nothing about arrival: a datagram that is longer than WriteBytesMax, that an
// unproven source may not get, or that the socket refuses, is dropped, counted and reported as
// written.
func (c *Conn) Write(b []byte) (int, error) { return c.write(b, c.remote) }

func (c *Conn) write(b []byte, to netip.AddrPort) (int, error) {
	local, ok, err := c.admit(len(b))
	if err != nil {
		return 0, err
	}
	if !ok {
		return len(b), nil
	}
	if err := c.l.send(b, to, local); errors.Is(err, net.ErrClosed) {
		return 0, fmt.Errorf("plain: writing to %v: %w", to, err)
	}
	return len(b), nil
}

// admit reports whether a datagram of n bytes may be sent, and from which local address. An error
// means that nothing can be sent any more.
func (c *Conn) admit(n int) (local netip.Addr, ok bool, err error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	switch {
	case c.err != nil:
		return netip.Addr{}, false, c.err
	case c.writeBy.passed(c.l.now()):
		return netip.Addr{}, false, os.ErrDeadlineExceeded
	case n == 0:
		return netip.Addr{}, false, nil
	case n > WriteBytesMax:
		c.l.stats.DroppedOversized++
		return netip.Addr{}, false, nil
	}
	return c.local.Addr(), c.spendLocked(n), nil
}

// Proven says that the source has shown that it receives what we send: its address is not forged.
// From now on it may get any number of bytes, and is not evicted.
func (c *Conn) Proven() {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	if c.proven || c.err != nil {
		return
	}
	c.proven = true
	c.move(c.l.now(), &c.l.proven)
}

// Alive says that the peer is still there although nothing came from the source: it was heard from
// another one, and the caller knows that it is the same peer. It counts as if a datagram had come, but
// only for Config.IdleTimeout and for eviction.
func (c *Conn) Alive() {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	if c.err == nil {
		c.move(c.l.now(), c.in)
	}
}

// Close ends the connection and throws away what waits to be read. For RepeatWindow its last
// answers are still sent again for a repeat; anything else that comes from the source makes a new
// connection.
func (c *Conn) Close() error {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	switch c.err {
	case nil:
		c.l.retireLocked(c.l.now(), c)
	case net.ErrClosed:
		return net.ErrClosed
	default:
		c.discardLocked()
		c.err = net.ErrClosed
	}
	return nil
}

// LocalAddr returns the address the last datagram was sent to: a real one of this machine, if the
// reader of the socket knows it.
func (c *Conn) LocalAddr() net.Addr {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	return net.UDPAddrFromAddrPort(c.local)
}

// RemoteAddr returns the source address.
func (c *Conn) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(c.remote) }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets when Read gives up with os.ErrDeadlineExceeded. Zero: never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readBy, t) }

// SetWriteDeadline sets from when Write fails with os.ErrDeadlineExceeded. Zero: never. Write
// never waits.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeBy, t) }

func (c *Conn) setDeadline(d *deadline, t time.Time) error {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	if c.err != nil {
		return net.ErrClosed
	}
	wake := c.wake
	if d == &c.writeBy {
		wake = nil // Nobody waits.
	}
	d.to(c.l.now(), t, wake)
	c.readable.Broadcast() // A reader may have to give up at once.
	return nil
}

// wake makes those who wait in Read look again. It runs on a timer's goroutine.
func (c *Conn) wake() {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.readable.Broadcast()
}
