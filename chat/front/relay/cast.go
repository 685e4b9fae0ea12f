package relay

import "sync"

// casts knows which users of this front-end are in the room, and which of them still have to acknowledge a broadcast. Its
// lock is taken with the room locked, so what it knows is right for every event.
type casts struct {
	mu      sync.Mutex
	present map[*user]bool   // Who is told what is said in the room. Guarded by mu.
	byEvent map[string]*cast // By the message id. Guarded by mu.
}

// A cast is one broadcast by a user of this front-end.
type cast struct {
	id      string         // Of the message; empty until it comes back from the core. Guarded by casts.mu, like all that follows.
	pending map[*user]bool // Who has not answered.
	err     error          // errNotTaken: one of them has answered with an error, or not at all.
	done    chan struct{}  // Closed when nobody is pending.
	over    bool           // done is closed.
}

func newCast() *cast { return &cast{done: make(chan struct{})} }

// enter notes that u is in the room.
func (c *casts) enter(u *user) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.present == nil {
		c.present, c.byEvent = make(map[*user]bool), make(map[string]*cast)
	}
	c.present[u] = true
}

// leave notes that u is in the room no longer: nobody waits for it.
func (c *casts) leave(u *user) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.present, u)
	for _, k := range c.byEvent {
		c.settleLocked(k, u, nil)
	}
}

// begin is called when what u broadcasts with k comes back from the core, before all others are told of it.
func (c *casts) begin(k *cast, id string, u *user) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.id != "" {
		return
	}
	k.id = id
	k.pending = make(map[*user]bool, len(c.present))
	for other := range c.present {
		if other != u {
			k.pending[other] = true
		}
	}
	c.byEvent[id] = k
	c.finishLocked(k)
}

// settle is the answer of u to the broadcast with that message id, if it is one.
func (c *casts) settle(id string, u *user, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.byEvent[id]; k != nil {
		c.settleLocked(k, u, err)
	}
}

func (c *casts) settleLocked(k *cast, u *user, err error) {
	if !k.pending[u] {
		return
	}
	delete(k.pending, u)
	if err != nil {
		k.err = errNotTaken // Whatever it was: it was not this sender's head (PROTOCOL.md 3.3).
	}
	c.finishLocked(k)
}

func (c *casts) finishLocked(k *cast) {
	if len(k.pending) > 0 || k.over {
		return
	}
	k.over = true
	close(k.done)
	delete(c.byEvent, k.id)
}

// end gives up on those who have not answered, and returns what became of the broadcast: nil if all have it.
func (c *casts) end(k *cast) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byEvent, k.id)
	if !k.over {
		return errNoReceipt
	}
	return k.err
}
