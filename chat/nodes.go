package chat

import (
	crand "crypto/rand"
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// Nodes tell each other who is there by sending on the log pr, which promises nothing. Each node numbers
// what it says: a state says what has changed, an alive says every now and then which number is the last, and
// whoever finds that it has missed one asks, and is sent everything (whole). A node that is not heard of for a
// while is gone, and so are its people.

// nodeID is a random number that a node has for its life. It is never 0.
type nodeID uint64

func newNodeID() nodeID {
	var b [8]byte
	crand.Read(b[:]) // Never fails: without randomness it ends the process.
	return nodeID(binary.BigEndian.Uint64(b[:]) | 1)
}

// A node is another one, as far as we have heard.
type node struct {
	heard   time.Time
	asked   time.Time // When it was last asked for everything.
	version uint64    // Everything up to that is known, if known is set.
	known   bool
	people  map[string]bool // Of whom it has said something.

	whole     map[string]nodePerson // Parts of everything that have come, of number wholeOf.
	wholeOf   uint64
	wholeNext int
}

// hear takes what another node has sent. It returns which node must be asked for everything, or 0, and
// whether we were asked.
func (p *people) hear(self nodeID, m nodeMessage, now time.Time) (ask nodeID, asked bool) {
	if m.from == self {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.nodes[m.from]
	if n == nil {
		if len(p.nodes) >= nodesMax {
			return 0, false
		}
		if p.nodes == nil {
			p.nodes = make(map[nodeID]*node)
		}
		n = &node{people: make(map[string]bool)}
		p.nodes[m.from] = n
	}
	n.heard = now
	switch m.kind {
	case nodeAsk:
		asked = m.of == self || m.of == 0
	case nodeAlive:
		n.known = n.known && n.version == m.version
	case nodeState:
		if n.known = n.known && n.version+1 == m.version; n.known {
			n.version = m.version
			for _, who := range m.people {
				p.believeLocked(m.from, n, who, now)
			}
		}
	case nodeWhole:
		p.hearWholeLocked(n, m, now)
	}
	if !n.known && m.kind != nodeWhole && now.Sub(n.asked) >= askInterval {
		n.asked = now
		ask = m.from
	}
	return ask, asked
}

// hearWholeLocked takes one part of everything. With the last one it replaces what was known.
func (p *people) hearWholeLocked(n *node, m nodeMessage, now time.Time) {
	if m.part == 0 {
		n.whole, n.wholeOf, n.wholeNext = make(map[string]nodePerson), m.version, 0
	}
	if n.whole == nil || m.version != n.wholeOf || m.part != n.wholeNext {
		n.whole = nil // A part is missing; the next alive makes us ask again.
		return
	}
	n.wholeNext++
	for _, who := range m.people {
		n.whole[who.name] = who
	}
	if m.part != m.parts-1 {
		return
	}
	for _, name := range slices.Collect(maps.Keys(n.people)) {
		if _, ok := n.whole[name]; !ok {
			p.believeLocked(m.from, n, nodePerson{name: name}, now)
		}
	}
	for _, who := range n.whole {
		p.believeLocked(m.from, n, who, now)
	}
	n.version, n.known, n.whole = m.version, true, nil
}

// believeLocked takes what a node says about somebody.
func (p *people) believeLocked(from nodeID, n *node, said nodePerson, now time.Time) {
	who := p.personLocked(said.name)
	if said.state == Offline {
		delete(who.there, from)
		delete(n.people, said.name)
	} else {
		if who.there == nil {
			who.there = make(map[nodeID]sighting)
		}
		who.there[from] = sighting{said.state, said.arrived}
		n.people[said.name] = true
		var blocked map[string]struct{}
		if len(said.blocked) > 0 {
			blocked = make(map[string]struct{}, len(said.blocked))
			for _, peer := range said.blocked {
				blocked[peer] = struct{}{}
			}
		}
		p.describeLocked(who, said.show, blocked)
	}
	p.settleLocked(who, now)
}

// expire forgets the nodes that were not heard of for too long.
func (p *people) expire(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, n := range p.nodes {
		if now.Sub(n.heard) <= nodeSilence {
			continue
		}
		for _, name := range slices.Collect(maps.Keys(n.people)) {
			p.believeLocked(id, n, nodePerson{name: name}, now)
		}
		delete(p.nodes, id)
	}
}

// news returns what has changed on this node since the last call, as a message, or false.
func (p *people) news(self nodeID) (nodeMessage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.dirty) == 0 {
		return nodeMessage{}, false
	}
	p.version++
	m := nodeMessage{kind: nodeState, from: self, version: p.version}
	size := 0
	for name := range p.dirty {
		who := p.ownLocked(name)
		if size += who.size(); size > nodeMessageBytesMax && len(m.people) > 0 {
			break // The rest makes another message.
		}
		m.people = append(m.people, who)
		delete(p.dirty, name)
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
	for name, who := range p.byName {
		if who.here.state == Offline {
			continue
		}
		own := p.ownLocked(name)
		if size += own.size(); size > nodeMessageBytesMax && len(parts[len(parts)-1].people) > 0 {
			parts = append(parts, nodeMessage{kind: nodeWhole, from: self, version: p.version, part: len(parts)})
			size = own.size()
		}
		last := &parts[len(parts)-1]
		last.people = append(last.people, own)
	}
	for i := range parts {
		parts[i].parts = len(parts)
	}
	return parts
}

// ownLocked is what this node says about somebody.
func (p *people) ownLocked(name string) nodePerson {
	who := p.byName[name]
	if who == nil || who.here.state == Offline {
		return nodePerson{name: name}
	}
	return nodePerson{
		name: name, show: who.show, state: who.here.state, arrived: who.here.arrived,
		blocked: slices.Sorted(maps.Keys(who.blocked)),
	}
}
