package chat

import (
	"math"
	"slices"
)

// A feed is what a log needs for devices: which ones are attached, and its newest events. It is
// guarded by the room's mu.
type feed struct {
	attached []*attachment // In the order in which they came.
	ears     []ear         // Of each of attached what telling it needs, in one piece of memory.
	ring     ring
}

// An ear is how an attached device is told.
type ear struct {
	receiver Receiver
	after    uint64 // As in the attachment.
}

// An attachment is a device that gets everything live that comes after a number.
type attachment struct {
	room   *room
	device *Device
	after  uint64
	// entered is the Seq of the KindJoined by which the account is a member of the room; a KindLeft
	// before it is of an earlier membership. While a Join is under way it is notYet.
	entered uint64
	left    uint64 // Seq of the last KindLeft of the account that was delivered.
}

// notYet is more than any Seq.
const notYet = math.MaxUint64

// attachLocked makes d one of those who are told, and returns after which number, whether it is one now,
// and whether it was none before. It has everything up to have already. The room is open for devices. It locks d.
func (r *room) attachLocked(d *Device, entered, have uint64) (after uint64, is, fresh bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || r.closed {
		return 0, false, false
	}
	if r.feed == nil {
		r.feed = &feed{ring: newRing(r.delivered, r.head)}
	}
	if at := d.attached[r.name]; at != nil {
		at.entered = max(at.entered, entered)
		return at.after, true, false
	}
	at := &attachment{room: r, device: d, after: max(r.delivered, r.head, have), entered: entered}
	first := !r.feed.has(d.account)
	r.feed.attached = append(r.feed.attached, at)
	r.feed.ears = append(r.feed.ears, ear{d.receiver, at.after})
	if d.attached == nil {
		d.attached = make(map[string]*attachment)
	}
	d.attached[r.name] = at
	r.hub.stats.attached.Add(1)
	d.receiver.Receive(&Event{Room: r.ref, RoomName: r.name, Kind: KindAttached, Account: d.account.name, Number: at.after})
	if r.ref != 0 {
		r.hub.people.attend(r.name, d)
	}
	if first {
		if r.ref != 0 {
			r.hub.people.sit(at.place(), at.seat())
		}
		r.tellAttendanceLocked(KindCame, d)
	}
	return at.after, true, true
}

// detachLocked ends an attachment unless it has ended. It locks the device.
func (r *room) detachLocked(at *attachment) (was bool) {
	d := at.device
	d.mu.Lock()
	was = d.attached[r.name] == at
	if was {
		delete(d.attached, r.name)
	}
	d.mu.Unlock()
	if !was {
		return false
	}
	i := slices.Index(r.feed.attached, at)
	r.feed.attached = slices.Delete(r.feed.attached, i, i+1)
	r.feed.ears = slices.Delete(r.feed.ears, i, i+1)
	r.hub.stats.attached.Add(-1)
	r.hub.people.miss(r.name, d)
	last := !r.feed.has(d.account)
	if len(r.feed.attached) == 0 {
		r.feed = nil // Rooms of accounts are kept for ever, so those that nobody looks at must be small.
	}
	if last {
		r.hub.people.rise(at.place())
		r.tellAttendanceLocked(KindWent, d)
	}
	return true
}

// expelLocked ends the attachments of the account that has left with ev.
func (r *room) expelLocked(ev *Event) {
	for _, at := range slices.Clone(r.feed.attached) {
		if at.device.account.name != ev.Account {
			continue
		}
		at.left = ev.Seq
		if at.entered < ev.Seq {
			r.detachLocked(at)
		}
	}
}

// take tells the devices what was appended.
func (f *feed) take(ev *Event) {
	f.ring.push(ev)
	hub := f.attached[0].device.hub
	switch {
	case ev.Account == "":
	case ev.Kind == KindJoined:
		hub.people.memberJoined(ev.RoomName, ev.Account)
	case ev.Kind == KindLeft:
		hub.people.memberLeft(ev.RoomName, ev.Account)
	}
	all := !hub.blockings.someBlock(ev.Account)
	n := 0
	for i := range f.ears {
		if ear := &f.ears[i]; ev.Seq > ear.after && (all || f.attached[i].device.account.wants(ev)) {
			ear.receiver.Receive(ev)
			n++
		}
	}
	hub.stats.deliveries.Add(uint64(n))
}

// pass tells the devices what was sent. Those of the account that is typing need not be told.
func (f *feed) pass(ev *Event) {
	for _, at := range f.attached {
		d := at.device
		if ev.Kind == KindTyping && (ev.Account == d.account.name || d.hub.people.hides(ev.Account, d)) || !d.account.wants(ev) {
			continue
		}
		d.receiver.Receive(ev)
	}
}
