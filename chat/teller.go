package chat

import (
	"cmp"
	"slices"
	"time"
)

// runTeller tells the audiences that are told with a delay. It runs in a goroutine of its own until the Hub is
// closed: with it the log-in of n members of a room at once is one round of at most n notices to each device, in
// portions for which the device has room.
func (h *Hub) runTeller() {
	for {
		select {
		case <-h.teller:
		case <-h.done:
			return
		}
		pause := time.NewTimer(presencePause)
		select {
		case <-pause.C:
		case <-h.done:
			pause.Stop()
			return
		}
		h.people.tellLate()
	}
}

// tellLate is one round. What cannot be told yet makes another one.
func (p *people) tellLate() {
	p.mu.Lock()
	late := p.late
	p.late = nil
	p.mu.Unlock()
	for a := range late {
		p.mu.Lock()
		devices := make([]*Device, 0, len(a.ears))
		for d := range a.ears {
			devices = append(devices, d)
		}
		p.mu.Unlock()
		for _, d := range devices {
			for more := true; more; { // The lock is given up now and then.
				p.mu.Lock()
				ready := true
				if more = a.ears[d] != nil && !p.closed; more {
					more, ready = p.tellLocked(a, d)
				}
				if more && !ready {
					p.lateLocked(a)
					more = false
				}
				p.mu.Unlock()
			}
		}
	}
	p.mu.Lock()
	p.forgetEventsLocked()
	p.mu.Unlock()
}

// catchUp tells a device that was just attached who is there, as far as it has room.
func (p *people) catchUp(room string, d *Device) {
	for more := true; more; {
		p.mu.Lock()
		a := p.audiences[room]
		more = a != nil && a.known && a.ears[d] != nil
		if more {
			var ready bool
			more, ready = p.tellLocked(a, d)
			if !ready {
				p.lateLocked(a)
			}
			more = more && ready
		}
		p.mu.Unlock()
	}
}

// spreadLocked tells an audience what has changed, or has the teller do it.
func (p *people) spreadLocked(a *audience) {
	if len(a.ears) > presenceAtOnceMax {
		p.lateLocked(a)
		return
	}
	for d := range a.ears {
		if more, _ := p.tellLocked(a, d); more {
			p.lateLocked(a)
		}
	}
	if len(p.late) == 0 {
		p.forgetEventsLocked() // Else the teller does.
	}
}

// lateLocked has the teller look after an audience.
func (p *people) lateLocked(a *audience) {
	if p.late == nil {
		p.late = make(map[*audience]bool)
	}
	p.late[a] = true
	select {
	case p.hub.teller <- struct{}{}:
	default:
	}
}

// tellLocked tells a device what it has not been told, presenceTurn changes at most. more says that something
// is left, and ready is false if that is because the device has no room for it.
func (p *people) tellLocked(a *audience, d *Device) (more, ready bool) {
	h := a.ears[d]
	i, _ := slices.BinarySearchFunc(a.changes, h.told+1, func(c change, n uint64) int { return cmp.Compare(c.n, n) })
	looked, told := 0, 0
	for _, c := range a.changes[i:] {
		if c.n == c.of.n {
			if looked++; looked > presenceTurn {
				return true, true
			}
			if told%presenceBatch == 0 && !d.hasRoom() {
				return true, false
			}
			if p.informLocked(d, c.of, h) {
				told++
			}
		}
		h.told = c.n
	}
	return false, true
}

// informLocked tells a device about a member, unless there is nothing to tell. It reports whether it did.
func (p *people) informLocked(d *Device, s *standing, h *hearing) bool {
	who := p.byName[s.name]
	if who == nil || s.name == d.account.name || p.knowsLocked(d, s) {
		return false
	}
	first := s.n <= h.start
	state := p.visibleLocked(d, who)
	wasHidden := p.hideLocked(d, who, state)
	switch {
	case state != Offline:
	case wasHidden, first && !d.missed, state != who.state && who.was == Offline:
		return false // The device has never been told anything else.
	}
	d.receiver.Receive(p.eventLocked(who, state))
	return true
}

// knowsLocked reports whether the device was told the last change of a member in another way.
func (p *people) knowsLocked(d *Device, s *standing) bool {
	if p.watchers[s.name][d] {
		return true
	}
	for _, other := range p.memberOf[s.name] {
		if other == s || other.n == 0 {
			continue
		}
		if h := other.in.ears[d]; h != nil && h.told >= other.n {
			return true
		}
	}
	return false
}

// eventLocked is what somebody's state is told with: the same event for all, so that it is encoded once.
func (p *people) eventLocked(who *person, state Presence) *Event {
	if state == who.state && who.event != nil {
		return who.event
	}
	ev := &Event{Kind: KindPresence, Time: who.since, Account: who.name, Name: who.show, Number: uint64(state)}
	if state == who.state {
		who.event = ev
		p.events = append(p.events, who)
	}
	return ev
}

// forgetEventsLocked forgets the events that everybody, or almost, was told.
func (p *people) forgetEventsLocked() {
	for _, who := range p.events {
		who.event = nil
	}
	p.events = nil
}
