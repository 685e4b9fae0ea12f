package chat

import (
	"context"
	"fmt"
)

// A membership is what a user knows about itself in one room: which requests are under way, and
// therefore which may begin. Who is told about events is the room's affair (room.members); it
// follows the log, and the log follows the requests.
type membership struct {
	room  *room
	state state  // Guarded by the user's mu, like all that follows.
	ops   int    // Calls of Join and Say under way that have been let in.
	seq   uint64 // Seq of the last KindJoined of this user that was delivered.
}

type state uint8

const (
	// joining: the first KindJoined is being appended. The place is taken, nothing may be said
	// yet. Ends in joined, or in gone if the engine does not take it.
	joining state = iota

	// joined: KindJoined is in the log. Ends in leaving, or in gone by eviction.
	joined

	// leaving: KindLeft is being appended, or about to be when ops is 0. Nothing new is let in;
	// a Join waits for the end. Ends in gone, or in joined if the engine does not take it.
	leaving

	// gone: the user is not in the room. Final. While ops is not 0 this means that Close has
	// evicted it; an evicted membership stays in User.rooms until Close is done, so that what is
	// still under way cannot make it anew.
	gone
)

// refuseFull refuses a user that may not join one more room.
func (u *User) refuseFull() error {
	u.mu.Lock()
	full := len(u.rooms) >= u.hub.cfg.RoomsPerUserMax
	u.mu.Unlock()
	if full {
		return u.hub.refuse("join", CodeTooManyRooms, 0, u.fullDetail())
	}
	return nil
}

func (u *User) fullDetail() string {
	return fmt.Sprintf("the most is %d for one client", u.hub.cfg.RoomsPerUserMax)
}

// beginJoin lets a Join in. The caller owes an end.
func (u *User) beginJoin(ctx context.Context, r *room) (*membership, error) {
	const op = "join"
	u.mu.Lock()
	defer u.mu.Unlock()
	err := u.awaitLocked(ctx, op, r.ref, func() bool {
		m := u.rooms[r.ref]
		return u.closing || m == nil || m.state != leaving
	})
	switch {
	case err != nil:
		return nil, err
	case u.closing:
		return nil, u.hub.refuse(op, CodeClosed, r.ref, "")
	}
	m := u.rooms[r.ref]
	if m == nil {
		if len(u.rooms) >= u.hub.cfg.RoomsPerUserMax {
			return nil, u.hub.refuse(op, CodeTooManyRooms, r.ref, u.fullDetail())
		}
		m = u.addLocked(r)
	}
	m.ops++
	return m, nil
}

// beginSay lets a Say in. The caller owes an end.
func (u *User) beginSay(ref RoomRef) (*membership, error) {
	const op = "say"
	if u.hub.isClosed() {
		return nil, u.hub.refuse(op, CodeShuttingDown, ref, "")
	}
	u.mu.Lock()
	m, closing := u.rooms[ref], u.closing
	ok := !closing && m != nil && m.state == joined
	if ok {
		m.ops++
	}
	u.mu.Unlock()
	switch {
	case ok:
		return m, nil
	case closing:
		return nil, u.hub.refuse(op, CodeClosed, ref, "")
	}
	return nil, u.refuseStranger(op, ref)
}

// refuseStranger returns why a user who is not a member may not do op. It locks the hub.
func (u *User) refuseStranger(op string, ref RoomRef) error {
	if u.hub.room(ref) == nil {
		return u.hub.refuse(op, CodeNoRoom, ref, "")
	}
	return u.hub.refuse(op, CodeNotMember, ref, "")
}

// end is the end of what beginJoin or beginSay let in.
func (u *User) end(m *membership) {
	u.mu.Lock()
	defer u.mu.Unlock()
	m.ops--
	if m.state == joining && m.ops == 0 {
		u.dropLocked(m) // The engine took none of the attempts to join.
	}
	u.notifyLocked()
}

// admit reports whether u may become a member now that its KindJoined comes out of the log. It
// may not if Close is done with the room: Join then sees to it that the room hears of the end.
func (u *User) admit(r *room) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := u.rooms[r.ref]
	if m == nil {
		if u.closed {
			return false
		}
		// Append returned an error, but the engine has the record all the same.
		m = u.addLocked(r)
	}
	if m.state == joining {
		m.state = joined
	}
	return m.state != gone
}

// noteJoined says that a KindJoined of u was delivered.
func (u *User) noteJoined(ref RoomRef, seq uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m := u.rooms[ref]; m != nil {
		m.seq = seq
		u.notifyLocked()
	}
}

// noteLeft says that a KindLeft of u was delivered.
func (u *User) noteLeft(ref RoomRef) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m := u.rooms[ref]; m != nil {
		u.dropLocked(m)
		u.notifyLocked()
	}
}

// noteEvicted says that Close has taken u out of the room.
func (u *User) noteEvicted(ref RoomRef) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m := u.rooms[ref]; m != nil {
		m.state = gone
		u.notifyLocked()
	}
}

func (u *User) addLocked(r *room) *membership {
	m := &membership{room: r}
	if u.rooms == nil {
		u.rooms = make(map[RoomRef]*membership)
	}
	u.rooms[r.ref] = m
	r.uses.Add(1)
	return m
}

func (u *User) dropLocked(m *membership) {
	m.state = gone
	if u.rooms[m.room.ref] == m {
		delete(u.rooms, m.room.ref)
		m.room.uses.Add(-1)
	}
}

// awaitLocked waits until ok, which looks at what mu guards. It gives mu up while it waits. If
// ok holds at once it does not matter whether ctx has ended.
func (u *User) awaitLocked(ctx context.Context, op string, ref RoomRef, ok func() bool) error {
	for !ok() {
		if u.changed == nil {
			u.changed = make(chan struct{})
		}
		changed := u.changed
		u.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-ctx.Done():
			err = fmt.Errorf("chat: %s: %w", op, context.Cause(ctx))
		case <-u.hub.done:
			err = u.hub.refuse(op, CodeShuttingDown, ref, "")
		}
		u.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

// notifyLocked wakes all who are in awaitLocked.
func (u *User) notifyLocked() {
	if u.changed != nil {
		close(u.changed)
		u.changed = nil
	}
}
