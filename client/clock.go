package client

import "time"

// A clock knows how far the server's clock is ahead of ours, so that it can be told how long a message took. It believes
// the quickest of the latest exchanges: its answer was under way for the least time, so the middle of it is the least
// wrong, by half of its round trip at most (the rule of NTP, RFC 5905 10). Either clock may be set at any moment: what was
// known before means nothing then. The zero value knows nothing.
type clock struct {
	samples [clockSamples]sample
	count   int // How many exchanges there were since a clock was set.
}

type sample struct {
	offset, round time.Duration
	heard         time.Time // When the answer came.
}

// exchange takes the times of a question and its answer: asked and heard by our clock, got and answered by the server's.
func (c *clock) exchange(asked, got, answered, heard time.Time) {
	round := heard.Sub(asked) - answered.Sub(got)
	if round < 0 || got.IsZero() || answered.Before(got) {
		return // One of the clocks was set in between, or is nonsense.
	}
	s := sample{offset: (got.Sub(asked) + answered.Sub(heard)) / 2, round: round, heard: heard}
	for _, old := range c.samples[:min(c.count, clockSamples)] {
		if !s.agrees(old) {
			c.count = 0
			break
		}
	}
	c.samples[c.count%clockSamples] = s
	c.count++
}

// agrees reports whether both samples can be true of two clocks that nobody sets.
func (s sample) agrees(old sample) bool {
	return (s.offset - old.offset).Abs() <= (s.round+old.round)/2+s.heard.Sub(old.heard)/clockDrift+clockStep
}

// best returns the quickest exchange; ok is false if there was none.
func (c *clock) best() (best sample, ok bool) {
	for i := range min(c.count, clockSamples) {
		if s := c.samples[i]; i == 0 || s.round < best.round {
			best = s
		}
	}
	return best, c.count > 0
}

// since returns how long ago the server's time t of something that has just come was, at our time now; 0 if that is not
// known. doubt says that a clock may have been set since they were compared, so that they should be compared again.
//
// What comes after the answer to the latest exchange was sent after it. So it is hardly older.
func (c *clock) since(t, now time.Time) (ago time.Duration, doubt bool) {
	best, ok := c.best()
	if !ok {
		return 0, false
	}
	ago, age := now.Add(best.offset).Sub(t), now.Sub(c.samples[(c.count-1)%clockSamples].heard)
	switch {
	case ago < -(best.round/2 + now.Sub(best.heard)/clockDrift + clockStep), ago > age+clockDoubt:
		return 0, true
	default:
		return max(0, ago), ago > clockDoubt && age > clockDoubt
	}
}
