package relay

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"udpchat/chat"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/relay"
)

// A user is a name and the connections registered for it. It is the core's Hearer for it.
type user struct {
	front  *Front
	name   string
	user   *chat.User      // Set before anybody else has the user, constant after.
	ctx    context.Context // Ends with the user or the server. Constant.
	cancel context.CancelFunc
	bytes  atomic.Bool // It has shown that it counts bytes.
	spaced atomic.Bool // It has shown on either connection that it ends heads with a space.

	conns map[wire.Role]*conn // Guarded by Front.mu.
	gone  bool                // It has ended, or is about to. Guarded by Front.mu.

	mu      sync.Mutex
	room    chat.RoomRef // 0 until it is in the room. Guarded by mu, like all that follows.
	recv    *pipe        // Of its TORECV connection; nil until it is in the room.
	send    *pipe        // Of its TOSEND connection; nil until it has one.
	sends   []wire.Send  // SENDs that wait.
	sending bool         // A goroutine carries them out.
	casting *cast        // The broadcast that is on its way to the core; nil: none.
}

var (
	_ chat.Hearer   = (*user)(nil)
	_ chat.Answerer = (*user)(nil)
)

// Receive implements chat.Receiver. The protocol has words only for what is said.
func (u *user) Receive(ev *chat.Event) {
	own := u.user.Owns(ev)
	switch {
	case own && ev.Kind == chat.KindJoined:
		u.front.casts.enter(u)
	case own && ev.Kind == chat.KindLeft:
		u.front.casts.leave(u)
	case own && ev.Kind == chat.KindSaid:
		u.mu.Lock()
		k := u.casting
		u.mu.Unlock()
		if k != nil {
			u.front.casts.begin(k, ev, u)
		}
	case ev.Kind == chat.KindSaid && wire.CanName(ev.Name):
		id := ev.ID
		if ev.FromElsewhere() {
			u.front.casts.hear(id)
		}
		u.forward(ev.Name, ev.Text, func(err error) {
			if errors.Is(err, errGone) {
				err = nil // Whoever leaves is not to be told any more (PROTOCOL.md 3.3).
			}
			u.front.casts.settle(id, u, err)
		})
	}
}

// Answer implements chat.Answerer.
func (u *user) Answer(id string, done func(error)) { u.front.casts.answer(id, u, done) }

// Hear implements chat.Hearer.
func (u *user) Hear(w *chat.Whisper) {
	if !wire.CanName(w.From) {
		w.Done(chat.ErrNotTaken)
		return
	}
	u.forward(w.From, w.Text, w.Done)
}

// forward has a FORWARD sent to the user, if it can be sent any.
func (u *user) forward(from, text string, done func(error)) {
	u.mu.Lock()
	p := u.recv
	u.mu.Unlock()
	if p == nil {
		done(chat.ErrNotTaken)
		return
	}
	p.push(&forward{from: from, text: text, bytes: u.bytes.Load(), done: done})
}

// receipt is what the client says about the FORWARD it was sent last, on whichever connection.
func (u *user) receipt(from string, err error) {
	u.mu.Lock()
	p := u.recv
	u.mu.Unlock()
	if p != nil {
		p.receipt(from, err)
	}
}

// end ends a user, one of whose connections has ended with err; then the other one ends too, and the name is free. Only
// the first call counts.
func (f *Front) end(ctx context.Context, u *user, err error) {
	f.mu.Lock()
	if u.gone {
		f.mu.Unlock()
		return
	}
	u.gone = true
	conns := u.conns
	f.mu.Unlock()
	u.cancel()
	reason := chat.ReasonLost
	switch {
	case ctx.Err() != nil:
		reason = chat.ReasonShutdown
	case errors.Is(err, session.ErrSlow):
		reason = chat.ReasonSlow
	case errors.Is(err, io.EOF):
		reason = chat.ReasonDisconnected // Closing is leaving.
	}
	defer f.forget(u)
	for _, c := range conns {
		c.loop.Wake()
	}
	// The room is to hear of it also when ctx, which is the server's, has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := u.user.Close(ctx, reason); err != nil {
		f.cfg.Logger.Warn("rooms not told that a client left", "user", uint32(u.user.ID()), "err", err)
	}
}

// forget frees the name of a user that has ended.
func (f *Front) forget(u *user) {
	f.casts.leave(u) // If the room could not be told.
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.users, u.name)
}

// ended reports whether u has ended.
func (f *Front) ended(u *user) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return u.gone
}
