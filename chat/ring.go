package chat

import "slices"

// A ring has the newest events of a log, so that most of what is asked for need not be read. It is
// guarded by the room's mu.
type ring struct {
	events []*Event // In the order of Seq.
	bytes  int      // What they take, about.
	floor  uint64   // Everything after it that was delivered is in events, and only that.
	begin  uint64   // floor at first: what is delivered up to it is not taken.
	filled bool     // What was up to begin has been read.
}

// newRing returns an empty ring of a log that has been delivered up to delivered, and had come up to head at
// least; what lies between is delivered, but may also be read already.
func newRing(delivered, head uint64) ring {
	begin := max(delivered, head)
	return ring{floor: begin, begin: begin}
}

// push adds the newest event, and forgets the oldest ones if there are too many.
func (g *ring) push(ev *Event) {
	if ev.Seq <= g.begin {
		return // Delivered after its number was known to be the head: it is read from the log.
	}
	g.events = append(g.events, ev)
	g.bytes += eventBytes(ev)
	drop := 0
	for len(g.events)-drop > ringEventsMax || g.bytes > ringBytesMax && len(g.events)-drop > 1 {
		g.floor = g.events[drop].Seq
		g.bytes -= eventBytes(g.events[drop])
		g.events[drop] = nil // The array must not keep it.
		drop++
	}
	g.events = g.events[drop:]
}

// fill puts what was read from the log before floor in front. complete says that there is no more.
func (g *ring) fill(floor uint64, evs []*Event, complete bool) {
	if g.filled || floor != g.floor {
		return // Somebody else was quicker, or the oldest were forgotten meanwhile.
	}
	g.filled = true
	room := ringEventsMax - len(g.events)
	for i := len(evs) - 1; i >= 0; i-- {
		size := eventBytes(evs[i])
		if room == 0 || g.bytes+size > ringBytesMax {
			evs, complete = evs[i+1:], false
			break
		}
		room--
		g.bytes += size
	}
	switch {
	case complete:
		g.floor = 0
	case len(evs) > 0:
		g.floor = evs[0].Seq - 1
	}
	g.events = append(slices.Clone(evs), g.events...)
}

// read returns the events of a page, or false if some of them are not here. They are copies, since
// those of the ring are written to by whoever encodes them.
func (g *ring) read(p Page) ([]*Event, bool) {
	after, before := p.After, p.Before
	evs := g.events
	if before != 0 {
		i, _ := slices.BinarySearchFunc(evs, before, compareSeq)
		evs = evs[:i]
	}
	if after >= g.floor {
		i, found := slices.BinarySearchFunc(evs, after, compareSeq)
		if found {
			i++
		}
		evs = evs[i:]
	} else if p.Forward || len(evs) < p.N {
		return nil, false
	}
	if len(evs) > p.N {
		if p.Forward {
			evs = evs[:p.N]
		} else {
			evs = evs[len(evs)-p.N:]
		}
	}
	copies := make([]*Event, len(evs))
	for i, ev := range evs {
		copies[i] = ev.clone()
	}
	return copies, true
}

// eventBytes is about what an event takes.
func eventBytes(ev *Event) int {
	n := eventHeadBytes + len(ev.ID) + len(ev.Account) + len(ev.Name) + len(ev.Text) + len(ev.About) + len(ev.Tag)
	if ev.File != nil {
		n += eventHeadBytes
	}
	return n
}
