package plain

import (
	"net"
	"time"
)

// This file decides how long connections live.

// listOf returns the list an open connection belongs in.
func (l *Listener) listOf(c *Conn) *list {
	if c.proven {
		return &l.proven
	}
	return &l.unproven
}

// makeRoomLocked makes room for one more connection and reports whether there is any. proven says
// whether the new one counts as proven from the beginning.
func (l *Listener) makeRoomLocked(proven bool) bool {
	if !proven && l.unproven.n >= l.cfg.UnprovenMax {
		l.evictLocked()
	}
	if len(l.conns) < l.cfg.ConnsMax {
		return true
	}
	if l.closedOnes.oldest != nil {
		l.forgetLocked(l.closedOnes.oldest)
		return true
	}
	return l.evictLocked()
}

// evictLocked ends the unproven connection longest silent and reports whether there was one.
func (l *Listener) evictLocked() bool {
	c := l.unproven.oldest
	if c == nil {
		return false
	}
	l.stats.Evicted++
	l.endLocked(c, ErrEvicted)
	return true
}

// endLocked ends an open connection: Write fails from now on, Read too after what waits was read
// (at once if err is net.ErrClosed, which means that our own side closed it). Nothing about it is
// remembered.
func (l *Listener) endLocked(c *Conn, err error) {
	l.stopLocked(c, err)
	l.forgetLocked(c)
}

// stopLocked makes all calls on a connection fail with err.
func (l *Listener) stopLocked(c *Conn, err error) {
	c.err = err
	if err == net.ErrClosed {
		c.discardLocked()
	}
	c.readBy.stop()
	c.readable.Broadcast()
}

// retireLocked ends an open connection as its session wishes. It stays known as long as a repeat
// of its last datagram may come.
func (l *Listener) retireLocked(now time.Duration, c *Conn) {
	if l.closed || !c.last.fresh(now) {
		l.endLocked(c, net.ErrClosed)
		return
	}
	l.stopLocked(c, net.ErrClosed)
	delete(l.answered, c)
	c.move(now, &l.closedOnes)
	l.armLocked(now, now+RepeatWindow)
}

// forgetLocked removes a connection that has ended from all tables. It must be in them still: its
// source may have another one later.
func (l *Listener) forgetLocked(c *Conn) {
	c.remove()
	delete(l.conns, c.remote)
	delete(l.answered, c)
	c.last = request{}
	if len(l.conns) == 0 && l.armed && l.timer.Stop() {
		l.armed = false
	}
}

// sweep runs on the timer's goroutine, ends what has been silent too long, frees answers no repeat
// can ask for, and sets the timer for the next time.
func (l *Listener) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.armed = false
	for _, q := range []*list{&l.proven, &l.unproven} {
		for c := q.oldest; c != nil && c.heard+l.cfg.IdleTimeout <= now; c = q.oldest {
			l.stats.Idle++
			l.endLocked(c, ErrIdle)
		}
		if q.oldest != nil {
			l.armLocked(now, q.oldest.heard+l.cfg.IdleTimeout)
		}
	}
	for c := l.closedOnes.oldest; c != nil && c.heard+RepeatWindow <= now; c = l.closedOnes.oldest {
		l.forgetLocked(c)
	}
	if c := l.closedOnes.oldest; c != nil {
		l.armLocked(now, c.heard+RepeatWindow)
	}
	for c := range l.answered {
		if !c.last.fresh(now) {
			c.last.answers, c.last.answerBytes = nil, 0
			delete(l.answered, c)
		}
	}
	if len(l.answered) > 0 {
		l.armLocked(now, now+RepeatWindow)
	}
}

// armLocked makes sure that sweep runs at the given moment or before.
func (l *Listener) armLocked(now, at time.Duration) {
	if l.armed && l.wake <= at {
		return
	}
	if l.armed && !l.timer.Stop() {
		return // It has just fired: sweep waits for the lock and will look for itself.
	}
	l.armed, l.wake = true, at
	if l.timer == nil {
		l.timer = time.AfterFunc(at-now, l.sweep)
	} else {
		l.timer.Reset(at - now)
	}
}
