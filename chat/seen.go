package chat

// seen remembers the ids of the messages of devices that a log had last. Engines store an id once; this is
// the last line of defence, for one that has forgotten an id or has been put together from two copies: what
// comes once more is not shown once more. It is guarded by the room's mu.
type seen struct {
	seqs map[string]uint64 // The smallest Seq of each id.
	ids  []string          // In the order in which they came, in a circle.
	next int               // Where in ids the oldest is, once there are seenMax.
	lost map[string]uint64 // The greatest counter that was forgotten of each device, since it became too many of them.
}

// first reports whether the message of that id and number is the first one of that id, and remembers it.
func (s *seen) first(id string, seq uint64) bool {
	if dev, _ := cutID(id); dev == "" {
		return true // Visitors and servers take care of theirs.
	}
	if known, ok := s.seqs[id]; ok {
		s.seqs[id] = min(known, seq)
		return seq <= known
	}
	if s.seqs == nil {
		s.seqs, s.lost = make(map[string]uint64), make(map[string]uint64)
	}
	if len(s.ids) < seenMax {
		s.ids = append(s.ids, id)
	} else {
		s.forget(s.ids[s.next])
		s.ids[s.next] = id
		s.next = (s.next + 1) % seenMax
	}
	s.seqs[id] = seq
	return true
}

// forget forgets an id.
func (s *seen) forget(id string) {
	delete(s.seqs, id)
	if len(s.lost) >= seenMax {
		clear(s.lost)
	}
	dev, counter := cutID(id)
	s.lost[dev] = max(s.lost[dev], counter)
}

// repeats reports whether a message of that id came before the one of that number.
func (s *seen) repeats(id string, seq uint64) bool {
	known, ok := s.seqs[id]
	return ok && known < seq
}

// stale reports whether a message of that device is so far behind what it has said since, that it is not
// remembered whether it was said.
func (s *seen) stale(dev string, counter uint64) bool {
	_, known := s.seqs[deviceID(dev, counter)]
	return !known && counter <= s.lost[dev]
}

// isRepeatLocked reports whether an entry of the log is one that was there before, and remembers it while
// anybody is told about the room.
func (r *room) isRepeatLocked(msg Msg, rec record) bool {
	switch {
	case rec.account == "":
		return false
	case r.feed == nil && len(r.members) == 0:
		r.seen = nil
		return false
	case r.seen == nil:
		r.seen = new(seen)
	}
	return !r.seen.first(msg.ID, msg.Seq)
}

// withoutRepeats returns what was read without what came before, as far as that is known.
func (h *Hub) withoutRepeats(log string, msgs []Msg) []Msg {
	s := new(seen)
	kept := make([]Msg, 0, len(msgs))
	for _, msg := range msgs {
		if s.first(msg.ID, msg.Seq) {
			kept = append(kept, msg)
		}
	}
	if r := h.opened(log); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.seen != nil {
			all := kept
			kept = kept[:0]
			for _, msg := range all {
				if !r.seen.repeats(msg.ID, msg.Seq) {
					kept = append(kept, msg)
				}
			}
		}
	}
	h.stats.droppedRepeat.Add(uint64(len(msgs) - len(kept)))
	return kept
}

// remember looks at a message that a device wants to say: it returns the number it has already if it is
// remembered, and reports whether it is stale in a room that forgets. In one that is kept the engine knows better.
func (h *Hub) remember(log, dev string, counter uint64) (seq uint64, stale bool) {
	r := h.opened(log)
	if r == nil {
		return 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		return 0, false
	}
	return r.seen.seqs[deviceID(dev, counter)], r.forgets && r.seen.stale(dev, counter)
}
