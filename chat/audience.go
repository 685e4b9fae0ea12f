package chat

import "slices"

// An audience is who is told about the presence of the members of one room: the devices that are attached to it
// on this node. Every member and every device is in it once, and what a device still has to be told is but a
// number, so it takes memory for members and devices, not for their product. A change moves a member to the end
// of the changes. A device that is behind is told of the last change of each member only: it may miss what was
// in between, but never what is. All of it is guarded by the mu of people.
type audience struct {
	ears    map[*Device]*hearing
	changes []change // In rising order of n. Those that are not the last of their standing are old.
	members map[string]*standing
	loading bool            // Somebody reads who is a member.
	known   bool            // Who is a member was read.
	crowded bool            // They are more than presenceRoomMax: nobody is told anything.
	left    map[string]bool // Who has left since loading began.
}

// A standing is that an account is a member of a room.
type standing struct {
	in   *audience
	name string
	n    uint64 // Of its last change; 0: nobody knows it, or it is a member no longer.
}

type change struct {
	n  uint64
	of *standing
}

// A hearing is how far a device was told.
type hearing struct {
	start uint64 // Of the last change before it was attached.
	told  uint64 // Of the last change it was told.
}

// A Pacer is a Receiver that can be asked whether it has room for what can wait: presence in rooms. As long as
// it has none it is told nothing of that, and the newest later. HasRoom is called like Receive.
type Pacer interface{ HasRoom() bool }

// hasRoom reports whether the device can be told more of what can wait.
func (d *Device) hasRoom() bool { return d.pacer == nil || d.pacer.HasRoom() }

// attend has the device told about the members of a room. The room and the device are locked.
func (p *people) attend(room string, d *Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.watchAll || d.unwatched || p.closed {
		return
	}
	a := p.audiences[room]
	if a == nil {
		if p.audiences == nil {
			p.audiences = make(map[string]*audience)
		}
		a = &audience{ears: make(map[*Device]*hearing), members: make(map[string]*standing)}
		p.audiences[room] = a
	}
	a.ears[d] = &hearing{start: p.tick}
}

// miss is the end of attend. The last device takes the audience with it. The room is locked.
func (p *people) miss(room string, d *Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.audiences[room]
	if a == nil || a.ears[d] == nil {
		return
	}
	delete(a.ears, d)
	d.missed = true
	if len(a.ears) == 0 {
		p.emptyLocked(a)
		delete(p.audiences, room)
		delete(p.late, a)
	}
}

// emptyLocked forgets the members.
func (p *people) emptyLocked(a *audience) {
	for name, s := range a.members {
		p.unlinkLocked(name, s)
	}
	clear(a.members)
	a.changes = nil
}

func (p *people) unlinkLocked(name string, s *standing) {
	s.n = 0
	list := p.memberOf[name]
	if list = slices.DeleteFunc(list, func(other *standing) bool { return other == s }); len(list) == 0 {
		delete(p.memberOf, name)
	} else {
		p.memberOf[name] = list
	}
}

// beginRoster returns for whom the caller is to read who is a member of the room, and to say it with endRoster; nil: for nobody.
func (p *people) beginRoster(room string) *audience {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.audiences[room]
	if a == nil || a.known || a.loading {
		return nil
	}
	a.loading, a.left = true, make(map[string]bool)
	return a
}

// endRoster says who is a member; read is false if it could not be read. Who has come or gone since beginRoster
// is known already, and better. If all of the audience have gone meanwhile, nobody is told.
func (p *people) endRoster(room string, a *audience, accounts []string, read bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.audiences[room] != a {
		return
	}
	left := a.left
	a.loading, a.left, a.known = false, nil, read
	if !read {
		return
	}
	for _, name := range accounts {
		if !left[name] {
			p.admitLocked(a, name)
		}
	}
	for _, h := range a.ears {
		h.start = p.tick
	}
	p.spreadLocked(a)
}

// admitLocked makes an account a member, if it is none.
func (p *people) admitLocked(a *audience, name string) {
	switch {
	case a.crowded || a.members[name] != nil:
		return
	case len(a.members) >= presenceRoomMax:
		p.emptyLocked(a)
		a.crowded = true
		return
	}
	s := &standing{in: a, name: name}
	a.members[name] = s
	if p.memberOf == nil {
		p.memberOf = make(map[string][]*standing)
	}
	p.memberOf[name] = append(p.memberOf[name], s)
	if p.byName[name] != nil {
		p.moveLocked(s)
	}
}

// moveLocked notes that everybody has to be told about a member.
func (p *people) moveLocked(s *standing) {
	a := s.in
	p.tick++
	s.n = p.tick
	if len(a.changes) >= 2*len(a.members)+presenceBatch {
		a.changes = slices.DeleteFunc(a.changes, func(c change) bool { return c.n != c.of.n })
	}
	a.changes = append(a.changes, change{s.n, s})
}

// memberJoined and memberLeft follow a KindJoined and KindLeft of an account. The room is locked.
func (p *people) memberJoined(room, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.audiences[room]
	if a == nil || !a.known && !a.loading {
		return
	}
	delete(a.left, name)
	p.admitLocked(a, name)
	p.spreadLocked(a)
}

func (p *people) memberLeft(room, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.audiences[room]
	if a == nil {
		return
	}
	if a.loading {
		a.left[name] = true
	}
	if s := a.members[name]; s != nil {
		delete(a.members, name)
		p.unlinkLocked(name, s)
	}
}
