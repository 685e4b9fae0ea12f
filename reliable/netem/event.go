package netem

import "time"

// A schedule says what the events of one link do at a time. It has no state: whether an occurrence
// happens is a function of the key, the event and the count.
type schedule struct {
	events []Event
	key    uint64
}

// passage is what the events do to one packet.
type passage struct {
	fate  Fate
	at    time.Duration // When it goes on: later than it came if it was held.
	extra time.Duration // To be added to its delay.
}

// pass takes a packet of so many bytes, pushed at now; u decides about Lossy events.
func (s *schedule) pass(now time.Duration, bytes int, u uint64) passage {
	fate, extra := s.drops(now, bytes, u)
	if fate != Kept {
		return passage{fate: fate, at: now}
	}
	at := s.release(now)
	if at > now { // Something else may be going on when it is released.
		fate, extra = s.drops(at, bytes, u)
	}
	return passage{fate: fate, at: at, extra: extra}
}

// drops applies all events but Hold at time t.
func (s *schedule) drops(t time.Duration, bytes int, u uint64) (fate Fate, extra time.Duration) {
	keep := 1.0
	for i := range s.events {
		kind, _ := s.during(i, t)
		switch kind {
		case Partition:
			return DroppedPartition, 0
		case Handover, Move:
			return DroppedHandover, 0
		case BlackHole:
			if bytes > s.events[i].MTU {
				return DroppedMTU, 0
			}
		case Slow:
			extra += s.events[i].Extra
		case Lossy:
			keep *= 1 - s.events[i].Loss
		case Nothing, Hold:
		}
	}
	if chance(u, 1-keep) {
		return DroppedEvent, 0
	}
	return Kept, extra
}

// release returns when a packet of time t is no longer held. It never falls when t grows, so packets
// leave this stage in the order they came.
func (s *schedule) release(t time.Duration) time.Duration {
	for range holdsMax {
		held := false
		for i := range s.events {
			if kind, end := s.during(i, t); kind == Hold {
				t, held = end, true
			}
		}
		if !held {
			break
		}
	}
	return t
}

// breaks reports whether a handover or a move begins after `after` and up to `upto`.
func (s *schedule) breaks(after, upto time.Duration) bool {
	for i := range s.events {
		e := &s.events[i]
		if e.Kind != Handover && e.Kind != Move && e.Else != Handover {
			continue
		}
		for n := e.begun(after); n < e.begun(upto); n++ {
			if kind := s.kind(i, n); kind == Handover || kind == Move {
				return true
			}
		}
	}
	return false
}

// moves counts the moves that have begun by time t.
func (s *schedule) moves(t time.Duration) int {
	n := int64(0)
	for i := range s.events {
		if s.events[i].Kind == Move {
			n += s.events[i].begun(t)
		}
	}
	return int(n)
}

// during returns what event i is doing at time t, and when that ends; Nothing between occurrences.
func (s *schedule) during(i int, t time.Duration) (kind EventKind, end time.Duration) {
	e := &s.events[i]
	n := e.begun(t) - 1
	if n < 0 {
		return Nothing, 0
	}
	end = e.First + time.Duration(n)*e.Every + e.For
	if t >= end {
		return Nothing, 0
	}
	return s.kind(i, n), end
}

// kind decides what occurrence n of event i is.
func (s *schedule) kind(i int, n int64) EventKind {
	e := &s.events[i]
	if e.Chance == 0 || chance(mix(s.key, uint64(i), uint64(n)), e.Chance) {
		return e.Kind
	}
	return e.Else
}

// begun counts the occurrences of e that begin at or before t.
func (e *Event) begun(t time.Duration) int64 {
	switch {
	case t < e.First:
		return 0
	case e.Every == 0:
		return 1
	default:
		return int64((t-e.First)/e.Every) + 1
	}
}
