package reliable

import (
	"io"
	"os"
)

// emit sends a datagram of the machine's.
func (c *Conn) emit(d Datagram) { c.batch.add(c, d) }

// sendFailed takes note that the system did not send a datagram. It is as good as lost on the way.
func (c *Conn) sendFailed() {
	c.mu.Lock()
	c.dropLocked(DropSendFailed)
	c.mu.Unlock()
}

// Write queues p and returns when all of it is queued; it blocks while too much is waiting. That it returns does not mean
// that the peer has anything.
func (c *Conn) Write(p []byte) (int, error) {
	written := 0
	for {
		c.mu.Lock()
		n, err := c.tryWrite(p[written:])
		c.mu.Unlock()
		if n > 0 {
			c.e.workers.push(c)
		}
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
		c.mu.Lock()
		for c.out.len() >= sendBufferBytes && c.err == nil && !c.closed && !c.writable.expired() {
			c.writable.wait()
		}
		c.mu.Unlock()
	}
}

// tryWrite takes as much of p as there is room for. It needs the lock.
func (c *Conn) tryWrite(p []byte) (int, error) {
	if c.writable.expired() {
		return 0, os.ErrDeadlineExceeded
	}
	if c.err != nil || c.closed {
		err := c.endError()
		if err == io.EOF {
			err = c.err
		}
		return 0, err
	}
	n := min(len(p), sendBufferBytes-c.out.len())
	c.out.write(p[:n])
	return n, nil
}
