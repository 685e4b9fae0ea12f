package chat

import "slices"

// Present returns the names of those who are in the room when the event has happened, on all nodes: visitors
// that are members, and accounts that have a device attached, each once. They are in the order in which
// they came. A name that several have is there several times. What happens on another node is known when
// KindElsewhere comes. It must only be called from within Receive of a visitor. The caller owns what it gets.
func (ev *Event) Present() []string {
	var attached []*attachment
	if ev.room.feed != nil {
		attached = ev.room.feed.attached
	}
	elsewhere := ev.room.hub.people.elsewhere(ev.room.name)
	names := make([]string, 0, len(ev.room.members)+len(attached)+len(elsewhere))
	accounts := make(map[string]bool)
	account := func(name, show string) {
		if !accounts[name] {
			accounts[name] = true
			names = append(names, show)
		}
	}
	others := func(before uint64) { // Those who came before that number, or with it and are visitors.
		for len(elsewhere) > 0 && (elsewhere[0].since < before || elsewhere[0].since == before && !elsewhere[0].account) {
			if s := elsewhere[0]; s.account {
				account(s.who, s.name)
			} else {
				names = append(names, s.name)
			}
			elsewhere = elsewhere[1:]
		}
	}
	arrive := func(before uint64) {
		for len(attached) > 0 && attached[0].after < before {
			d := attached[0].device
			others(attached[0].after)
			account(d.account.name, d.show)
			attached = attached[1:]
		}
		others(before)
	}
	for _, m := range ev.room.members {
		arrive(m.since)
		if ev.Kind != KindLeft || !m.user.Owns(ev) {
			names = append(names, m.user.name)
		}
	}
	arrive(notYet)
	return names
}

// Owns reports whether ev is about u: that it came, left or said something. JoinIDs cannot tell, since another node of a
// cluster may have given out the same one.
func (u *User) Owns(ev *Event) bool { return device(ev.ID) == u.device }

// tellAttendanceLocked tells the visitors that the account of d has come or gone.
func (r *room) tellAttendanceLocked(kind Kind, d *Device) {
	if len(r.members) == 0 {
		return
	}
	ev := &Event{Room: r.ref, RoomName: r.name, Kind: kind, Account: d.account.name, Name: d.show, room: r}
	r.tellLocked(ev, -1)
}

// has reports whether a device of the account is attached.
func (f *feed) has(a *account) bool {
	return slices.ContainsFunc(f.attached, func(at *attachment) bool { return at.device.account == a })
}
