package compare

import (
	"context"
	"time"
)

// A Glimpse is how far a run is that is under way, for whoever watches.
type Glimpse struct {
	At              time.Duration // since the start of the link
	Sent, Delivered int           // messages whose time has come, and those that have arrived
	Dropped         uint64        // packets, both directions
	LatencyMs       []float64     // of the latest that have arrived
}

// Watch has those of the runners that take real time tell how far their runs are, about every second; runs of the
// workload connect are too short for that. It is called before the first run; f is called by any number of goroutines.
func Watch(lanes map[Lane]Runner, f func(Spec, Glimpse)) {
	for _, r := range lanes {
		if r, ok := r.(interface{ watch(func(Spec, Glimpse)) }); ok {
			r.watch(f)
		}
	}
}

const (
	glimpseEvery    = time.Second
	glimpseMessages = 500 // latencies that a glimpse has
)

// A watchedField is one whose owner wants to know how the run goes.
type watchedField interface {
	Field
	glimpse(Glimpse)
	dropped() uint64
}

// tell gives glimpses until ctx ends.
func (p *play) tell(ctx context.Context, f watchedField) {
	ticks := time.NewTicker(glimpseEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			g := p.sheet.glimpse(p.now())
			g.Dropped = f.dropped()
			f.glimpse(g)
		}
	}
}

// glimpse is what the sheet has now.
func (s *sheet) glimpse(now time.Duration) Glimpse {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := Glimpse{At: now, Delivered: len(s.plan) - s.left}
	for i, at := range s.plan {
		if s.first+at > now {
			break
		}
		g.Sent++
		if s.came[i] != 0 {
			g.LatencyMs = append(g.LatencyMs, milliseconds(s.came[i]-s.first-at))
		}
	}
	g.LatencyMs = g.LatencyMs[max(0, len(g.LatencyMs)-glimpseMessages):]
	return g
}
