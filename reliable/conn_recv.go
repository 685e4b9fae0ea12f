package reliable

import (
	"io"
	"net"
	"net/netip"
	"os"
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

// pull moves readable bytes into the buffer, up to its limit; at the end of the connection all of them, which the
// window bounds. It needs the lock.
func (c *Conn) pull(all bool) (got bool) {
	for all || c.in.len() < recvBufferBytes {
		buf := c.e.scratch()
		n := c.m.Read(buf[:])
		if n > 0 {
			c.in.write(buf[:n])
			got = true
		}
		c.e.scratchPool.Put(buf)
		if n == 0 {
			break
		}
	}
	return got
}

// Read reads bytes in order. At the end it returns io.EOF if the peer closed without giving a reason to worry, otherwise
// why the connection ended: a *CloseError, or an error that is Timeout() when the peer was lost.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	n, err := c.tryRead(p)
	for n == 0 && err == nil && len(p) > 0 {
		c.readable.wait()
		n, err = c.tryRead(p)
	}
	// A turn leaves what does not fit in the machine, and the peer's window closed.
	reopened := n > 0 && c.in.len() < recvBufferBytes && c.in.len()+n >= recvBufferBytes
	c.mu.Unlock()
	if reopened {
		c.e.workers.push(c)
	}
	return n, err
}

// tryRead returns 0 and no error if there is nothing to read yet. It needs the lock.
func (c *Conn) tryRead(p []byte) (int, error) {
	switch {
	case c.readable.expired():
		return 0, os.ErrDeadlineExceeded
	case c.closed:
		return 0, c.endError()
	case c.in.len() > 0:
		return c.in.read(p), nil
	case c.err != nil:
		return 0, c.endError()
	}
	return 0, nil
}

// endError is what Read and Write report when nothing more can be done. It needs the lock.
func (c *Conn) endError() error {
	switch e := c.err.(type) {
	case nil:
		return net.ErrClosed
	case *CloseError:
		if e.Remote && e.Code == CodeNone && !c.closed {
			return io.EOF
		}
	}
	return c.err
}
