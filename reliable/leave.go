package reliable

import "time"

// leave has the connection close when its streams, which belong to others, are not in use any more. It reports false if
// none is. A connection that is leaving is closed for who has it, but not for who has its streams.
func (c *Conn) leave(code uint32, text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving != nil || c.closed || !c.lentLocked() {
		return c.leaving != nil
	}
	c.closeCode, c.closeText = code, text
	c.leaving = time.AfterFunc(c.e.cfg.Linger, func() { c.finish(code, text, false) })
	c.wake()
	return true
}

// lentLocked reports whether somebody uses a stream that did not come from the connection itself.
func (c *Conn) lentLocked() bool {
	if c.e.cfg.StreamBacklog == 0 || c.streams == nil || c.err != nil {
		return false
	}
	for _, s := range c.streams.list {
		if !s.closed && !s.abort {
			return true
		}
	}
	return false
}

// checkLeavingLocked closes a connection that is leaving when nothing keeps it any more.
func (c *Conn) checkLeavingLocked() {
	if c.leaving != nil && !c.closed && !c.lentLocked() {
		c.closed = true
		c.e.workers.push(c)
	}
}
