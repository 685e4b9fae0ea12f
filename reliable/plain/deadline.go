package plain

import "time"

// deadline is a moment after which a call gives up. It is guarded by the Listener's mutex.
type deadline struct {
	set   bool
	at    time.Duration
	timer *time.Timer // wakes those who wait; nil if nobody could
}

// to sets the deadline to t; the zero time means never. wake, if not nil, is called on a goroutine
// of its own when the deadline has come, but not if it has passed already.
func (d *deadline) to(now time.Duration, t time.Time, wake func()) {
	d.stop()
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	d.set, d.at = true, now+left
	if left > 0 && wake != nil {
		d.timer = time.AfterFunc(left, wake)
	}
}

// passed reports whether the deadline has come.
func (d *deadline) passed(now time.Duration) bool { return d.set && now >= d.at }

// stop unsets the deadline.
func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop() // If it fires just now, those it wakes look again and find nothing.
	}
	*d = deadline{}
}
