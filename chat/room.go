package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A room has one subscription to its log, opened by the first join and kept until the room gives up its place,
// and delivers what comes back to the members of this Hub: visitors and attached devices. The logs
// that are no rooms are of the same type; they have no number, and end with their last holder.
type room struct {
	hub     *Hub
	ref     RoomRef
	name    string
	holders int // Of a log that is no room. Guarded by the hub's mu.

	// uses is of a room: memberships of visitors, and calls of Join under way; one for ever when a device has used it. It rises
	// from 0 only with the hub's mu or mu held.
	uses atomic.Int64

	mu        sync.Mutex
	seen      *seen             // Ids of the last messages of devices; nil if there were none. Guarded by mu.
	feed      *feed             // What attached devices need; nil while there are none. Guarded by mu.
	owner     *account          // The one whose own log this is, while it is logged in. Guarded by mu.
	head      uint64            // Of the log at a moment when it was subscribed to. Guarded by mu.
	headKnown bool              // Guarded by mu.
	forgets   bool              // The engine has said that it does not keep it. Guarded by mu.
	members   []member          // In the order they joined, so since rises. Guarded by mu.
	since     map[string]uint64 // Device of each member to its since. Guarded by mu.
	delivered uint64            // Seq of the last entry taken from the log. Guarded by mu.
	stored    uint64            // Highest Seq that a device of this Hub was told is stored. Guarded by mu.
	opening   chan struct{}     // Closed when the Subscribe under way has ended; nil if none is. Guarded by mu.
	stop      func()            // Ends the subscription; nil while there is none. Guarded by mu.
	closed    bool              // Guarded by mu.
}

// A member is a user of this Hub whose KindJoined was delivered and whose KindLeft was not.
type member struct {
	receiver Receiver
	user     *User
	since    uint64 // Seq of the KindJoined by which it became a member.
}

// open subscribes to the room's log unless that was done. Concurrent callers share one attempt;
// after a failed one the next caller tries again.
func (r *room) open(ctx context.Context) error {
	for {
		r.mu.Lock()
		stop, opening := r.stop, r.opening
		switch {
		case r.closed:
			r.mu.Unlock()
			return r.hub.refuse("join", CodeShuttingDown, r.ref, "")
		case stop == nil && opening == nil:
			r.opening = make(chan struct{})
			r.mu.Unlock()
			return r.subscribe()
		}
		r.mu.Unlock()
		if stop != nil {
			return nil
		}
		select {
		case <-opening:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// subscribe is the attempt to subscribe; r.opening was set by the caller.
func (r *room) subscribe() error {
	stop, err := r.hub.cfg.Engine.Subscribe(r.name, r.deliver)
	r.mu.Lock()
	close(r.opening)
	r.opening = nil
	closed := r.closed
	if err == nil && !closed {
		r.stop = stop
	}
	r.mu.Unlock()
	if err == nil && closed {
		stop() // Close has already been here and saw nothing to stop.
		return r.hub.refuse("join", CodeShuttingDown, r.ref, "")
	}
	return err
}

// openFor opens the room for devices: in addition it finds out how far the log was at a moment when
// we were subscribed to it. What comes later is certain to be delivered.
func (r *room) openFor(ctx context.Context) error {
	if err := r.open(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	known := r.headKnown
	r.mu.Unlock()
	if known {
		return nil
	}
	heads, err := r.hub.cfg.Engine.Heads(ctx, []string{r.name})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.headKnown { // All answers are right; devices are attached already by the first one.
		r.head, r.headKnown = heads[0], true
	}
	return nil
}

// close ends the subscription. After it no member is told anything.
func (r *room) close() {
	r.mu.Lock()
	r.closed = true
	stop := r.stop
	r.stop = nil
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// deliver takes the next entry of the log: it changes who is a member and tells the members. The
// engine calls it, one call at a time.
func (r *room) deliver(msg Msg) {
	rec, err := decodeRecord(msg.Data)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return // A Subscribe that ended after Close.
	}
	if msg.Seq == 0 {
		if err == nil {
			r.passLocked(newEvent(r.ref, msg, rec))
		}
		return
	}
	if msg.Seq <= r.delivered {
		r.hub.stats.droppedOldSeq.Add(1)
		err := fmt.Errorf("chat: entry %d came after entry %d", msg.Seq, r.delivered)
		r.hub.log.Error("engine repeated an entry", "room", r.ref, "err", err)
		return
	}
	r.delivered = msg.Seq
	if err != nil {
		r.hub.stats.droppedBadRecord.Add(1)
		err = fmt.Errorf("chat: entry %d: %w", msg.Seq, err)
		r.hub.log.Error("unreadable entry in a room's log", "room", r.ref, "err", err)
		return
	}
	if r.isRepeatLocked(msg, rec) {
		r.hub.stats.droppedRepeat.Add(1)
		r.hub.log.Error("engine stored a message twice", "room", r.ref, "err", fmt.Errorf("chat: entry %d has the id of an earlier one", msg.Seq))
		return
	}
	ev := newEvent(r.ref, msg, rec)
	ev.room = r
	if ev.Account != "" {
		r.tellLocked(ev, -1)
	} else {
		r.visitLocked(ev)
	}
	if r.feed != nil {
		r.feed.take(ev)
		if ev.Kind == KindLeft && ev.Account != "" {
			r.expelLocked(ev)
		}
	}
	if r.owner != nil {
		r.owner.follow(ev)
	}
}

// newEvent makes an Event out of an entry of a log.
func newEvent(ref RoomRef, msg Msg, rec record) *Event {
	return &Event{
		Room: ref, RoomName: msg.Room,
		Seq: msg.Seq, Time: msg.Time, ID: msg.ID,
		Kind: rec.kind, User: rec.user, Account: rec.account, Name: rec.name, Text: rec.text,
		File: rec.file(), About: rec.about, Number: rec.number, Reason: rec.reason, Tag: rec.tag,
	}
}

// visitLocked delivers an event about a visitor, which may change who is a member.
func (r *room) visitLocked(ev *Event) {
	dev := device(ev.ID)
	if ev.Kind == KindJoined {
		r.admitLocked(dev, ev.Seq)
	}
	subject := r.findLocked(dev)
	r.tellLocked(ev, subject)
	if subject < 0 {
		return // Of another node, or removed without a KindLeft.
	}
	u := r.members[subject].user
	switch ev.Kind {
	case KindJoined:
		u.noteJoined(r.ref, ev.Seq)
	case KindLeft:
		r.removeLocked(subject)
		u.noteLeft(r.ref)
	}
}

// passLocked delivers what was sent past the log. It is for devices only.
func (r *room) passLocked(ev *Event) {
	if r.owner != nil {
		r.owner.follow(ev)
	}
	if r.feed != nil {
		r.feed.pass(ev)
	}
}

// admitLocked makes the user of this Hub that has that device a member, unless it is one or has
// been closed meanwhile.
func (r *room) admitLocked(dev string, seq uint64) {
	if _, ok := r.since[dev]; ok {
		return
	}
	u := r.hub.users.findDevice(dev)
	if u == nil || !u.admit(r) {
		return
	}
	if r.since == nil {
		r.since = make(map[string]uint64)
	}
	r.members = append(r.members, member{receiver: u.receiver, user: u, since: seq})
	r.since[dev] = seq
	_, answers := u.receiver.(Answerer)
	r.hub.people.sit(place{room: r.name, who: dev}, seat{since: seq, name: u.name, user: u.id, answers: answers})
	r.hub.stats.members.Add(1)
}

// findLocked returns the place of a member, or -1.
func (r *room) findLocked(dev string) int {
	since, ok := r.since[dev]
	if !ok {
		return -1
	}
	i, ok := slices.BinarySearchFunc(r.members, since, func(m member, since uint64) int {
		return cmp.Compare(m.since, since)
	})
	if !ok {
		panic("BUG: chat: members of a room are out of order")
	}
	return i
}

// tellLocked delivers ev to the member it is about, if there is one, and then to the others in
// the order they joined.
func (r *room) tellLocked(ev *Event, subject int) {
	r.hub.stats.events[ev.Kind].Add(1)
	r.hub.stats.deliveries.Add(uint64(len(r.members)))
	if subject < 0 {
		subject = len(r.members)
	} else {
		r.members[subject].receiver.Receive(ev)
	}
	for i := range subject {
		r.members[i].receiver.Receive(ev)
	}
	for i := subject + 1; i < len(r.members); i++ {
		r.members[i].receiver.Receive(ev)
	}
}

// removeLocked takes the member at i out of the room.
func (r *room) removeLocked(i int) {
	dev := r.members[i].user.device
	delete(r.since, dev)
	r.hub.people.rise(place{room: r.name, who: dev})
	r.members = slices.Delete(r.members, i, i+1)
	r.hub.stats.members.Add(-1)
	if len(r.members) == 0 {
		r.members, r.since = nil, nil // Empty rooms are kept until another needs the place, so they must be small.
	}
}

// evict takes u, which is being closed, out of the room without an event.
func (r *room) evict(u *User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.findLocked(u.device); i >= 0 {
		r.removeLocked(i)
	}
	u.noteEvicted(r.ref)
}
