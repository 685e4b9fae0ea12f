package front

import (
	"time"

	"udpchat/chat/session"
)

// A Pacer keeps apart in time what is written to a session, for clients that take what one read gives them for one message.
// The zero value has written nothing. Not safe for concurrent use.
//
// A pause here is a pause there only where nothing is repaired on the way: what was lost and what was written after it reach
// the client together. So on streams of a reliable connection, at whose other end somebody passes on what comes, the pause
// begins when the one before is known to be there.
type Pacer struct {
	last  time.Time // When something was written last.
	taken bool      // The client has that.
}

// Wait returns how long from now nothing may be written that has to be gap apart from what was written before; 0: it may be
// now. After that time ask again.
func (p *Pacer) Wait(s *session.Session, now time.Time, gap time.Duration) time.Duration {
	if p.last.IsZero() {
		return 0
	}
	since := p.last
	if !p.taken {
		at, all, known := s.Arrived()
		switch {
		case known && !all:
			return arrivalPause
		case known && at.After(since):
			since = at
		}
	}
	return max(0, since.Add(gap).Sub(now))
}

// Wrote notes that something was written.
func (p *Pacer) Wrote(now time.Time) { p.last, p.taken = now, false }

// Taken notes that the client has answered what was written last, so that it has that, and not together with what follows.
func (p *Pacer) Taken() { p.taken = true }
