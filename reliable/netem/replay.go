package netem

import (
	"slices"
	"time"
)

// A Replay makes a direction do what was recorded of another network: each packet meets what the recorded packet met that was
// sent nearest to it in time. So bad times come as they came then, however much or little is sent; what is sent between
// two recorded packets is a guess, and the denser the recording, the better. The zero value is no replay.
type Replay struct {
	Moments []Moment // in order of At, all between 0 and Span
	// Span is how long the recording is; after that it begins again. Where it begins depends on the seed and is the same
	// for both directions if their Spans are.
	Span time.Duration
}

// A Moment is what one recorded packet met.
type Moment struct {
	At    time.Duration
	Delay time.Duration // of a packet that was not lost; it includes all queues
	Lost  bool
}

// replayStage is a Replay under way.
type replayStage struct {
	Replay
	start time.Duration
}

func newReplayStage(r Replay, seed uint64) replayStage {
	s := replayStage{Replay: r}
	if r.Span > 0 {
		s.start = time.Duration(mix(seed, 0x7ace) % uint64(r.Span))
	}
	return s
}

// meet returns what happens to a packet at time t.
func (s *replayStage) meet(t time.Duration) Moment {
	if len(s.Moments) == 0 {
		return Moment{}
	}
	t = (t + s.start) % s.Span
	next, _ := slices.BinarySearchFunc(s.Moments, t, func(m Moment, t time.Duration) int { return int(m.At - t) })
	switch {
	case next == len(s.Moments):
		return s.Moments[next-1]
	case next == 0 || s.Moments[next].At-t < t-s.Moments[next-1].At:
		return s.Moments[next]
	default:
		return s.Moments[next-1]
	}
}

// valid reports whether the moments are in order and within the span.
func (r *Replay) valid() bool {
	last := time.Duration(0)
	for _, m := range r.Moments {
		if m.At < last || m.At > r.Span || m.Delay < 0 {
			return false
		}
		last = m.At
	}
	return len(r.Moments) <= momentsMax && (len(r.Moments) > 0) == (r.Span > 0)
}
