package chat

import (
	"context"
	"fmt"
)

// Join makes the user a member of the room of that name, which is made if there is none. It
// returns after the user has received its own KindJoined. For a member it appends one more
// KindJoined and changes nothing else. It refuses with CodeBadName, CodeTooManyRooms,
// CodeShuttingDown or CodeClosed. After any other error the user may yet become a member, and its
// KindJoined says so.
func (u *User) Join(ctx context.Context, name string) (RoomRef, error) {
	const op = "join"
	h := u.hub
	if err := h.checkRoomName(op, name); err != nil {
		return 0, err
	}
	h.Start()
	r, err := h.roomFor(name, u.refuseFull)
	if err != nil {
		return 0, err
	}
	defer r.uses.Add(-1) // The membership has its own.
	if err := r.open(ctx); err != nil {
		return 0, engineError(op, err)
	}
	m, err := u.beginJoin(ctx, r)
	if err != nil {
		return 0, err
	}
	defer u.end(m)
	msg, err := u.append(ctx, r, record{kind: KindJoined, user: u.id, name: u.name})
	if err != nil {
		return 0, engineError(op, err)
	}
	evicted, err := u.awaitJoined(ctx, m, msg.Seq)
	if evicted {
		u.makeUp(ctx, r)
		return 0, h.refuse(op, CodeClosed, r.ref, "")
	}
	if err != nil {
		return 0, err
	}
	return r.ref, nil
}

// awaitJoined waits until the KindJoined with Seq seq, which is in the log, was delivered. It
// reports whether u was closed and evicted before that.
func (u *User) awaitJoined(ctx context.Context, m *membership, seq uint64) (evicted bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m.state == joining {
		m.state = joined
	}
	err = u.awaitLocked(ctx, "join", m.room.ref, func() bool { return m.seq >= seq || m.state == gone })
	return m.state == gone, err
}

// makeUp appends the KindLeft that Close could not, because KindJoined was still under way. It
// runs in the goroutine of Join, whose ctx may have ended.
func (u *User) makeUp(ctx context.Context, r *room) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeUpTimeout)
	defer cancel()
	_, err := u.append(ctx, r, record{kind: KindLeft, reason: ReasonLost, user: u.id, name: u.name})
	if err != nil {
		u.hub.log.Warn("room not told that a user left", "room", r.ref, "user", u.id, "err", err)
	}
}

// engineError says what an error of the engine is about; refusals stay what they are.
func engineError(op string, err error) error {
	if _, refused := err.(*Error); refused || err == nil {
		return err
	}
	return fmt.Errorf("chat: %s: %w", op, err)
}
