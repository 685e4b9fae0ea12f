package reliable

import (
	"sync"
	"time"
)

// A waiter is where goroutines wait, under the mutex that is cond.L, until somebody wakes them or their deadline has
// passed. The deadline may move meanwhile. It costs a timer only from when somebody waits. All methods need the mutex.
type waiter struct {
	cond  sync.Cond
	limit time.Time   // zero: never
	timer *time.Timer // wakes who waits at limit; nil: nobody does, or there is no limit
}

// wait returns after wake, when the deadline has passed, or for no reason.
func (w *waiter) wait() {
	if w.timer == nil && !w.limit.IsZero() {
		w.timer = time.AfterFunc(time.Until(w.limit), func() {
			w.cond.L.Lock()
			defer w.cond.L.Unlock()
			w.timer = nil // Who waits again needs a new one: the clock that set the limit may have been moved.
			w.wake()
		})
	}
	w.cond.Wait()
}

// wake has everybody look again.
func (w *waiter) wake() { w.cond.Broadcast() }

// expired reports whether the deadline has passed.
func (w *waiter) expired() bool { return !w.limit.IsZero() && !time.Now().Before(w.limit) }

// setLimit moves the deadline to t; the zero time means never.
func (w *waiter) setLimit(t time.Time) {
	w.limit = t
	w.stop() // If the timer fires nevertheless, it wakes people in vain.
	w.wake()
}

// stop gives the timer back. Who waits must be woken.
func (w *waiter) stop() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// A latch is something that happens once. It has a channel only if somebody waits. Its owner's mutex guards it.
type latch struct {
	set bool
	c   chan struct{}
}

// happen sets the latch.
func (l *latch) happen() {
	if !l.set && l.c != nil {
		close(l.c)
	}
	l.set = true
}

// wait returns a channel that is closed when the latch is set.
func (l *latch) wait() <-chan struct{} {
	if l.c == nil {
		l.c = make(chan struct{})
		if l.set {
			close(l.c)
		}
	}
	return l.c
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// notify leaves a token in c unless there is one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
