package chat

import (
	"context"
	"errors"
	"fmt"
)

// Leave ends the user's membership. It returns after the user has received its own KindLeft. It
// refuses with CodeNotMember, CodeNoRoom, CodeShuttingDown or CodeClosed. After any other error the
// user may or may not be a member.
func (u *User) Leave(ctx context.Context, ref RoomRef) error {
	const op = "leave"
	if u.hub.isClosed() {
		return u.hub.refuse(op, CodeShuttingDown, ref, "")
	}
	u.mu.Lock()
	m := u.rooms[ref]
	if m == nil || m.state != joined {
		u.mu.Unlock()
		return u.refuseStranger(op, ref)
	}
	m.state = leaving
	// What the user has begun to say comes before its KindLeft.
	err := u.awaitLocked(ctx, op, ref, func() bool { return m.ops == 0 || m.state == gone })
	if err == nil && m.state == gone {
		err = u.hub.refuse(op, CodeClosed, ref, "")
	}
	if err != nil {
		u.stayLocked(m)
		u.mu.Unlock()
		return err
	}
	u.mu.Unlock()
	return u.appendLeft(ctx, m, ReasonLeft)
}

// Close ends all memberships in the order of RoomRef, for reason; the user receives its own
// KindLeft of every room. Requests under way are waited for, new ones are refused with
// CodeClosed. Then its JoinID is free. After Close has returned, the user is in no room and its
// Receiver is not called again, even if there was an error: then some rooms were not told. So ctx
// should leave the engine time for an Append per room. A further Close waits for the first one
// and returns nil.
func (u *User) Close(ctx context.Context, reason LeaveReason) error {
	if reason < ReasonLeft || reason > ReasonShutdown {
		panic("BUG: chat: Close with " + reason.String())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closing {
		return u.awaitLocked(ctx, "close", 0, func() bool { return u.closed })
	}
	u.closing = true
	u.notifyLocked() // A Join that waits for a Leave gives up.
	defer u.endCloseLocked()
	var errs []error
	for m := u.firstLocked(); m != nil; m = u.firstLocked() {
		if err := u.departLocked(ctx, m, reason); err != nil {
			errs = append(errs, fmt.Errorf("chat: close: room %d was not told: %w", m.room.ref, err))
		}
	}
	return errors.Join(errs...)
}

// endCloseLocked frees the JoinID. Rooms are left only if a Receiver or the engine has panicked; they must not keep a
// member for ever because of that.
func (u *User) endCloseLocked() {
	for m := u.firstLocked(); m != nil; m = u.firstLocked() {
		u.mu.Unlock()
		m.room.evict(u)
		u.mu.Lock()
	}
	for _, m := range u.rooms {
		u.dropLocked(m)
	}
	u.closed, u.rooms = true, nil
	u.hub.users.remove(u)
	if u.hub.visitors.remove(u) {
		u.hub.people.dirtyName(u.name)
	}
	u.notifyLocked()
}

// firstLocked returns the membership with the smallest RoomRef that is not gone, or nil.
func (u *User) firstLocked() *membership {
	var first *membership
	for ref, m := range u.rooms {
		if m.state != gone && (first == nil || ref < first.room.ref) {
			first = m
		}
	}
	return first
}

// departLocked is depart, or else evict. It gives mu up meanwhile, and has it again also after a panic.
func (u *User) departLocked(ctx context.Context, m *membership, reason LeaveReason) error {
	u.mu.Unlock()
	defer u.mu.Lock()
	err := u.depart(ctx, m, reason)
	if err != nil {
		m.room.evict(u)
	}
	return err
}

// depart ends one membership for Close: it waits for what is under way, and leaves if there is
// then something left to leave.
func (u *User) depart(ctx context.Context, m *membership, reason LeaveReason) error {
	u.mu.Lock()
	err := u.awaitLocked(ctx, "close", m.room.ref, func() bool { return m.ops == 0 && m.state != leaving })
	if err != nil || m.state == gone {
		u.mu.Unlock()
		return err
	}
	m.state = leaving
	u.mu.Unlock()
	return u.appendLeft(ctx, m, reason)
}

// appendLeft appends KindLeft for a membership that is leaving, with no request under way, and
// waits until it was delivered.
func (u *User) appendLeft(ctx context.Context, m *membership, reason LeaveReason) error {
	_, err := u.append(ctx, m.room, record{kind: KindLeft, reason: reason, user: u.id, name: u.name})
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil {
		u.stayLocked(m)
		return fmt.Errorf("chat: leave: %w", err)
	}
	// If this does not come to an end the membership stays leaving: KindLeft is in the log.
	return u.awaitLocked(ctx, "leave", m.room.ref, func() bool { return m.state == gone })
}

// stayLocked makes a membership that could not be left what it was.
func (u *User) stayLocked(m *membership) {
	if m.state == leaving {
		m.state = joined
		u.notifyLocked()
	}
}
