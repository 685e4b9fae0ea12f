package lab

import "time"

// A bucket lets requests through at a rate, and some more at once. Not safe for concurrent use.
type bucket struct {
	tokens float64
	last   time.Time // When tokens was right; the zero time: never used, so full.
}

// take reports whether one more request may pass now. rate is in requests per second; a negative one is no limit.
func (b *bucket) take(now time.Time, rate float64, burst int) bool {
	if rate < 0 {
		return true
	}
	if b.last.IsZero() {
		b.tokens = float64(burst)
	} else if passed := now.Sub(b.last).Seconds(); passed > 0 {
		b.tokens = min(b.tokens+passed*rate, float64(burst))
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// giveBack undoes a take that was for nothing.
func (b *bucket) giveBack() { b.tokens++ }
