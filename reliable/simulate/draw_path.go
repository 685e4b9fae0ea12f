package simulate

import (
	"cmp"
	"slices"
	"time"

	"udpchat/reliable/netem"
)

// drawPaths decides what becomes of the client's address, and of large datagrams.
func (d dice) drawPaths(s *Scenario) {
	if d.chance(0.3) {
		for range 1 + d.IntN(4) {
			s.Moves = append(s.Moves, Move{d.between(0, s.HealAt), d.chance(0.5)})
		}
		slices.SortFunc(s.Moves, func(a, b Move) int { return cmp.Compare(a.At, b.At) })
	}
	if d.chance(0.1) {
		from := d.between(0, s.HealAt)
		s.Copies = []Span{{from, from + d.between(100*time.Millisecond, 5*time.Second)}}
	}
	if d.chance(0.15) {
		both := d.chance(0.5)
		shrink := d.shrink(s)
		side := Side(d.IntN(2))
		s.Shrinks[side] = shrink
		if both {
			s.Shrinks[side.other()] = shrink
		}
	}
}

// drawMarks decides what the links do to marks, and whether queues mark before they drop.
func (d dice) drawMarks(s *Scenario) {
	for side := range s.Links {
		p := &s.Links[side]
		if d.chance(0.15) {
			p.Marks = netem.MarksCleared + netem.Marks(d.IntN(int(netem.MarksDropped)))
		}
		if d.chance(0.4) && p.Rate > 0 {
			p.Mark = d.between(time.Millisecond, p.Queue)
		}
	}
}

// shrink draws a black hole, which stays or vanishes.
func (d dice) shrink(s *Scenario) Shrink {
	from := d.between(0, s.HealAt)
	to := from + d.between(time.Second, 10*time.Second)
	if d.chance(0.5) {
		to = s.over()
	}
	return Shrink{Span{from, to}, d.log(548, 1470)}
}

// blackHole returns what a link of the side does to large datagrams.
func (s *Scenario) blackHole(side Side) (netem.Event, bool) {
	h := s.Shrinks[side]
	return netem.Event{Kind: netem.BlackHole, First: h.From, For: h.To - h.From, MTU: h.Bytes + 28}, h.Bytes > 0
}
