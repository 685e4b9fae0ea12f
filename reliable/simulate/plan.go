package simulate

import (
	"cmp"
	"slices"
	"time"
)

// A side writes no more than this by its plan, but for streams and for what meets a stalled reader.
const (
	planMessagesMax = 2000
	planBytesMax    = 400 << 10
)

// pressBytes is more than a window: what it takes to close the one of a stalled reader.
const pressBytes = 500 << 10

// lingerBytes is a little more than a window: what a writer gets rid of although nobody reads, but for the end of it.
const lingerBytes = 330 << 10

// drawPlans draws what the applications do.
func (d dice) drawPlans(s *Scenario) {
	idle := time.Duration(0)
	if d.chance(0.12) {
		idle = s.Config.IdleTimeout + d.between(0, s.Config.IdleTimeout)
		s.HealAt += idle
	}
	stream := d.chance(0.02)
	for side := range s.Plans {
		p := &s.Plans[side]
		p.Writes = d.writes(d.between(0, s.HealAt-idle), idle)
		if d.chance(0.03) {
			p.Writes = nil // It only listens.
		}
		if stream && d.chance(0.7) {
			p.Writes = append(p.Writes, d.stream(d.between(0, time.Second), d.log(1<<20, 4<<20))...)
		}
	}
	for side := range s.Plans {
		d.drawStalls(s, Side(side))
	}
	if idle > 0 && d.chance(0.7) {
		d.sleepingReader(s, idle)
	}
	for side := range s.Plans {
		slices.SortStableFunc(s.Plans[side].Writes, func(a, b Write) int { return cmp.Compare(a.At, b.At) })
	}
}

// drawStalls draws when a side does not read, and sometimes has the other write more than its window then.
func (d dice) drawStalls(s *Scenario, side Side) {
	p, other := &s.Plans[side], &s.Plans[side.other()]
	for range 3 {
		if !d.chance(0.2) {
			continue
		}
		from := d.between(0, s.HealAt)
		length := d.between(500*time.Millisecond, 12*time.Second)
		if d.chance(0.15) {
			length = d.between(12*time.Second, 150*time.Second)
		}
		p.Stalls = append(p.Stalls, Span{from, from + length})
		if d.chance(0.4) {
			other.Writes = append(other.Writes, d.stream(from, pressBytes)...)
		}
	}
}

// sleepingReader has a side not read what came last before a long silence, for most of it.
func (d dice) sleepingReader(s *Scenario, idle time.Duration) {
	side := Side(d.IntN(2))
	writes := s.Plans[side.other()].Writes
	for i := 1; i < len(writes); i++ {
		if from := writes[i-1].At; writes[i].At-from >= idle {
			p := &s.Plans[side]
			p.Stalls = append(p.Stalls, Span{from, from + d.between(idle/2, idle)})
			return
		}
	}
}

// lastWrite is when the last write of the plan is due.
func (p *Plan) lastWrite() time.Duration {
	last := time.Duration(0)
	for _, w := range p.Writes {
		last = max(last, w.At)
	}
	return last
}

// writes draws phases of chat, bulk and silence up to the time span, and if idle is not 0 a few words after a silence
// so long.
func (d dice) writes(span, idle time.Duration) []Write {
	var all []Write
	at, bytes := time.Duration(0), 0
	write := func(n int) {
		if len(all) < planMessagesMax && bytes+n <= planBytesMax {
			all = append(all, Write{at, n})
			bytes += n
		}
	}
	for at < span {
		switch u := d.Float64(); {
		case u < 0.7: // Chat.
			gap := float64(d.log(2, 200)) * float64(time.Millisecond)
			for range d.log(20, 400) {
				write(d.log(1, 600))
				at += time.Duration(d.ExpFloat64() * gap).Truncate(time.Millisecond)
			}
		case u < 0.9: // Bulk.
			gap := d.between(0, 20*time.Millisecond)
			for range d.log(3, 40) {
				write(d.log(1, payloadBytesMax))
				at += gap
			}
		default:
			at += d.between(time.Second, 6*time.Second)
		}
	}
	if idle > 0 {
		at += idle
		for range 1 + d.IntN(3) {
			write(d.log(1, 600))
		}
	}
	return all
}

// stream draws one long stream in pieces.
func (d dice) stream(at time.Duration, bytes int) []Write {
	var all []Write
	for bytes > 0 {
		n := min(bytes, 32<<10+d.IntN(32<<10))
		all = append(all, Write{at, n})
		bytes -= n
	}
	return all
}
