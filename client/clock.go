package client

import "time"

// A clock knows how far the server's clock is ahead of ours, so that it can be told how long a message took. It believes
// the quickest of the latest exchanges: its answer was under way for the least time, so the middle of it is the least
// wrong, by half of its round trip at most (the rule of NTP, RFC 5905 10). The zero value knows nothing.
type clock struct {
	samples [clockSamples]sample
	count   int // How many exchanges there were.
}

type sample struct {
	offset, round time.Duration
}

// exchange takes the times of a question and its answer: asked and heard by our clock, got and answered by the server's.
func (c *clock) exchange(asked, got, answered, heard time.Time) {
	round := heard.Sub(asked) - answered.Sub(got)
	if round < 0 || got.IsZero() || answered.Before(got) {
		return // One of the clocks was set in between, or is nonsense.
	}
	c.samples[c.count%clockSamples] = sample{offset: (got.Sub(asked) + answered.Sub(heard)) / 2, round: round}
	c.count++
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

// since returns how long ago the server's time t was, at our time now; 0 if that is not known, and never less.
func (c *clock) since(t, now time.Time) time.Duration {
	best, ok := c.best()
	if !ok {
		return 0
	}
	return max(0, now.Add(best.offset).Sub(t))
}
