package netem

import (
	"sync"
	"time"
)

// An alarm is one timer under its owner's lock. Its goroutine lives only while ring runs, and the
// owner's Close waits for it through wg.
type alarm struct {
	mu   *sync.Mutex
	wg   *sync.WaitGroup
	ring func() // Called with mu held. It looks at the clock itself: an alarm may come early, never late.

	timer *time.Timer
	armed bool // Guarded by mu: ring is going to be called.
	at    time.Time
}

// setLocked makes sure that ring is called at t or before.
func (a *alarm) setLocked(t time.Time) {
	if a.armed && !t.Before(a.at) {
		return
	}
	if a.armed && !a.timer.Stop() {
		return // It is about to ring, and will see what it is needed for.
	}
	if !a.armed {
		a.wg.Add(1) // Until fire has run, or the timer is stopped for good.
	}
	a.armed, a.at = true, t
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(t), a.fire)
	} else {
		a.timer.Reset(time.Until(t))
	}
}

// stopLocked gives up what was set.
func (a *alarm) stopLocked() {
	if a.armed && a.timer.Stop() {
		a.armed = false
		a.wg.Done()
	}
}

func (a *alarm) fire() {
	defer a.wg.Done()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.armed = false
	a.ring()
}
