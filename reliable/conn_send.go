package reliable

import (
	"io"
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
func (c *Conn) Write(p []byte) (int, error) { return c.write(c, c, p) }

func (c *Conn) writeEnd() error {
	if err := c.readEnd(); err != io.EOF {
		return err
	}
	return c.err
}
