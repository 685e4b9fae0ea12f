package native

import (
	"sync"
	"time"
)

// An order keeps what a session says in a log in the order in which it was said, even if something could not be stored and
// is said again: until that has happened, what comes behind it is refused as well (SPEC.md 5). Safe for concurrent use.
type order struct {
	mu     sync.Mutex
	failed map[string]failure // By log; nil while there is none. Guarded by mu.
}

// A failure is a message that was refused for now.
type failure struct {
	counter uint64
	until   time.Time // Then whoever waits is let through: the client has given the message up.
}

// fail notes that a message was refused for now.
func (o *order) fail(log string, counter uint64, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.failed[log]
	if ok && f.counter <= counter && now.Before(f.until) || !ok && len(o.failed) >= orderLogsMax {
		return
	}
	if o.failed == nil {
		o.failed = make(map[string]failure)
	}
	o.failed[log] = failure{counter, now.Add(orderTimeout)}
}

// check refuses a message that must not overtake one before it.
func (o *order) check(log string, counter uint64, now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.failed[log]
	switch {
	case !ok || counter <= f.counter:
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
	if f, ok := o.failed[log]; ok && counter >= f.counter {
		delete(o.failed, log)
	}
	if len(o.failed) == 0 {
		o.failed = nil
	}
}
