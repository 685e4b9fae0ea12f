package native

import (
	"slices"
	"sync"
	"time"
)

// An order keeps what a session says in a log in the order in which it was said, even if something could not be stored and
// is said again: until that has happened, what comes behind it is refused as well (SPEC.md 5). Safe for concurrent use.
type order struct {
	mu     sync.Mutex
	failed map[string]failure // By log; nil while there is none. Guarded by mu.
}

// A failure is which messages were refused for now and have not been repeated.
type failure struct {
	counters []uint64  // Rising, never empty.
	until    time.Time // Then whoever waits is let through: the client has given them up.
}

// fail notes that a message was refused for now. Of more than orderFailedMax in a log the last are forgotten: those before
// them hold up what comes behind.
func (o *order) fail(log string, counter uint64, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.failed[log]
	if !ok && len(o.failed) >= orderLogsMax {
		return
	}
	if !now.Before(f.until) {
		f.counters = nil
	}
	if at, known := slices.BinarySearch(f.counters, counter); !known {
		f.counters = slices.Insert(f.counters, at, counter)
		f.counters = f.counters[:min(len(f.counters), orderFailedMax)]
	}
	if o.failed == nil {
		o.failed = make(map[string]failure)
	}
	f.until = now.Add(orderTimeout)
	o.failed[log] = f
}

// check refuses a message that must not overtake one before it.
func (o *order) check(log string, counter uint64, now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.failed[log]
	switch {
	case !ok || counter <= f.counters[0]:
		return nil
	case !now.Before(f.until):
		delete(o.failed, log)
		return nil
	}
	return busy("a message before it was not stored and must be repeated first")
}

// settle notes that a message was stored, or refused for good.
func (o *order) settle(log string, counter uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.failed[log]
	if at, known := slices.BinarySearch(f.counters, counter); known {
		f.counters = slices.Delete(f.counters, at, at+1)
	}
	if ok && len(f.counters) > 0 {
		o.failed[log] = f
	} else {
		delete(o.failed, log)
	}
	if len(o.failed) == 0 {
		o.failed = nil
	}
}
