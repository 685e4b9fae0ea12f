package reliable

import (
	"os"
	"time"
)

// A port is where an application's goroutines and the turns of a connection meet, one for the connection itself and one
// for each further stream. The connection's mutex guards it.
type port struct {
	in, out  fifo   // for Read, from Write
	readable waiter // readers
	writable waiter // writers
}

// An owner of a port says how its stream ends. Its methods need the connection's mutex.
type owner interface {
	// shut reports whether the application has closed it, so that even what is there is not read any more.
	shut() bool
	// readEnd and writeEnd return why nothing more can be read or written; nil: it can.
	readEnd() error
	writeEnd() error
}

func (p *port) init(c *Conn) { p.readable.cond.L, p.writable.cond.L = &c.mu, &c.mu }

// read is Read of the stream whose port it is.
func (p *port) read(c *Conn, o owner, b []byte) (int, error) {
	c.mu.Lock()
	n, err := p.tryRead(o, b)
	for n == 0 && err == nil && len(b) > 0 {
		p.readable.wait()
		n, err = p.tryRead(o, b)
	}
	// A turn leaves what does not fit in the machine, and the peer's window closed.
	reopened := n > 0 && p.in.len() < recvBufferBytes && p.in.len()+n >= recvBufferBytes
	c.mu.Unlock()
	if reopened {
		c.e.workers.push(c)
	}
	return n, err
}

// tryRead returns 0 and no error if there is nothing to read yet. It needs the lock.
func (p *port) tryRead(o owner, b []byte) (int, error) {
	switch {
	case p.readable.expired():
		return 0, os.ErrDeadlineExceeded
	case p.in.len() > 0 && !o.shut():
		return p.in.read(b), nil
	}
	return 0, o.readEnd()
}

// write is Write of the stream whose port it is.
func (p *port) write(c *Conn, o owner, b []byte) (int, error) {
	written := 0
	for {
		c.mu.Lock()
		n, err := p.tryWrite(o, b[written:])
		c.mu.Unlock()
		if n > 0 {
			c.e.workers.push(c)
		}
		written += n
		if err != nil || written == len(b) {
			return written, err
		}
		c.mu.Lock()
		for p.out.len() >= sendBufferBytes && o.writeEnd() == nil && !p.writable.expired() {
			p.writable.wait()
		}
		c.mu.Unlock()
	}
}

// tryWrite takes as much of b as there is room for. It needs the lock.
func (p *port) tryWrite(o owner, b []byte) (int, error) {
	if p.writable.expired() {
		return 0, os.ErrDeadlineExceeded
	}
	if err := o.writeEnd(); err != nil {
		return 0, err
	}
	n := min(len(b), sendBufferBytes-p.out.len())
	p.out.write(b[:n])
	return n, nil
}

// setLimits moves deadlines.
func (p *port) setLimits(c *Conn, t time.Time, read, write bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if read {
		p.readable.setLimit(t)
	}
	if write {
		p.writable.setLimit(t)
	}
	return nil
}

// take gives the machine's stream what was written. It needs the lock.
func (p *port) take(write func([]byte) int) {
	n := p.out.len()
	if n == 0 {
		return
	}
	p.out.drop(write(p.out.bytes()))
	if p.out.len() < n {
		p.writable.wake()
	}
}

// pull moves readable bytes into the buffer, up to its limit; at the end all of them, which the window bounds. It needs the
// lock.
func (p *port) pull(c *Conn, read func([]byte) int, all bool) (got bool) {
	for all || p.in.len() < recvBufferBytes {
		buf := c.e.scratch()
		n := read(buf[:])
		if n > 0 {
			p.in.write(buf[:n])
			got = true
		}
		c.e.scratchPool.Put(buf)
		if n == 0 {
			break
		}
	}
	return got
}

// wake has everybody look again.
func (p *port) wake() {
	p.readable.wake()
	p.writable.wake()
}

// stop gives timers back.
func (p *port) stop() {
	p.readable.stop()
	p.writable.stop()
}
