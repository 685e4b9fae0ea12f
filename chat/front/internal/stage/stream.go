package stage

import "time"

// streamDelay is when what is written on a stream is known to have arrived: it was lost, and repaired.
const streamDelay = 300 * time.Millisecond

// A streamConn is a Conn with what a stream of a reliable connection adds for the session to find.
type streamConn struct{ *Conn }

// Arrived reports whether all that was written has arrived, and since when.
func (c streamConn) Arrived() (since time.Time, all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrote.IsZero() {
		return time.Time{}, true
	}
	at := c.wrote.Add(streamDelay)
	return at, !time.Now().Before(at)
}
