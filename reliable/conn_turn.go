package reliable

import "time"

// turn lets the machine take part in the world once. Whoever runs it owns the machine meanwhile: the workers see to it
// that nobody else does. What the machine sends goes into the batch. It returns when the next turn is due at the latest,
// false when the connection has ended.
//
//	datagrams, bytes to send, the wish to close → machine → datagrams, readable bytes, the next time
func (c *Conn) turn(now time.Time, b *batch) (next time.Time, alive bool) {
	c.batch = b
	c.feed(now)
	c.m.Advance(now)
	c.publish()
	return c.m.NextAt(now)
}

// feed hands the machine what came since the last turn: datagrams, bytes to send, the wish to close.
func (c *Conn) feed(now time.Time) {
	c.mu.Lock()
	arrived := c.inbox.first
	c.inbox = inbox{}
	closed, abort, code, text := c.closed, c.abort, c.closeCode, c.closeText
	c.take(c.m.Write)
	c.feedStreamsLocked()
	c.mu.Unlock()
	for d := arrived; d != nil; {
		next := d.next
		c.m.Handle(now, Datagram{Path: d.path, ECN: d.ecn, Bytes: d.buf[:d.n]})
		c.e.release(d)
		d = next
	}
	switch {
	case abort:
		c.m.Abort(now, code, text)
	case closed: // What is left in out follows while the machine lingers.
		c.m.Close(now, code, text)
	}
}

// publish makes what the machine has visible to readers and writers.
func (c *Conn) publish() {
	err := c.m.Err()
	c.mu.Lock()
	if c.shut() {
		c.in = fifo{} // Nobody may read any more; taking the bytes keeps the peer's window open until it hears.
	}
	got := c.pull(c, c.m.Read, err != nil)
	c.stats = c.m.Stats()
	c.err = err
	c.publishStreamsLocked()
	c.checkLeavingLocked()
	from, to := c.followLocked()
	if got || err != nil {
		c.readable.wake()
	}
	if err != nil {
		c.writable.wake()
	}
	c.mu.Unlock()
	if from != to {
		c.e.cfg.Logger.Info("connection moved", "from", from, "peer", to)
	}
	c.publishHandshake()
}

// publishHandshake tells who waits for it that the handshake is over. A client may have said and closed all within the
// turn that opened the connection: what it said is still to be read.
func (c *Conn) publishHandshake() {
	if b := c.m.takeToken(); b != nil {
		c.e.tokens.StoreToken(c.remote, b)
	}
	if c.m.forgotten != nil && !c.resettable {
		c.resettable = true
		c.e.awaitReset(c)
	}
	if c.opened.set && !c.server && c.call != nil && c.m.finish.data == nil { // A meeting: the peer has our key, too.
		c.call.answer(c)
		c.call = nil
	}
	if c.opened.set || !c.m.Open() && !(c.server && c.m.keys != nil) { // Only we set it.
		return
	}
	c.mu.Lock()
	c.opened.happen()
	c.mu.Unlock()
	if c.server {
		c.e.opened(c)
	}
}

// end is called after the last turn and everything it sent.
func (c *Conn) end() {
	c.e.remove(c)
	c.mu.Lock()
	c.stop()
	if c.leaving != nil {
		c.leaving.Stop()
	}
	if c.streams != nil {
		for _, s := range c.streams.list {
			s.stop()
		}
	}
	c.ended.happen()
	c.mu.Unlock()
}
