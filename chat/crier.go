package chat

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A crier is a goroutine of the Hub, which begins with the first device: it tells the other nodes who is
// here, hears what they say, and writes down read markers.
type crier struct {
	hub  *Hub
	self nodeID
	wake chan struct{} // Has one entry when there is something to do.
	runs atomic.Bool   // It was started, and the others with it. Set with the hub's mu held.
	wg   sync.WaitGroup
	line line

	mu    sync.Mutex // One of the innermost: nothing is locked while it is held.
	inbox []nodeMessage
}

// Start has the Hub hear from other nodes who is there, and say it. The first LogIn, Enter or Join does that, too, but
// then whoever comes first is there before it is known who else is. Close ends it.
func (h *Hub) Start() {
	if h.crier.runs.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() || h.crier.runs.Load() {
		return
	}
	h.crier.runs.Store(true)
	h.crier.wg.Go(h.crier.run)
	h.crier.wg.Go(h.runTeller)
	h.crier.wg.Go(h.post.run)
}

// wakeCrier says that there is something to do. It never blocks.
func (h *Hub) wakeCrier() {
	select {
	case h.crier.wake <- struct{}{}:
	default:
	}
}

func (c *crier) run() {
	tick := time.NewTicker(crierTick)
	defer tick.Stop()
	defer c.hub.flushMarks()
	defer c.line.close()
	for listened := time.Now(); ; {
		if c.line.listen(c.take) {
			c.send(nodeMessage{kind: nodeAsk, from: c.self})
		}
		c.listen()
		c.tellNews()
		select {
		case <-c.wake:
		case <-tick.C:
			c.send(c.hub.people.alive(c.self))
			now := time.Now()
			if late := now.Sub(listened); late > 2*crierTick || c.line.mute {
				c.hub.people.excuse(now, late)
			}
			listened = now
			c.hub.reseat(c.hub.people.expire(now))
			c.hub.flushMarks()
		case <-c.hub.done:
			c.tellNews() // Those who have just gone because the server ends.
			return
		}
	}
}

// tellNews tells the other nodes what has changed.
func (c *crier) tellNews() {
	for m, ok := c.hub.people.news(c.self); ok; m, ok = c.hub.people.news(c.self) {
		c.send(m)
	}
}

// take queues what was sent on the log. The engine calls it.
func (c *crier) take(msg Msg) {
	if isFrom(msg.Data, c.self) {
		return
	}
	m, ok := decodeNodeMessage(msg.Data)
	if !ok || msg.Seq != 0 {
		return
	}
	c.mu.Lock()
	if len(c.inbox) < nodeInboxMax {
		c.inbox = append(c.inbox, m) // What is too much is missed, and asked for later.
	}
	c.mu.Unlock()
	c.hub.wakeCrier()
}

// listen takes what is queued.
func (c *crier) listen() {
	c.mu.Lock()
	inbox := c.inbox
	c.inbox = nil
	c.mu.Unlock()
	asked, rooms := false, make(map[string]bool)
	for _, m := range inbox {
		h := c.hub.people.hear(c.self, m, time.Now())
		if h.ask != 0 {
			c.send(nodeMessage{kind: nodeAsk, from: c.self, of: h.ask})
		}
		asked = asked || h.asked
		for room, first := range h.rooms {
			rooms[room] = rooms[room] || first
		}
	}
	c.hub.reseat(rooms)
	if asked {
		for _, part := range c.hub.people.everything(c.self) {
			c.send(part)
		}
	}
}

func (c *crier) send(m nodeMessage) { c.line.send(m.encode()) }

// flushMarks writes the read markers of all accounts that were moved.
func (h *Hub) flushMarks() {
	h.mu.RLock()
	accounts := make([]*account, 0, len(h.accounts))
	for _, a := range h.accounts {
		accounts = append(accounts, a)
	}
	h.mu.RUnlock()
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	for _, a := range accounts {
		if !isDone(a.ready) || a.err != nil {
			continue
		}
		if err := a.flushMarks(ctx); err != nil {
			h.log.Warn("read markers are not written down", "user", a.name, "err", err)
		}
	}
}
