package relay

import (
	"maps"
	"sync"

	"udpchat/chat"
)

// casts knows which users of this front-end are in the room, and which of them still have to acknowledge a broadcast. Its
// lock is taken with the room locked, so what it knows is right for every event.
type casts struct {
	mu      sync.Mutex
	present map[*user]bool   // Who is told what is said in the room. Guarded by mu.
	byEvent map[string]*cast // By the message id. Guarded by mu.

	strange map[string]*strange // What users of other servers have said, or are about to. Guarded by mu, like the next.
	order   []string            // Their message ids, in the order in which they came.
}

// A cast is one broadcast by a user of this front-end.
type cast struct {
	said    *chat.Event    // nil until it comes back from the core. Guarded by casts.mu, like all that follows.
	pending map[*user]bool // Who has not answered.
	err     error          // errNotTaken: one of them has answered with an error, or not at all.
	begun   chan struct{}  // Closed when said is set.
	done    chan struct{}  // Closed when nobody is pending.
	over    bool           // done is closed.
}

func newCast() *cast { return &cast{begun: make(chan struct{}), done: make(chan struct{})} }

// A strange broadcast is one of another server, which may ask what has become of it here.
type strange struct {
	arrived bool                  // It was said here, too.
	pending map[*user]bool        // Who has not answered.
	failed  map[*user]error       // Who has not taken it.
	asked   map[*user]func(error) // Whose answer is waited for.
}

// enter notes that u is in the room.
func (c *casts) enter(u *user) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.present == nil {
		c.present, c.byEvent = make(map[*user]bool), make(map[string]*cast)
		c.strange = make(map[string]*strange)
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
	for _, s := range c.strange {
		s.settle(u, nil)
	}
}

// begin is called when what u broadcasts with k comes back from the core, before all others are told of it.
func (c *casts) begin(k *cast, said *chat.Event, u *user) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.said != nil {
		return
	}
	k.said = said
	k.pending = make(map[*user]bool, len(c.present))
	for other := range c.present {
		if other != u {
			k.pending[other] = true
		}
	}
	c.byEvent[said.ID] = k
	close(k.begun)
	c.finishLocked(k)
}

// settle is the answer of u to the broadcast with that message id, if it is one.
func (c *casts) settle(id string, u *user, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.byEvent[id]; k != nil {
		c.settleLocked(k, u, err)
	}
	if s := c.strange[id]; s != nil {
		s.settle(u, err)
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
	delete(c.byEvent, k.said.ID)
}

// end gives up on those who have not answered, and returns what became of the broadcast: nil if all have it.
func (c *casts) end(k *cast) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.said != nil {
		delete(c.byEvent, k.said.ID)
	}
	if !k.over {
		return errNoReceipt
	}
	return k.err
}

// strangeLocked returns what is known about a broadcast of another server. Of too many the oldest is forgotten.
func (c *casts) strangeLocked(id string) *strange {
	s := c.strange[id]
	if s == nil {
		s = &strange{failed: make(map[*user]error), asked: make(map[*user]func(error))}
		c.strange[id] = s
		if c.order = append(c.order, id); len(c.order) > strangeMax {
			for u := range c.strange[c.order[0]].asked {
				c.strange[c.order[0]].reply(u, errNoReceipt)
			}
			delete(c.strange, c.order[0])
			c.order = c.order[1:]
		}
	}
	return s
}

// hear is called when what a user of another server has said has come, before anybody is told of it.
func (c *casts) hear(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.strangeLocked(id)
	if s.arrived {
		return
	}
	s.arrived, s.pending = true, maps.Clone(c.present)
	for u := range s.asked {
		if !s.pending[u] {
			s.reply(u, nil) // It has come into the room since.
		}
	}
}

// answer has done called with what becomes of a broadcast of another server for u.
func (c *casts) answer(id string, u *user, done func(error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.strangeLocked(id)
	s.asked[u] = done
	if s.arrived && !s.pending[u] {
		s.reply(u, s.failed[u])
	}
}

// settle is the answer of u.
func (s *strange) settle(u *user, err error) {
	if s.arrived && !s.pending[u] {
		return
	}
	if delete(s.pending, u); len(s.pending) == 0 {
		s.pending = nil // A map does not shrink, and this one had everybody.
	}
	if err != nil {
		s.failed[u] = err
	}
	s.reply(u, err)
}

// reply tells whoever has asked for u.
func (s *strange) reply(u *user, err error) {
	if done := s.asked[u]; done != nil {
		delete(s.asked, u)
		done(err)
	}
}
