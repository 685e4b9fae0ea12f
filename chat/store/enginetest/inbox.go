package enginetest

import (
	"sync"
	"sync/atomic"
	"time"

	"udpchat/chat"
)

// An inbox is a subscriber that remembers what it got.
type inbox struct {
	rig  *rig
	busy atomic.Bool // A call is under way.

	mu      sync.Mutex
	msgs    []chat.Msg    // Guarded by mu.
	overlap bool          // Two calls ran at the same time. Guarded by mu.
	arrived chan struct{} // Closed and replaced when something arrives. Guarded by mu.
}

// subscribe subscribes a new inbox.
func (r *rig) subscribe(e chat.Engine, room string) (in *inbox, stop func()) {
	r.Helper()
	in = &inbox{rig: r, arrived: make(chan struct{})}
	stop, err := e.Subscribe(room, in.take)
	if err != nil {
		r.Fatalf("Subscribe(%q): %v", room, err)
	}
	return in, stop
}

func (in *inbox) take(msg chat.Msg) {
	alone := in.busy.CompareAndSwap(false, true)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.msgs = append(in.msgs, msg)
	in.overlap = in.overlap || !alone
	close(in.arrived)
	in.arrived = make(chan struct{})
	in.busy.Store(false)
}

// all returns what has arrived.
func (in *inbox) all() []chat.Msg {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]chat.Msg(nil), in.msgs...)
}

// until waits until what has arrived satisfies ok, and returns it.
func (in *inbox) until(what string, ok func([]chat.Msg) bool) []chat.Msg {
	in.rig.Helper()
	timer := time.NewTimer(in.rig.cfg.Wait)
	defer timer.Stop()
	for {
		in.mu.Lock()
		msgs, arrived := in.msgs[:len(in.msgs):len(in.msgs)], in.arrived
		in.mu.Unlock()
		if ok(msgs) {
			return msgs
		}
		select {
		case <-arrived:
		case <-timer.C:
			in.rig.Fatalf("a subscriber waited %v for %s and has %s", in.rig.cfg.Wait, what, show(msgs))
		}
	}
}

// has waits for a message with that id, and returns everything up to now.
func (in *inbox) has(id string) []chat.Msg {
	in.rig.Helper()
	return in.until("id "+id, func(msgs []chat.Msg) bool {
		for _, m := range msgs {
			if m.ID == id {
				return true
			}
		}
		return false
	})
}

// wantLog checks that the inbox was called in order, one call at a time, with these messages of
// the log and nothing else. They have to have arrived.
func (in *inbox) wantLog(what string, want []chat.Msg) {
	in.rig.Helper()
	in.rig.wantMsgs(what, in.all(), want)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.overlap {
		in.rig.Errorf("%s: the subscriber was called while it was still busy", what)
	}
}
