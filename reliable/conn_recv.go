package reliable

import (
	"io"
	"net"
	"net/netip"
)

// A datagram is a pooled buffer; who holds it last returns it to the endpoint.
type datagram struct {
	buf  [readBytes]byte
	n    int
	path Path // where it came from and went to
	ecn  ECN
	next *datagram // in the inbox
}

// An inbox is the datagrams that came in since the last turn, in their order. The zero value is empty.
type inbox struct {
	first, last *datagram
	len         int
	strangers   int // of len: not from the peer's address
}

func (b *inbox) add(d *datagram) {
	d.next = nil
	if b.first == nil {
		b.first = d
	} else {
		b.last.next = d
	}
	b.last = d
	b.len++
}

// post puts a datagram into the inbox. It takes d only if it returns true.
func (c *Conn) post(d *datagram) bool {
	c.mu.Lock()
	reason := c.admitLocked(d)
	if reason != dropNone {
		c.dropLocked(reason)
		c.mu.Unlock()
		return false
	}
	c.inbox.add(d)
	c.mu.Unlock()
	c.e.workers.push(c)
	return true
}

// admitLocked says why a datagram is not worth a look. A client may have moved; whether it has the machine finds out,
// from the few datagrams that strangers may have in the inbox.
func (c *Conn) admitLocked(d *datagram) Drop {
	if c.inbox.len == inboxDatagrams {
		return DropInboxFull
	}
	switch {
	case d.path.Remote == c.remote:
		d.path.Local = netip.Addr{} // No news.
	case !c.server:
		return DropAddress
	case c.inbox.strangers == strangerDatagrams:
		return DropInboxFull
	default:
		c.inbox.strangers++
	}
	return dropNone
}

// Read reads bytes in order. At the end it returns io.EOF if the peer closed without giving a reason to worry, otherwise
// why the connection ended: a *CloseError, or an error that is Timeout() when the peer was lost.
func (c *Conn) Read(p []byte) (int, error) { return c.read(c, c, p) }

func (c *Conn) shut() bool { return c.closed || c.leaving != nil }

func (c *Conn) readEnd() error {
	if c.err == nil && !c.shut() {
		return nil
	}
	return c.endError()
}

// endError is what Read and Write report when nothing more can be done. It needs the lock.
func (c *Conn) endError() error {
	switch e := c.err.(type) {
	case nil:
		return net.ErrClosed
	case *CloseError:
		if e.Remote && e.Code == CodeNone && !c.shut() {
			return io.EOF
		}
	}
	return c.err
}
