package chat

// A room keeps its place when nobody is in it any more, so that whoever comes back finds it under the same number. When all
// places are taken, the oldest room that nobody uses gives up its own: one that only visitors have been in on this Hub. Its
// number is never given to another one, and if its log forgets, it is forgotten. Whoever joins a room of that name makes a new
// one.

// A forgetter is an engine that can forget the log of a room that forgets anyway.
type forgetter interface {
	// Forget forgets the log of a room, unless somebody subscribes to it or it is one that is kept. It reports whether it has.
	Forget(room string) bool
}

// closeIdle has the oldest room that nobody uses give up its place, and reports whether there was one.
func (h *Hub) closeIdle() bool {
	r, stop := h.takeIdle()
	if r == nil {
		return false
	}
	if stop != nil {
		stop()
	}
	if f, ok := h.cfg.Engine.(forgetter); ok {
		f.Forget(r.name)
	}
	return true
}

// takeIdle takes the place of the oldest room that nobody uses; nil: there is none. stop ends its subscription; nil: there is
// none.
func (h *Hub) takeIdle() (idle *room, stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return nil, nil // Close closes them.
	}
	for {
		idle = nil
		for _, r := range h.rooms {
			if r.uses.Load() == 0 && (idle == nil || r.ref < idle.ref) {
				idle = r
			}
		}
		if idle == nil {
			return nil, nil
		}
		if stop, ok := idle.retire(); ok {
			delete(h.rooms, idle.ref)
			delete(h.byName, idle.name)
			return idle, stop
		}
	}
}

// retire closes the room unless it is in use: with its mu held nobody becomes a member by an entry of the log. The hub is
// locked, so that nobody comes by a Join.
func (r *room) retire() (stop func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.uses.Load() > 0 {
		return nil, false
	}
	stop, r.stop, r.closed = r.stop, nil, true
	return stop, true
}
