package chat

import (
	"context"
	"fmt"
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
	// Forgets: visitors were in the room before any account, so that the engine does not keep it: what is said in it does not
	// outlive the server.
	Forgets bool
}

// Attach has the device told everything that happens in a log from now on: a room of which the account
// is a member, a direct conversation, or the account's own log. Receive is called with KindAttached first,
// and both that and the Place say what Head is. An attached device gets the Place it has. It refuses with
// CodeNotMember, CodeNoUser, CodeTooMany, CodeClosed or CodeShuttingDown.
func (d *Device) Attach(ctx context.Context, log string) (Place, error) {
	return d.attach(ctx, "attach", log, cursor{})
}

// A cursor is what a client has of a log: in its epoch, the messages up to the one of number after. The zero
// cursor is nothing.
type cursor struct {
	epoch string
	after uint64
}

// Resume attaches, and compares what the client has: the messages of the log in its epoch, up to the
// number after, perhaps from another node that is further than this one. If that cannot be continued by
// History(After: after), Reload says so. after is 0 for a client that has nothing.
func (d *Device) Resume(ctx context.Context, log, epoch string, after uint64) (Place, error) {
	return d.attach(ctx, "resume", log, cursor{epoch, after})
}

// fits reports whether what a client has of a log is the beginning of what there is. known is a number that
// the log has reached.
func (c cursor) fits(ctx context.Context, engine Engine, log, epoch string, known uint64) (bool, error) {
	if c.after == 0 {
		return true, nil
	}
	if c.epoch != epoch {
		return false, nil
	}
	if c.after > known { // The client has been on a node that has heard more than we have.
		heads, err := engine.Heads(ctx, []string{log})
		return err == nil && c.after <= heads[0], err
	}
	if c.after == known {
		return true, nil
	}
	// Whatever the log has forgotten, it has forgotten from its beginning on.
	oldest, err := engine.Read(ctx, log, 0, 0, 1)
	return err == nil && len(oldest) > 0 && oldest[0].Seq <= c.after, err
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

// attach is Attach and Resume.
func (d *Device) attach(ctx context.Context, op, log string, have cursor) (Place, error) {
	entered, err := d.mayRead(ctx, op, log)
	if err == nil {
		err = d.refuseFull(op, log)
	}
	if err != nil {
		return Place{}, err
	}
	r, err := d.hub.logFor(ctx, op, log)
	if err != nil {
		return Place{}, err
	}
	return d.attachTo(ctx, op, r, entered, have)
}

// attachTo attaches to a log that is held for it.
func (d *Device) attachTo(ctx context.Context, op string, r *room, entered uint64, have cursor) (Place, error) {
	p, err := d.survey(ctx, r, have)
	if err != nil {
		d.hub.release(r)
		return Place{}, engineError(op, err)
	}
	if p.Reload {
		have.after = 0
	}
	r.mu.Lock()
	head, is, fresh := r.attachLocked(d, entered, have.after)
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
	p.Head, p.Read = head, d.account.marked(r.name)
	return p, nil
}

// survey opens a log, and returns what is to be said about it before somebody is attached.
func (d *Device) survey(ctx context.Context, r *room, have cursor) (Place, error) {
	p := Place{Room: r.name, Ref: r.ref}
	if err := r.openFor(ctx); err != nil {
		return p, err
	}
	var err error
	if p.Epoch, err = d.hub.cfg.Engine.Epoch(ctx, r.name); err != nil {
		return p, err
	}
	if r.ref != 0 {
		if p.Topic, err = d.hub.TopicOf(ctx, r.name); err != nil {
			return p, err
		}
	}
	r.mu.Lock()
	known := max(r.delivered, r.head)
	p.Forgets = r.forgets
	r.mu.Unlock()
	fits, err := have.fits(ctx, d.hub.cfg.Engine, r.name, p.Epoch, known)
	p.Reload = !fits
	return p, err
}

// logFor returns a log, held; the caller owes a release.
func (h *Hub) logFor(ctx context.Context, op, log string) (*room, error) {
	if isInnerLog(log) {
		return h.hold(op, log)
	}
	r, err := h.keptRoom(ctx, log)
	return r, engineError(op, err)
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
	return d.account.entered(ctx, op, log)
}

// refuseFull refuses a device that is attached to too many logs.
func (d *Device) refuseFull(op, log string) error {
	d.mu.Lock()
	full := d.attached[log] == nil && len(d.attached) >= attachedMax
	d.mu.Unlock()
	if full {
		return d.hub.refuse(op, CodeTooMany, 0, fmt.Sprintf("the most is %d rooms and conversations at a time", attachedMax))
	}
	return nil
}

// meet refuses unless there is somebody of that name, other than the account itself.
func (d *Device) meet(ctx context.Context, op, peer string) error {
	if peer == d.account.name {
		return d.hub.refuse(op, CodeSelf, 0, "")
	}
	if d.account.converses(peer) {
		return nil
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
