package server

import (
	"sync"
	"time"
)

// A notice is a warning that may have many causes a second and is logged once in a while. It is safe for concurrent use.
type notice struct {
	mu    sync.Mutex
	next  time.Time // Guarded by mu: not before that.
	count int       // Guarded by mu: since the last line, with this one.
}

// due counts a cause at the time now. It reports whether it is to be logged, and how many there were since the last
// line.
func (n *notice) due(now time.Time) (count int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	if now.Before(n.next) {
		return 0, false
	}
	count, n.count = n.count, 0
	n.next = now.Add(noticeInterval)
	return count, true
}
