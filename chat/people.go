package chat

import (
	"maps"
	"sync"
	"time"
)

// people is who is there, on all nodes, and who wants to know. Its lock is one of the innermost: while it
// is held nothing is locked but what Receive locks.
type people struct {
	hub *Hub

	mu       sync.Mutex
	byName   map[string]*person          // Guarded by mu, like all below.
	watchers map[string]map[*Device]bool // By the account they watch.
	watchAll map[*Device]bool            // Those who watch everybody.
	nodes    map[nodeID]*node            // The others.

	audiences map[string]*audience   // By room.
	memberOf  map[string][]*standing // By account, in all audiences.
	tick      uint64                 // Number of the last change that an audience is told.
	late      map[*audience]bool     // Those that the teller is to tell.
	events    []*person              // Those that have an event.

	seats      map[string]map[place]seat // Who sits in which room on this node.
	visited    map[string]int            // In how many seats visitors sit on other nodes, by room; never 0.
	dirtyNames map[string]bool           // Names of visitors of which is still to be sent whether they are here.
	dirtySeats map[place]bool            // Seats of which is still to be sent who has them.

	version uint64          // Number of the last change that was sent.
	dirty   map[string]bool // Accounts whose state on this node is still to be sent.
	closed  bool            // Nobody is told anything any more.
	gone    int             // People in byName that are offline.
}

// A person is an account that is there, or was.
type person struct {
	name     string
	show     string
	here     sighting            // On this node.
	whispers bool                // It can be whispered to here.
	there    map[nodeID]sighting // On the others.
	blocked  map[string]struct{} // Whom the account has blocked. Replaced, never changed.

	state   Presence
	was     Presence  // Before that.
	event   *Event    // What state is told with, while somebody is told; nil: to be made.
	since   time.Time // When state began.
	arrived time.Time
	seen    time.Time // When it was last not offline; of no meaning while it is not.
}

// A sighting is what one node says of one account.
type sighting struct {
	state   Presence
	arrived time.Time
}

// personLocked returns a person, and makes it if need be.
func (p *people) personLocked(name string) *person {
	who := p.byName[name]
	if who == nil {
		if p.byName == nil {
			p.byName = make(map[string]*person)
		}
		who = &person{name: name}
		p.byName[name] = who
		p.gone++
	}
	return who
}

// setOwn says what an account is on this node.
func (p *people) setOwn(name, show string, state Presence, whispers bool, blocked *map[string]struct{}, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.personLocked(name)
	if state != Offline {
		var set map[string]struct{}
		if blocked != nil {
			set = *blocked
		}
		p.describeLocked(who, show, set)
	}
	if who.here.state == Offline {
		who.here.arrived = now
	}
	who.here.state, who.whispers = state, whispers
	p.dirtyLocked(name)
	p.settleLocked(who, now)
}

// dirtyLocked has the other nodes told about an account.
func (p *people) dirtyLocked(name string) {
	if p.dirty == nil {
		p.dirty = make(map[string]bool)
	}
	p.dirty[name] = true
	p.hub.wakeCrier()
}

// describeLocked takes what else is known about somebody, and tells those whom that concerns.
func (p *people) describeLocked(who *person, show string, blocked map[string]struct{}) {
	if who.show != show {
		who.show, who.event = show, nil
	}
	old := who.blocked
	who.blocked = blocked
	changed := make(map[string]bool)
	for _, sets := range [][2]map[string]struct{}{{old, blocked}, {blocked, old}} {
		for peer := range sets[0] {
			if _, ok := sets[1][peer]; !ok {
				changed[peer] = true
			}
		}
	}
	if len(changed) > 0 {
		p.refreshPairsLocked(who, changed)
	}
}

// settleLocked makes one state out of what the nodes say, and tells whoever has to know.
func (p *people) settleLocked(who *person, now time.Time) {
	state, arrived := who.here.state, who.here.arrived
	for _, s := range who.there {
		if s.state != Offline && (state == Offline || s.arrived.Before(arrived)) {
			arrived = s.arrived
		}
		state = max(state, s.state)
	}
	if state == who.state {
		return
	}
	if who.state == Offline {
		p.gone--
		who.arrived = arrived
	}
	if state == Offline {
		p.gone++
		who.seen = now
	}
	who.was, who.state, who.since, who.event = who.state, state, now, nil
	for d := range p.watchers[who.name] {
		p.refreshLocked(d, who, who.was)
	}
	for d := range p.watchAll {
		p.refreshLocked(d, who, who.was)
	}
	for _, s := range p.memberOf[who.name] {
		p.moveLocked(s)
	}
	for _, s := range p.memberOf[who.name] {
		p.spreadLocked(s.in)
	}
	if p.gone > peopleGoneMax {
		p.forgetLocked()
	}
}

// forgetLocked forgets the half of those offline who were there longest ago.
func (p *people) forgetLocked() {
	var list []Person
	for _, who := range p.byName {
		if who.state == Offline {
			list = append(list, Person{Account: who.name, Arrived: who.seen})
		}
	}
	byArrival(list)
	for _, who := range list[:len(list)/2] {
		delete(p.byName, who.Account)
		p.gone--
	}
}

// visibleLocked returns what d may know about somebody.
func (p *people) visibleLocked(d *Device, who *person) Presence {
	if _, hidden := who.blocked[d.account.name]; hidden || d.account.blocks(who.name) {
		return Offline
	}
	return who.state
}

// hideLocked remembers whether d is kept from knowing what somebody is, and returns whether it was. Those are few.
func (p *people) hideLocked(d *Device, who *person, state Presence) (was bool) {
	_, was = d.hidden[who.name]
	if state == who.state {
		delete(d.hidden, who.name)
		return was
	}
	if d.hidden == nil {
		d.hidden = make(map[string]struct{})
	}
	d.hidden[who.name] = struct{}{}
	return was
}

// refreshLocked tells d about somebody, unless it knows. was is what the others who watch were told last: d was told the
// same, or that somebody hidden from it is offline.
func (p *people) refreshLocked(d *Device, who *person, was Presence) {
	if who.name == d.account.name {
		return
	}
	state := p.visibleLocked(d, who)
	if p.hideLocked(d, who, state) {
		was = Offline
	}
	if state != was {
		d.receiver.Receive(p.eventLocked(who, state))
	}
}

// refreshPairsLocked tells the devices of those peers that watch somebody what they may know now that one of each two has
// blocked the other, or does no longer.
func (p *people) refreshPairsLocked(who *person, peers map[string]bool) {
	told := make(map[*Device]bool)
	tell := func(d *Device) {
		if peers[d.account.name] && !told[d] {
			told[d] = true
			p.refreshLocked(d, who, who.state)
		}
	}
	for d := range p.watchers[who.name] {
		tell(d)
	}
	for d := range p.watchAll {
		tell(d)
	}
	for _, s := range p.memberOf[who.name] {
		for d := range s.in.ears {
			tell(d)
		}
	}
}

// hides reports whether somebody is not to be seen by d, whatever the reason.
func (p *people) hides(name string, d *Device) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.byName[name]
	if who == nil {
		return false
	}
	_, hidden := who.blocked[d.account.name]
	return hidden
}

// blockChanged tells both what they may know of each other now.
func (p *people) blockChanged(name, peer string, blocked *map[string]struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.byName[name]; who != nil && who.here.state != Offline {
		who.blocked = nil
		if blocked != nil {
			who.blocked = *blocked
		}
		p.dirtyLocked(name)
		p.refreshPairsLocked(who, map[string]bool{peer: true})
	}
	if who := p.byName[peer]; who != nil {
		p.refreshPairsLocked(who, map[string]bool{name: true})
	}
}

// watch has d told about those accounts from now on; nil is everybody. Beyond watchMax nothing is added.
func (p *people) watch(d *Device, names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.unwatched || p.closed {
		return
	}
	if d.watchAll {
		if p.watchAll == nil {
			p.watchAll = make(map[*Device]bool)
		}
		if !p.watchAll[d] {
			p.watchAll[d] = true
			for _, who := range p.byName {
				p.refreshLocked(d, who, Offline)
			}
		}
		return
	}
	for _, name := range names {
		switch {
		case len(d.watching) >= watchMax:
			return
		case name == d.account.name || p.watchers[name][d]:
			continue
		}
		if p.watchers == nil {
			p.watchers = make(map[string]map[*Device]bool)
		}
		if p.watchers[name] == nil {
			p.watchers[name] = make(map[*Device]bool)
		}
		p.watchers[name][d] = true
		d.watching = append(d.watching, name)
		if who := p.byName[name]; who != nil {
			p.refreshLocked(d, who, Offline)
		}
	}
}

// unwatch is the end of all watching of d. After it d is told nothing.
func (p *people) unwatch(d *Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.unwatched = true
	delete(p.watchAll, d)
	for _, name := range d.watching {
		delete(p.watchers[name], d)
		if len(p.watchers[name]) == 0 {
			delete(p.watchers, name)
		}
	}
	d.watching, d.hidden = nil, nil
}

// close is the end of all telling.
func (p *people) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers, p.watchAll, p.audiences, p.memberOf, p.late, p.closed = nil, nil, nil, nil, nil, true
}

func (p *people) state(name string) Presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.byName[name]; who != nil {
		return who.state
	}
	return Offline
}

// online returns those of names, or of all if that is nil, who are there for d.
func (p *people) online(d *Device, names []string) []Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Person
	add := func(who *person) {
		if who != nil && p.visibleLocked(d, who) != Offline {
			list = append(list, who.public(time.Now()))
		}
	}
	if names == nil {
		for who := range maps.Values(p.byName) {
			add(who)
		}
	}
	for _, name := range names {
		add(p.byName[name])
	}
	byArrival(list)
	return list
}

// since returns those who are there for d, or were after a moment.
func (p *people) since(d *Device, after time.Time) []Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Person
	for _, who := range p.byName {
		_, hidden := who.blocked[d.account.name]
		if hidden || d.account.blocks(who.name) || who.state == Offline && who.seen.Before(after) {
			continue
		}
		list = append(list, who.public(time.Now()))
	}
	byArrival(list)
	return list
}

func (who *person) public(now time.Time) Person {
	seen := who.seen
	if who.state != Offline {
		seen = now
	}
	return Person{Account: who.name, Name: who.show, State: who.state, Arrived: who.arrived, Seen: seen}
}
