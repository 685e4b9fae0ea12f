package chat

import (
	"context"
)

// A Place is where a device stands in a log to which it is attached.
type Place struct {
	Room  string  // The room, or the name of another log.
	Ref   RoomRef // 0 if it is no room.
	Epoch string  // The life of the log: a number means the same message as long as it is the same.
	// Head is the number after which the device is told everything. What comes up to it is
	// read with History. Nothing is in both, nothing in neither.
	Head  uint64
	Topic string // Of a room; empty if it has none.
	Read  uint64 // How far the account has read it: its read marker.
	// Reload: what the client has of this log does not fit to what there is, so it must be thrown
	// away and read anew. Resume only.
	Reload bool
}

// Attach has the device told everything that happens in a log from now on: a room of which the account
// is a member, a direct conversation, or the account's own log. Receive is called with KindAttached first,
// and both that and the Place say what Head is. An attached device gets the Place it has. It refuses with
// CodeNotMember, CodeNoUser, CodeClosed or CodeShuttingDown.
func (d *Device) Attach(ctx context.Context, log string) (Place, error) {
	return d.attach(ctx, "attach", log)
}

// Resume attaches, and compares what the client has: the messages of the log in its epoch, up to the
// number after. If that cannot be continued by History(After: after), Reload says so. after is 0 for a
// client that has nothing.
func (d *Device) Resume(ctx context.Context, log, epoch string, after uint64) (Place, error) {
	const op = "resume"
	p, err := d.attach(ctx, op, log)
	if err != nil || after == 0 {
		return p, err
	}
	p.Reload = epoch != p.Epoch || after > p.Head
	if p.Reload || after == p.Head {
		return p, nil
	}
	// Whatever the log has forgotten, it has forgotten from its beginning on.
	oldest, err := d.hub.cfg.Engine.Read(ctx, log, 0, 0, 1)
	if err != nil {
		return p, engineError(op, err)
	}
	p.Reload = len(oldest) == 0 || oldest[0].Seq > after
	return p, nil
}

// Detach ends what Attach has begun; the account stays a member. After it has returned the Receiver is
// not called for that log. It does nothing if the device is not attached.
func (d *Device) Detach(log string) {
	d.mu.Lock()
	at := d.attached[log]
	d.mu.Unlock()
	if at != nil {
		at.end()
	}
}

// end ends an attachment, and gives its log back.
func (at *attachment) end() {
	at.room.mu.Lock()
	was := at.room.detachLocked(at)
	at.room.mu.Unlock()
	if was {
		at.room.hub.release(at.room)
	}
}

// attach is Attach.
func (d *Device) attach(ctx context.Context, op, log string) (Place, error) {
	entered, err := d.mayRead(ctx, op, log)
	if err != nil {
		return Place{}, err
	}
	r, err := d.hub.logFor(ctx, op, log)
	if err != nil {
		return Place{}, err
	}
	return d.attachTo(ctx, op, r, entered)
}

// attachTo attaches to a log that is held for it.
func (d *Device) attachTo(ctx context.Context, op string, r *room, entered uint64) (Place, error) {
	epoch, topic, err := "", "", r.openFor(ctx)
	if err == nil {
		epoch, err = d.hub.cfg.Engine.Epoch(ctx, r.name)
	}
	if err == nil && r.ref != 0 {
		topic, err = d.hub.topic(ctx, r.name)
	}
	if err != nil {
		d.hub.release(r)
		return Place{}, engineError(op, err)
	}
	r.mu.Lock()
	head, is, fresh := r.attachLocked(d, entered)
	r.mu.Unlock()
	if !fresh {
		d.hub.release(r) // The attachment there is has its own hold.
	} else {
		d.watchRoom(ctx, r)
	}
	if !is {
		if err := d.refuseClosed(op); err != nil {
			return Place{}, err
		}
		return Place{}, d.hub.refuse(op, CodeShuttingDown, r.ref, "")
	}
	return Place{Room: r.name, Ref: r.ref, Epoch: epoch, Head: head, Topic: topic, Read: d.account.marked(r.name)}, nil
}

// logFor returns a log, held; the caller owes a release.
func (h *Hub) logFor(ctx context.Context, op, log string) (*room, error) {
	if isInnerLog(log) {
		return h.hold(op, log)
	}
	if err := h.keep(ctx, log); err != nil {
		return nil, engineError(op, err)
	}
	return h.roomFor(log, func() error { return nil })
}

// mayRead refuses unless the account may see a log. For a room it returns by which KindJoined it may.
func (d *Device) mayRead(ctx context.Context, op, log string) (entered uint64, err error) {
	if err := d.refuseClosed(op); err != nil {
		return 0, err
	}
	if log == AccountLog(d.account.name) {
		return 0, nil
	}
	if peer, ok := DirectPeer(log, d.account.name); ok {
		return 0, d.meet(ctx, op, peer)
	}
	entered, ok := d.account.entered(log)
	if !ok {
		return 0, d.hub.refuse(op, CodeNotMember, 0, "")
	}
	return entered, nil
}

// meet refuses unless there is somebody of that name, other than the account itself.
func (d *Device) meet(ctx context.Context, op, peer string) error {
	if peer == d.account.name {
		return d.hub.refuse(op, CodeSelf, 0, "")
	}
	ok, err := d.hub.cfg.Accounts.Exists(ctx, peer)
	switch {
	case err != nil:
		return engineError(op, err)
	case !ok:
		return d.hub.refuse(op, CodeNoUser, 0, "")
	}
	return nil
}
