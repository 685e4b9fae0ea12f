package chat

import (
	"cmp"
	"slices"
)

// A place is whose seat in which room: that of a visitor, known by its device, or that of an account that has a
// device attached on the node.
type place struct {
	room, who string
	account   bool
}

// A seat is who has a place.
type seat struct {
	since uint64 // Number of the room's log: of a visitor's KindJoined, or after which an account is told.
	name  string // To show.
	user  JoinID // Of a visitor.

	answers bool // It is a visitor that is an Answerer.
}

// sit notes that somebody sits in a room of this node. The seats of accounts are counted only where visitors of other
// nodes are, since nobody else asks. The room is locked.
func (p *people) sit(at place, s seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, was := p.seats[at.room][at]
	if at.account && p.visited[at.room] == 0 || was && old == s {
		return
	}
	if p.seats == nil {
		p.seats = make(map[string]map[place]seat)
	}
	if p.seats[at.room] == nil {
		p.seats[at.room] = make(map[place]seat)
	}
	p.seats[at.room][at] = s
	p.dirtySeatLocked(at)
}

// rise notes that a seat is free again. The room is locked.
func (p *people) rise(at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.seats[at.room][at]; !ok {
		return
	}
	if delete(p.seats[at.room], at); len(p.seats[at.room]) == 0 {
		delete(p.seats, at.room)
	}
	p.dirtySeatLocked(at)
}

func (p *people) dirtySeatLocked(at place) {
	if p.dirtySeats == nil {
		p.dirtySeats = make(map[place]bool)
	}
	p.dirtySeats[at] = true
	p.hub.wakeCrier()
}

// seatLocked takes what another node says about a seat, and notes in rooms what that changes.
func (p *people) seatLocked(n *node, s nodeSeat, rooms map[string]bool) {
	seats := n.seats[s.room]
	old, was := seats[s.place]
	switch {
	case !was && !s.taken, was && s.taken && old == s.seat, !was && n.seated >= nodeSeatsMax:
		return
	case s.taken:
		if seats == nil {
			seats = make(map[place]seat)
			n.seats[s.room] = seats
		}
		seats[s.place] = s.seat
		if !was {
			n.seated++
		}
	default:
		n.seated--
		if delete(seats, s.place); len(seats) == 0 {
			delete(n.seats, s.room)
		}
	}
	first := !s.account && was != s.taken && p.visitLocked(s.room, s.taken)
	rooms[s.room] = rooms[s.room] || first
}

// visitLocked notes that a visitor of another node has come into a room or gone, and reports whether it is the first one there.
func (p *people) visitLocked(room string, came bool) (first bool) {
	if came {
		if p.visited == nil {
			p.visited = make(map[string]int)
		}
		p.visited[room]++
		return p.visited[room] == 1
	}
	if p.visited[room]--; p.visited[room] == 0 {
		delete(p.visited, room) // What was said about accounts there stays said until they go.
	}
	return false
}

// elsewhere returns the seats of a room on other nodes, in the order in which they were taken, an account's once for each.
func (p *people) elsewhere(room string) []nodeSeat {
	var all []nodeSeat
	p.mu.Lock()
	for _, n := range p.nodes {
		for at, s := range n.seats[room] {
			all = append(all, nodeSeat{at, s, true})
		}
	}
	p.mu.Unlock()
	slices.SortFunc(all, func(a, b nodeSeat) int {
		return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(flag(a.account), flag(b.account)), cmp.Compare(a.who, b.who))
	})
	return all
}

// reseat tells the visitors of rooms that others sit there on other nodes, and those nodes which accounts do here if
// they did not want to know that before.
func (h *Hub) reseat(rooms map[string]bool) {
	for name, first := range rooms {
		h.mu.RLock()
		r := h.byName[name]
		h.mu.RUnlock()
		if r == nil {
			continue
		}
		r.mu.Lock()
		if first && r.feed != nil {
			for _, at := range slices.Backward(r.feed.attached) { // The first one of an account counts.
				h.people.sit(at.place(), at.seat())
			}
		}
		if len(r.members) > 0 {
			r.tellLocked(&Event{Room: r.ref, RoomName: r.name, Kind: KindElsewhere, room: r}, -1)
		}
		r.mu.Unlock()
	}
}

func (at *attachment) place() place { return place{at.room.name, at.device.account.name, true} }

func (at *attachment) seat() seat { return seat{since: at.after, name: at.device.show} }
