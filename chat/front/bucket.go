package front

import "time"

// A Bucket lets requests through at a rate, and some more at once. The zero value is full. Not safe for concurrent use.
type Bucket struct {
	tokens float64
	last   time.Time // When tokens was right; the zero time: never used, so full.
}

// Take reports whether one more request may pass now. rate is in requests per second; a negative one is no limit.
func (b *Bucket) Take(now time.Time, rate float64, burst int) bool {
	return b.Delay(now, rate, burst) == 0
}

// Delay takes one more request if it may pass now, and returns 0; else it returns how long from now there is none to be
// had, and takes nothing.
func (b *Bucket) Delay(now time.Time, rate float64, burst int) time.Duration {
	if rate < 0 {
		return 0
	}
	if b.last.IsZero() {
		b.tokens = float64(burst)
	} else if passed := now.Sub(b.last).Seconds(); passed > 0 {
		b.tokens = min(b.tokens+passed*rate, float64(burst))
	}
	b.last = now
	if b.tokens < 1 {
		return time.Duration((1-b.tokens)/rate*float64(time.Second)) + 1
	}
	b.tokens--
	return 0
}

// GiveBack undoes a Take that was for nothing.
func (b *Bucket) GiveBack() { b.tokens++ }
