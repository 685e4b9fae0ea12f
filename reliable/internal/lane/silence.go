package lane

import "time"

// timeoutsMax bounds how far the pauses between timeouts grow.
const timeoutsMax = 6

// A Silence counts the timeouts in which something waited for an acknowledgement and none came, each twice as long as the
// one before. The zero value waits for nothing.
type Silence struct {
	waiting bool
	count   int
	at      time.Duration // of the next timeout
}

// Wait takes note that a packet left that asks for an acknowledgement. Timeout is how long one may take.
func (s *Silence) Wait(now, timeout time.Duration) {
	if !s.waiting {
		s.waiting, s.at = true, now+timeout
	}
}

// Heard takes note of an acknowledgement. More says that something still waits for one.
func (s *Silence) Heard(now, timeout time.Duration, more bool) {
	*s = Silence{waiting: more, at: now + timeout}
}

// Advance reports whether a timeout has passed since the last call.
func (s *Silence) Advance(now, timeout time.Duration) bool {
	if !s.waiting || now < s.at {
		return false
	}
	s.count++
	s.at = now + timeout<<min(s.count, timeoutsMax)
	return true
}

// Count returns how many timeouts have passed.
func (s *Silence) Count() int { return s.count }

// NextAt returns when Advance has something to do, and false for never.
func (s *Silence) NextAt() (time.Duration, bool) { return s.at, s.waiting }
