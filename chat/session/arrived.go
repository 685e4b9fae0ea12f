package session

import "time"

// Arrived reports whether the peer's end of the connection has all that was queued, and since when that is known; the zero
// time if nothing was queued yet. known is false on transports that cannot tell.
func (s *Session) Arrived() (since time.Time, all, known bool) {
	conn, ok := s.conn.(interface{ Arrived() (time.Time, bool) })
	if !ok {
		return time.Time{}, false, false
	}
	s.mu.Lock()
	waits := s.queuedBytes > 0
	s.mu.Unlock()
	if waits {
		return time.Time{}, false, true
	}
	since, all = conn.Arrived()
	return since, all, true
}
