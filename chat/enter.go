package chat

import (
	"context"

	"udpchat/chat/names"
)

// Join makes the account a member of the room of that name, for all its devices and until one of them
// leaves; the room is made if there is none. The device is attached to it, as by Attach, before the
// KindJoined of a new member, so it is told of that. It refuses with CodeBadName, CodeTooManyRooms,
// CodeClosed or CodeShuttingDown. After any other error the account may be a member; asking again settles it.
func (d *Device) Join(ctx context.Context, room string) (Place, error) {
	const op = "join"
	h := d.hub
	if err := d.refuseClosed(op); err != nil {
		return Place{}, err
	}
	if err := h.checkRoomName(op, room); err != nil {
		return Place{}, err
	}
	if err := d.account.refuseFull(room); err != nil {
		return Place{}, err
	}
	r, err := h.keptRoom(ctx, room)
	if err != nil {
		return Place{}, engineError(op, err)
	}
	p, err := d.attachTo(ctx, op, r, notYet, cursor{})
	if err != nil {
		return Place{}, err
	}
	seq, err := d.enrol(ctx, room)
	if err != nil {
		d.Detach(room)
		return Place{}, engineError(op, err)
	}
	d.account.noteEntered(room, seq)
	r.settle(d, seq)
	return p, nil
}

// enrol makes the account a member of the room, which has a record then.
func (d *Device) enrol(ctx context.Context, room string) (seq uint64, err error) {
	if _, member := d.account.knownEntered(room); !member {
		if err := d.hub.noteRoom(ctx, room); err != nil {
			return 0, err
		}
	}
	return d.hub.enrol(ctx, d.account.name, d.show, room)
}

// settle says by which KindJoined the account is a member, now that Join knows. If it has left again
// meanwhile, by another device, the attachment ends.
func (r *room) settle(d *Device, seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d.mu.Lock()
	at := d.attached[r.name]
	d.mu.Unlock()
	if at == nil {
		return
	}
	at.entered = seq
	if at.left > seq {
		r.detachLocked(at)
	}
}

// Leave ends the account's membership, for all its devices. It returns when the KindLeft is stored;
// attached devices receive that and are told nothing more. It refuses with CodeNotMember, CodeClosed or
// CodeShuttingDown. After any other error the account may or may not be a member; asking again settles it.
func (d *Device) Leave(ctx context.Context, room string) error {
	const op = "leave"
	if err := d.refuseClosed(op); err != nil {
		return err
	}
	_, known := d.account.knownEntered(room)
	if !known && (isInnerLog(room) || names.Check(room, d.hub.cfg.NameBytesMax) != nil) {
		return d.hub.refuse(op, CodeNotMember, 0, "") // There is no such room.
	}
	seq, err := d.hub.discharge(ctx, d.account.name, d.show, room)
	switch {
	case err != nil:
		return engineError(op, err)
	case seq == 0 && !known:
		return d.hub.refuse(op, CodeNotMember, 0, "")
	case seq == 0: // Another node was quicker, and its KindExited is on the way.
		seq = notYet
	}
	d.account.noteExited(room, seq)
	return nil
}

// Rooms returns the rooms of which the account is a member, in the order of their names.
func (d *Device) Rooms() []string { return d.account.memberOf() }

// refuseFull refuses an account that may not be a member of one more room.
func (a *account) refuseFull(room string) error {
	a.mu.Lock()
	_, member := a.rooms[room]
	full := !member && len(a.rooms) >= a.hub.cfg.RoomsPerUserMax
	a.mu.Unlock()
	if full {
		return a.hub.refuse("join", CodeTooManyRooms, 0, "the most is reached for this account")
	}
	return nil
}
