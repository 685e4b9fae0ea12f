package chat

import (
	"maps"
	"slices"
)

// news returns what has changed on this node since the last call, as a message, or false.
func (p *people) news(self nodeID) (nodeMessage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.dirty)+len(p.dirtyNames)+len(p.dirtySeats) == 0 {
		return nodeMessage{}, false
	}
	p.version++
	m := nodeMessage{kind: nodeState, from: self, version: p.version}
	size := 0
	full := func(n int) bool { // What does not fit makes another message.
		size += n
		return size > nodeMessageBytesMax && size > n
	}
	for name := range p.dirty {
		who := p.ownLocked(name)
		if full(who.size()) {
			return m, true
		}
		m.people = append(m.people, who)
		delete(p.dirty, name)
	}
	for name := range p.dirtyNames {
		if full(len(name)) {
			return m, true
		}
		m.names = append(m.names, p.ownName(name))
		delete(p.dirtyNames, name)
	}
	for at := range p.dirtySeats {
		s := p.ownSeatLocked(at)
		if full(s.size()) {
			return m, true
		}
		m.seats = append(m.seats, s)
		delete(p.dirtySeats, at)
	}
	return m, true
}

// alive returns the message that says which number is the last.
func (p *people) alive(self nodeID) nodeMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return nodeMessage{kind: nodeAlive, from: self, version: p.version}
}

// everything returns all that this node has to say.
func (p *people) everything(self nodeID) []nodeMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := []nodeMessage{{kind: nodeWhole, from: self, version: p.version}}
	size := 0
	last := func(n int) *nodeMessage {
		if size += n; size > nodeMessageBytesMax && size > n {
			parts = append(parts, nodeMessage{kind: nodeWhole, from: self, version: p.version, part: len(parts)})
			size = n
		}
		return &parts[len(parts)-1]
	}
	for name, who := range p.byName {
		if who.here.state != Offline {
			own := p.ownLocked(name)
			m := last(own.size())
			m.people = append(m.people, own)
		}
	}
	for _, name := range p.hub.visitors.names() {
		m := last(len(name.name))
		m.names = append(m.names, name)
	}
	for _, seats := range p.seats {
		for at := range seats {
			s := p.ownSeatLocked(at)
			m := last(s.size())
			m.seats = append(m.seats, s)
		}
	}
	for i := range parts {
		parts[i].parts = len(parts)
	}
	return parts
}

// ownLocked is what this node says about somebody: of one who has gone also whom that one has blocked, since it may have done so
// just before.
func (p *people) ownLocked(name string) nodePerson {
	who := p.byName[name]
	if who == nil {
		return nodePerson{name: name}
	}
	return nodePerson{
		name: name, show: who.show, state: who.here.state, whispers: who.whispers, arrived: who.here.arrived,
		blocked: slices.Sorted(maps.Keys(who.blocked)),
	}
}

// ownName is what this node says about the name of a visitor.
func (p *people) ownName(name string) nodeName {
	naming, here := p.hub.visitors.naming(name)
	return nodeName{name, here, naming}
}

// ownSeatLocked is what this node says about a seat.
func (p *people) ownSeatLocked(at place) nodeSeat {
	s, taken := p.seats[at.room][at]
	return nodeSeat{at, s, taken}
}
