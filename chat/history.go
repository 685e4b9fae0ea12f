package chat

import (
	"context"
	"time"
)

// A Page says which part of a log is wanted: the N newest events with After < Seq < Before, or the
// oldest ones if Forward is set. Before 0 is no bound. The zero Page is the newest events. If Around or At is
// set nothing else matters but N: half of the events come before the one of that number, or before the first
// one of that time.
type Page struct {
	After, Before uint64
	Forward       bool
	Around        uint64
	At            time.Time
	N             int // 0 and more than 200 mean 200.
}

// History returns a part of a log that the device may attach to, in the order of Seq. There may be fewer
// events than asked for and than there are, but none only if there are none. It refuses with
// CodeNotMember, CodeNoUser, CodeClosed or CodeShuttingDown.
func (d *Device) History(ctx context.Context, log string, p Page) ([]*Event, error) {
	const op = "history"
	if _, err := d.mayRead(ctx, op, log); err != nil {
		return nil, err
	}
	if p.N <= 0 || p.N > pageMax {
		p.N = pageMax
	}
	if !p.At.IsZero() {
		var err error
		if p.Around, err = d.hub.seqAt(ctx, log, p.At); err != nil {
			return nil, engineError(op, err)
		}
	}
	var older []*Event
	if p.Around > 0 {
		var err error
		if older, err = d.read(ctx, op, log, Page{Before: p.Around, N: max(1, p.N/2)}); err != nil {
			return nil, err
		}
		p = Page{After: p.Around - 1, Forward: true, N: max(1, p.N-len(older))}
	}
	evs, err := d.read(ctx, op, log, p)
	return append(older, evs...), err
}

// read is History of one stretch.
func (d *Device) read(ctx context.Context, op, log string, p Page) ([]*Event, error) {
	n := p.N
	for {
		evs, next, err := d.hub.page(ctx, log, p)
		if err != nil {
			return nil, engineError(op, err)
		}
		seen := evs[:0]
		for _, ev := range evs {
			if d.account.wants(ev) {
				seen = append(seen, ev)
			}
		}
		if extra := len(seen) - n; extra > 0 && p.Forward {
			seen = seen[:n]
		} else if extra > 0 {
			seen = seen[extra:]
		}
		if len(seen) > 0 || next == p {
			return cutPage(seen, p), nil
		}
		p = next // All that was read is not for this account, but there may be more, perhaps far away.
		p.N = pageMax
	}
}

// seqAt returns the number of the first message that is not older than a time; one more than the last if
// all are. Times rise with numbers but for moments, so it divides what is left in two until it has it.
func (h *Hub) seqAt(ctx context.Context, log string, at time.Time) (uint64, error) {
	heads, err := h.cfg.Engine.Heads(ctx, []string{log})
	if err != nil {
		return 0, err
	}
	low, high := uint64(1), heads[0]+1 // The answer is one of them or between.
	for low < high {
		mid := low + (high-low)/2
		msgs, err := h.cfg.Engine.Read(ctx, log, mid-1, 0, 1)
		switch {
		case err != nil:
			return 0, err
		case len(msgs) == 0 || !msgs[0].Time.Before(at):
			high = mid // What lies between mid and what was read is no message.
		default:
			low = msgs[0].Seq + 1
		}
	}
	return low, nil
}

// cutPage returns as much of a page as one answer may have.
func cutPage(evs []*Event, p Page) []*Event {
	bytes := 0
	for i := range evs {
		ev := evs[i]
		if !p.Forward {
			ev = evs[len(evs)-1-i]
		}
		bytes += eventBytes(ev)
		if i > 0 && bytes > pageBytesMax {
			if p.Forward {
				return evs[:i]
			}
			return evs[len(evs)-i:]
		}
	}
	return evs
}

// page reads one page, and says which one comes after it; that is p itself if there is none.
func (h *Hub) page(ctx context.Context, log string, p Page) (evs []*Event, next Page, err error) {
	r := h.opened(log)
	if r != nil {
		evs, ok, err := r.ringPage(ctx, p)
		if err != nil {
			return nil, p, err
		}
		if ok && len(evs) == 0 {
			return nil, p, nil
		}
		if ok {
			return evs, p.next(evs[0].Seq, evs[len(evs)-1].Seq), nil
		}
	}
	msgs, err := h.cfg.Engine.Read(ctx, log, p.After, p.engineBefore(), p.N)
	if err != nil || len(msgs) == 0 || p.Before != 0 && msgs[0].Seq >= p.Before {
		return nil, p, err
	}
	next = p.next(msgs[0].Seq, msgs[len(msgs)-1].Seq)
	ref, _ := h.RoomNamed(log)
	return h.events(ref, p, h.withoutRepeats(log, msgs)), next, nil
}

// engineBefore returns before as Engine.Read wants it: 0 is the oldest messages.
func (p Page) engineBefore() uint64 {
	switch {
	case p.Forward:
		return 0
	case p.Before == 0:
		return notYet
	}
	return p.Before
}

// next returns the page beside one that begins with first and ends with last.
func (p Page) next(first, last uint64) Page {
	if p.Forward {
		p.After = last
	} else {
		p.Before = first
	}
	return p
}

// events makes events out of what was read, without what lies outside of the page and what cannot be read.
func (h *Hub) events(ref RoomRef, p Page, msgs []Msg) []*Event {
	evs := make([]*Event, 0, len(msgs))
	for _, msg := range msgs {
		if p.Before != 0 && msg.Seq >= p.Before {
			break
		}
		rec, err := decodeRecord(msg.Data)
		if err != nil {
			h.stats.droppedBadRecord.Add(1)
			h.log.Error("unreadable entry in a room's log", "room", ref, "err", err)
			continue
		}
		evs = append(evs, newEvent(ref, msg, rec))
	}
	return evs
}

// opened returns a log that is open, or nil.
func (h *Hub) opened(log string) *room {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if r := h.byName[log]; r != nil {
		return r
	}
	return h.logs[log]
}

// ringPage returns a page from memory, if it is there. The first time that somebody asks for what may be
// among the newest events, it reads them into the ring.
func (r *room) ringPage(ctx context.Context, p Page) (evs []*Event, ok bool, err error) {
	for {
		r.mu.Lock()
		f := r.feed
		if f == nil {
			r.mu.Unlock()
			return nil, false, nil
		}
		if r.lagsLocked(p) {
			r.mu.Unlock()
			return nil, false, nil
		}
		evs, ok = f.ring.read(p)
		floor := f.ring.floor
		fill := !ok && !f.ring.filled && (p.Forward || p.Before == 0 || p.Before > floor)
		r.mu.Unlock()
		if !fill {
			return evs, ok, nil
		}
		msgs, err := r.hub.cfg.Engine.Read(ctx, r.name, 0, floor+1, ringEventsMax)
		if err != nil {
			return nil, false, err
		}
		old := r.hub.events(r.ref, Page{}, r.hub.withoutRepeats(r.name, msgs))
		r.mu.Lock()
		f.ring.fill(floor, old, len(msgs) == 0)
		for _, msg := range msgs {
			if r.seen == nil {
				r.seen = new(seen)
			}
			r.seen.first(msg.ID, msg.Seq)
		}
		r.mu.Unlock()
	}
}

// lagsLocked reports whether a page that ends with the newest events, or with a number asked for, may have some that are
// stored and not delivered yet. Who was told that something is stored, here or by another node, finds it.
func (r *room) lagsLocked(p Page) bool {
	delivered := max(r.delivered, r.feed.ring.begin)
	switch {
	case p.Forward:
		return false // It ends where the log does for now; who goes on asks again.
	case p.Before == 0:
		return r.stored > delivered
	}
	return p.Before-1 > delivered
}

// noteStored says that this Hub has stored something in a log.
func (h *Hub) noteStored(log string, seq uint64) {
	if r := h.opened(log); r != nil {
		r.mu.Lock()
		r.stored = max(r.stored, seq)
		r.mu.Unlock()
	}
}
