package reliable

import (
	"sync"
	"time"
)

// A deadline is a moment after which waiting is over. It may move while somebody waits. The zero value never expires.
// It costs a timer only while somebody waits for it.
type deadline struct {
	mu      sync.Mutex
	at      time.Time     // guarded by mu; zero: never
	timer   *time.Timer   // guarded by mu; closes expired; nil: at is zero, has passed, or nobody waits
	expired chan struct{} // guarded by mu; nil: nobody waits
}

// set moves the deadline to t; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.expired == nil {
		return
	}
	if d.timer != nil && !d.timer.Stop() {
		<-d.expired // It has fired: its function is about to close the channel.
	}
	d.timer = nil
	if isClosed(d.expired) {
		d.expired = nil // Who waited on it has been told; who comes next starts anew.
		return
	}
	d.armLocked()
}

// passed reports whether the deadline is over.
func (d *deadline) passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

// wait returns a channel that is closed when the deadline passes.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.expired == nil {
		d.expired = make(chan struct{})
		d.armLocked()
	}
	return d.expired
}

func (d *deadline) armLocked() {
	if d.at.IsZero() {
		return
	}
	expired := d.expired
	if left := time.Until(d.at); left > 0 {
		d.timer = time.AfterFunc(left, func() { close(expired) })
		return
	}
	close(expired)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
