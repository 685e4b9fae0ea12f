package chat

import (
	crand "crypto/rand"
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// Nodes tell each other who is there by sending on the log pr, which promises nothing: accounts, the names of
// visitors to whom others may whisper, and who sits in which room. Each node numbers what it says: a state says what
// has changed, an alive says every now and then which number is the last, and whoever finds that it has missed one
// asks, and is sent everything (whole). A node that is not heard of for a while is gone, and so are all of its people.

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
	people  map[string]bool           // Who is there, and whether it can be whispered to.
	names   map[string]Naming         // Of its visitors.
	seats   map[string]map[place]seat // By room.
	seated  int                       // How many seats that are.

	whole     *whole // Parts of everything that have come, of number wholeOf; nil: none.
	wholeOf   uint64
	wholeNext int
}

// A whole is everything that a node has said, in parts.
type whole struct {
	people map[string]nodePerson
	names  map[string]nodeName
	seats  map[place]nodeSeat
}

// heard is what follows from something that another node has sent.
type heard struct {
	ask   nodeID          // This one must be asked for everything; 0: none.
	asked bool            // We were.
	rooms map[string]bool // Where others sit now than before. True: a visitor does, and none did.
}

// hear takes what another node has sent.
func (p *people) hear(self nodeID, m nodeMessage, now time.Time) (h heard) {
	if m.from == self {
		return h
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.nodes[m.from]
	if n == nil {
		if len(p.nodes) >= nodesMax {
			return h
		}
		if p.nodes == nil {
			p.nodes = make(map[nodeID]*node)
		}
		n = &node{people: make(map[string]bool), names: make(map[string]Naming), seats: make(map[string]map[place]seat)}
		p.nodes[m.from] = n
	}
	n.heard = now
	h.rooms = make(map[string]bool)
	switch m.kind {
	case nodeAsk:
		h.asked = m.of == self || m.of == 0
	case nodeAlive:
		n.known = n.known && n.version == m.version
	case nodeState:
		if n.known = n.known && n.version+1 == m.version; n.known {
			n.version = m.version
			for _, who := range m.people {
				p.believeLocked(m.from, n, who, now)
			}
			for _, name := range m.names {
				n.name(name)
			}
			for _, s := range m.seats {
				p.seatLocked(n, s, h.rooms)
			}
		}
	case nodeWhole:
		p.hearWholeLocked(n, m, now, h.rooms)
	}
	if !n.known && m.kind != nodeWhole && now.Sub(n.asked) >= askInterval {
		n.asked = now
		h.ask = m.from
	}
	return h
}

// hearWholeLocked takes one part of everything. With the last one it replaces what was known.
func (p *people) hearWholeLocked(n *node, m nodeMessage, now time.Time, rooms map[string]bool) {
	if m.part == 0 {
		n.whole, n.wholeOf, n.wholeNext = &whole{make(map[string]nodePerson), make(map[string]nodeName), make(map[place]nodeSeat)}, m.version, 0
	}
	if n.whole == nil || m.version != n.wholeOf || m.part != n.wholeNext {
		n.whole = nil // A part is missing; the next alive makes us ask again.
		return
	}
	n.wholeNext++
	for _, who := range m.people {
		n.whole.people[who.name] = who
	}
	for _, name := range m.names {
		n.whole.names[name.name] = name
	}
	for _, s := range m.seats {
		n.whole.seats[s.place] = s
	}
	if m.part != m.parts-1 {
		return
	}
	p.replaceLocked(m.from, n, n.whole, now, rooms)
	n.version, n.known, n.whole = m.version, true, nil
}

// replaceLocked has a node have said that and nothing else.
func (p *people) replaceLocked(from nodeID, n *node, w *whole, now time.Time, rooms map[string]bool) {
	for _, name := range slices.Collect(maps.Keys(n.people)) {
		if _, ok := w.people[name]; !ok {
			p.believeLocked(from, n, nodePerson{name: name}, now)
		}
	}
	for _, who := range w.people {
		p.believeLocked(from, n, who, now)
	}
	clear(n.names)
	for _, name := range w.names {
		n.name(name)
	}
	for _, seats := range n.seats {
		for at := range seats {
			if _, ok := w.seats[at]; !ok {
				p.seatLocked(n, nodeSeat{place: at}, rooms)
			}
		}
	}
	for _, s := range w.seats {
		p.seatLocked(n, s, rooms)
	}
}

// name takes what the node says about a name.
func (n *node) name(said nodeName) {
	switch {
	case !said.here:
		delete(n.names, said.name)
	case len(n.names) < nodeNamesMax:
		n.names[said.name] = said.naming
	}
}

// believeLocked takes what a node says about somebody.
func (p *people) believeLocked(from nodeID, n *node, said nodePerson, now time.Time) {
	if said.state == Offline && p.byName[said.name] == nil {
		return
	}
	who := p.personLocked(said.name)
	if said.state == Offline {
		delete(who.there, from)
		delete(n.people, said.name)
	} else {
		if who.there == nil {
			who.there = make(map[nodeID]sighting)
		}
		who.there[from] = sighting{said.state, said.arrived}
		n.people[said.name] = said.whispers
	}
	// Of an account that is here this node knows itself, of one that is on other nodes they do: what another one has not heard
	// yet must not show somebody to those it has blocked.
	better := who.here.state != Offline || said.state == Offline && len(who.there) > 0
	if !better && said.show != "" {
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

// expire forgets the nodes that were not heard of for too long. It returns in which rooms somebody sat.
func (p *people) expire(now time.Time) (rooms map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rooms = make(map[string]bool)
	for id, n := range p.nodes {
		if now.Sub(n.heard) > nodeSilence {
			p.replaceLocked(id, n, new(whole), now, rooms)
			delete(p.nodes, id)
		}
	}
	return rooms
}

// excuse takes the last so long not for the silence of others: this node could not have heard them, since it was stopped itself,
// or cut off.
func (p *people) excuse(now time.Time, late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.nodes {
		if n.heard = n.heard.Add(late); n.heard.After(now) {
			n.heard = now
		}
	}
}

// heardOf notes a sign of life of a node.
func (p *people) heardOf(id nodeID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.nodes[id]; n != nil {
		n.heard = now
	}
}

// lives reports whether a node was heard of not too long ago.
func (p *people) lives(id nodeID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nodes[id] != nil
}
