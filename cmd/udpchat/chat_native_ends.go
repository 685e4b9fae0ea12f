package main

import (
	"sync"

	"udpchat/client"
)

// An ends knows what has become of our messages, and how much of what is stored was shown. It is safe for concurrent use.
//
// Events of a log come in the order of their numbers, so it is enough to know the highest ones. To count ours would not be:
// what was said by the run before this one, or by a file's sender, comes as ours, too.
type ends struct {
	changed chan struct{} // Constant: gets a token when more was shown.

	mu      sync.Mutex
	stored  map[string]uint64 // Guarded by mu: the highest number that a message of ours got, of each log.
	seen    map[string]uint64 // Guarded by mu: the highest number that was shown, of each log.
	unheard int               // Guarded by mu: ours that the other has directly, less those that were shown.
	failed  int               // Guarded by mu: messages that were not stored, files that were not carried over.
}

func newEnds() *ends {
	return &ends{changed: make(chan struct{}, 1), stored: make(map[string]uint64), seen: make(map[string]uint64)}
}

// came notes what has become of a message of ours in a log.
func (e *ends) came(log string, s client.Status) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch s.State {
	case client.Failed:
		e.failed++
	case client.Stored:
		e.stored[log] = max(e.stored[log], s.Seq)
	case client.Delivered:
		e.unheard++
	case client.Queued, client.Sent: // It has not come to its end.
	}
}

// fail counts something else that was not carried over.
func (e *ends) fail() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed++
}

// failures returns how many have failed.
func (e *ends) failures() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

// shown notes that an event was shown.
func (e *ends) shown(o client.Origin) {
	e.mu.Lock()
	e.seen[o.Log] = max(e.seen[o.Log], o.Seq)
	if o.Direct && o.Here {
		e.unheard--
	}
	e.mu.Unlock()
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// forget notes that the numbers of a log mean nothing any more.
func (e *ends) forget(log string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.stored, log)
	delete(e.seen, log)
}

// allShown reports whether all of ours that is stored in the logs that are followed was shown. What was said where we are
// no longer does not come.
func (e *ends) allShown(followed []client.Conversation) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range followed {
		if e.seen[f.Log] < e.stored[f.Log] {
			return false
		}
	}
	return e.unheard <= 0
}
