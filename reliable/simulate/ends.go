package simulate

import (
	"errors"
	"net"
	"time"

	"udpchat/reliable"
)

// This file judges the ends of connections: the rules close, timeout, death and end of checker.go.

// ended takes note of the end of a side, which must have read all it can.
func (c *checker) ended(side Side, err error) {
	w := &c.sides[side]
	w.ended, w.endedAt, w.err = true, c.now(), err
	var timeout net.Error
	var closed *reliable.CloseError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		c.endedByTimeout(side, w)
	case errors.As(err, &closed) && closed.Remote:
		c.endedByPeer(side, closed)
	case errors.As(err, &closed):
		c.endedByItself(side, closed)
	default:
		c.fail("end", side, "ended by: %v", err)
	}
}

func (c *checker) endedByTimeout(side Side, w *witness) {
	peer := &c.sides[side.other()]
	config := &c.sc.Config
	silence := w.endedAt - w.heardAt
	switch {
	case w.closed && w.endedAt >= w.closeAt+config.Linger:
		c.lingered(side, w)
	case !w.open:
		if w.endedAt < config.HandshakeTimeout || c.sc.Ending != EndDead && !peer.ended {
			c.fail("timeout", side, "gave up the handshake: %v", w.err)
		}
		c.facts[HandshakeGivenUp]++
	case silence < min(silenceMax, config.IdleTimeout) || w.tries < triesMin:
		c.fail("timeout", side, "gave up after a silence of %v and %d tries: %v", silence, w.tries, w.err)
	case c.sc.Ending == EndDead:
		c.facts[DeadNoticed]++
	case side == Server && !w.known && w.accepts < triesMin:
		c.fail("timeout", side, "gave up a client that never heard from it after %d accepts: %v", w.accepts, w.err)
	case !peer.ended:
		c.facts[LivingGivenUp]++
	}
}

// lingered takes note that a close ran out of time, and whether it should have.
func (c *checker) lingered(side Side, w *witness) {
	c.facts[LingerRanOut]++
	_, stalled := c.sc.Plans[side.other()].stalled(w.closeAt)
	for _, s := range c.sc.Plans[side.other()].Stalls {
		stalled = stalled || s.From <= w.endedAt && s.To >= w.closeAt
	}
	well := w.closeAt >= c.sc.HealAt+lingerGraceMax && c.sc.Ending != EndDead && !stalled
	if well && !c.streams[side].whole() && !c.sides[side.other()].ended {
		c.fail("liveness", side, "lingering ran out on a good network")
	}
}

func (c *checker) endedByPeer(side Side, e *reliable.CloseError) {
	peer := &c.sides[side.other()]
	s := &c.streams[side.other()]
	whole := s.whole() && c.lostBytes(side) == 0 || c.sides[side].closed // Who has closed does not read any more.
	right := e.Code == c.sc.Code && e.Text == c.sc.Text
	// Acknowledgements may be missing although everything arrived.
	cut := c.sc.Ending == EndAbort || c.now() >= peer.closeAt+c.sc.Config.Linger
	switch {
	case !peer.closed:
		c.fail("close", side, "ended by the peer, which did not close: %v", e)
	case e.Code == reliable.CodeNone && !whole:
		c.fail("close", side, "told of an ordinary end, but %d messages of %d arrived", s.arrived, len(s.messages))
	case !right && !(cut && c.sc.Code == reliable.CodeNone && e.Code == reliable.CodeIncomplete):
		c.fail("close", side, "told %d %q, but the peer closed with %d %q", e.Code, e.Text, c.sc.Code, c.sc.Text)
	}
	if c.sides[side].closed {
		c.facts[ClosesCrossed]++
	}
	if c.sc.Ending == EndAbort {
		c.facts[PeerAborted]++
	}
}

func (c *checker) endedByItself(side Side, e *reliable.CloseError) {
	w := &c.sides[side]
	switch {
	case !w.closed:
		c.fail("close", side, "ended as if closed: %v", e)
	case e.Code != c.sc.Code || e.Text != c.sc.Text:
		c.fail("close", side, "told %d %q, but closed with %d %q", e.Code, e.Text, c.sc.Code, c.sc.Text)
	case c.sc.Ending != EndAbort && w.endedAt > w.closeAt+c.sc.Config.Linger+closingMax:
		c.fail("close", side, "closing took %v", w.endedAt-w.closeAt)
	case c.sc.Ending != EndAbort && !w.told && w.frames < closeFramesMin:
		c.fail("close", side, "sent %d close frames that nobody answered", w.frames)
	}
}

// finish checks what can be said only when both sides have ended.
func (c *checker) finish() {
	for side := range c.sides {
		c.finishSide(Side(side))
	}
}

func (c *checker) finishSide(side Side) {
	w, peer := &c.sides[side], &c.sides[side.other()]
	if !w.ended {
		return
	}
	_, byClose := errors.AsType[*reliable.CloseError](w.err)
	if w.open && w.told && !byClose && !w.closed {
		c.fail("close", side, "was sent a close frame and ended by: %v", w.err)
	}
	if byClose && w.closed && c.sc.Ending != EndAbort && !peer.closed && !c.streams[side].whole() {
		if e, _ := errors.AsType[*reliable.CloseError](w.err); !e.Remote {
			c.fail("close", side, "ended as if all were delivered, but %d messages of %d arrived",
				c.streams[side].arrived, len(c.streams[side].messages))
		}
	}
	if c.sc.Ending == EndDead {
		c.finishDead(side, w)
	}
}

// finishDead checks that a side of a dead connection noticed soon enough.
func (c *checker) finishDead(side Side, w *witness) {
	limit := max(c.sc.DeadAt[Client], c.sc.DeadAt[Server]) + 2*c.sc.Config.IdleTimeout + lingerGraceMax
	for _, span := range c.sc.Copies {
		limit = max(limit, span.To+copyAfter+2*c.sc.Config.IdleTimeout+lingerGraceMax) // Copies go their own way.
	}
	if !w.open {
		limit = c.sc.Config.HandshakeTimeout + time.Second
	}
	if w.endedAt > limit {
		c.fail("death", side, "noticed only at %v that the network was dead, %v is the limit", w.endedAt, limit)
	}
}
