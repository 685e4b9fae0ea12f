package native

import (
	"sync"

	"udpchat/chat"
	"udpchat/chat/session"
)

// A receiver takes the events of one device to its session. Between the beginning of an attachment and the Place that
// announces it, events of that log are held, so that they come behind it (SPEC.md 5).
type receiver struct {
	conn            *conn  // Constant, like all up to mu.
	account, device string //

	mu        sync.Mutex
	held      map[string][][]byte // What is held of each log that waits for its Place; nil while none does. Guarded by mu.
	heldBytes int                 // Guarded by mu.
}

var _ chat.Pacer = (*receiver)(nil)

// Receive implements chat.Receiver.
func (r *receiver) Receive(ev *chat.Event) {
	switch ev.Kind {
	case chat.KindAttached:
		r.hold(ev.RoomName)
		return
	case chat.KindReplaced:
		r.conn.end(ErrReplaced)
		return
	case chat.KindRevoked:
		if ev.About == r.device {
			r.conn.end(ErrRevoked)
		}
	case chat.KindTyping:
		if ev.Account == r.account {
			return
		}
	}
	b := ev.Encoded("native", encode)
	if b == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, held := r.held[ev.RoomName]; !held {
		_ = r.conn.session.Enqueue(b) // An error says that the session has ended; its reader finds out.
		return
	}
	if r.heldBytes += len(b); r.heldBytes > heldBytesMax {
		r.conn.session.Abort(session.ErrSlow)
		return
	}
	r.held[ev.RoomName] = append(r.held[ev.RoomName], b)
}

// HasRoom implements chat.Pacer.
func (r *receiver) HasRoom() bool { return r.conn.session.Stats().QueuedBytes < presenceQueuedBytesMax }

// hold begins to hold the events of a log.
func (r *receiver) hold(log string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		r.held = make(map[string][][]byte)
	}
	r.held[log] = nil
}

// release queues place, nil if nobody wants to know it, and behind it what was held of the log.
func (r *receiver) release(log string, place []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.conn.session.Enqueue(place) // As above.
	for _, b := range r.held[log] {
		_ = r.conn.session.Enqueue(b)
	}
	r.dropLocked(log)
}

// abandon throws away what was held of a log that could not be attached to.
func (r *receiver) abandon(log string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropLocked(log)
}

func (r *receiver) dropLocked(log string) {
	for _, b := range r.held[log] {
		r.heldBytes -= len(b)
	}
	delete(r.held, log)
	if len(r.held) == 0 {
		r.held = nil
	}
}
