package netem

import "time"

// delayStage carries packets from the bottleneck to the far end.
type delayStage struct {
	delay, jitter time.Duration
	redraw        Redraw
	key           uint64 // For redraw.
	reorder       float64
	reorderBy     time.Duration
	grain         time.Duration
	last          time.Duration // The latest delivery of a packet in order: no later one comes before it.
}

func newDelayStage(p Params, key uint64) delayStage {
	return delayStage{
		delay: p.Delay, jitter: p.Jitter, redraw: p.Redraw, key: key,
		reorder: p.Reorder, reorderBy: p.ReorderBy, grain: p.Grain,
	}
}

// arrive returns when a packet comes out, and whether it is out of line. u has two numbers.
func (s *delayStage) arrive(departs, extra time.Duration, u []uint64) (at time.Duration, late bool) {
	delay := s.base(departs)
	if s.jitter > 0 {
		spread := time.Duration((2*unit(u[0]) - 1) * float64(s.jitter))
		delay = max(delay+spread, delay/2)
	}
	at = departs + delay + extra
	if chance(u[1], s.reorder) {
		return s.round(max(at, s.last) + s.reorderBy), true
	}
	s.last = max(s.last, at)
	return s.round(s.last), false
}

// base returns the propagation time at time t.
func (s *delayStage) base(t time.Duration) time.Duration {
	if s.redraw.Every == 0 {
		return s.delay
	}
	u := mix(s.key, uint64(t/s.redraw.Every))
	return s.redraw.Low + time.Duration(unit(u)*float64(s.redraw.High-s.redraw.Low))
}

// round rounds up to the grain.
func (s *delayStage) round(t time.Duration) time.Duration {
	if s.grain == 0 || t%s.grain == 0 {
		return t
	}
	return t - t%s.grain + s.grain
}
