package netem

import (
	"hash/fnv"
	"net/netip"
	"slices"
)

// Path is one direction between two addresses of a Network: a link that may be replaced, cut and
// looked at. Safe for concurrent use.
type Path struct {
	net *Network

	key   pathKey   // All below is guarded by net.mu.
	ends  []pathKey // All it ever had; packets carry the index of theirs.
	pipe  *Pipe
	mover bool   // Whether the link's moves change the sender's address.
	moves int    // Moves that the address has followed.
	past  Counts // Of links that were replaced.
	cut   bool
	asked bool // Somebody may hold it: it stays when its sockets close.

	recording bool
	verdicts  []Verdict
}

// pathKey is where a path comes from and goes to.
type pathKey struct{ from, to netip.AddrPort }

func (k pathKey) back() pathKey { return pathKey{k.to, k.from} }

func (k pathKey) hash() uint64 {
	h := fnv.New64a()
	for _, a := range []netip.AddrPort{k.from, k.to} {
		b, _ := a.MarshalBinary() // It never fails.
		h.Write(b)
		h.Write([]byte{0xff})
	}
	return h.Sum64()
}

// Set replaces the link by a new one, whose time begins now. It panics if params is not valid. Packets
// on the old link arrive as they would have, perhaps after those sent from now on. Only an Up link
// with Move events changes the address of the socket that sends on it: each time to the next free IP
// address, same port, with the datagrams to the old one lost.
func (p *Path) Set(params Params, seed uint64, dir Direction) {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.net.runLocked()
	p.attachLocked(params, seed, dir)
	p.dropLocked() // It may have become a mover, or stopped being one.
	p.addLocked()
}

// Cut starts or ends a partition of this direction.
func (p *Path) Cut(on bool) {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.cut = on
	p.pipe.link.Cut(on)
}

// Ends returns the addresses the path is between at present.
func (p *Path) Ends() (from, to netip.AddrPort) {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	return p.key.from, p.key.to
}

// Counts returns what happened on the path so far, on all its links.
func (p *Path) Counts() Counts {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.net.runLocked()
	sum := p.past
	sum.Add(p.pipe.link.Counts())
	return sum
}

// Record starts to keep verdicts, a named limit of them.
func (p *Path) Record() {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.recording = true
}

// Verdicts returns what was recorded so far. Their times are those of the link in use then.
func (p *Path) Verdicts() []Verdict {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	return slices.Clone(p.verdicts)
}

// attachLocked gives the path a new link.
func (p *Path) attachLocked(params Params, seed uint64, dir Direction) {
	if p.pipe != nil {
		p.past.Add(p.pipe.link.Counts())
	}
	link := NewLink(params, seed, dir)
	link.Cut(p.cut)
	link.Record(p.noteLocked)
	p.pipe = p.net.driver.Attach(link, p.arriveLocked)
	p.mover, p.moves = dir == Up && hasMove(params.Events), 0
}

func (p *Path) sendLocked(b []byte, ecn ECN) { p.pipe.SendMarked(b, uint64(len(p.ends)-1), ecn) }

func (p *Path) arriveLocked(packet Packet) {
	ends := p.ends[packet.Tag]
	p.net.arriveLocked(arrived{packet.Data, ends.from, packet.ECN}, ends.to)
}

func (p *Path) noteLocked(v Verdict) {
	if p.recording && len(p.verdicts) < verdictsMax {
		p.verdicts = append(p.verdicts, v)
	}
}

// movedLocked reports whether the link has moved since it was last asked.
func (p *Path) movedLocked() bool {
	moves := p.pipe.link.Address(p.net.driver.now - p.pipe.start)
	moved := moves > p.moves
	p.moves = moves
	return moved
}

// addLocked puts the path into the network's maps.
func (p *Path) addLocked() {
	n := p.net
	if n.paths[p.key.from] == nil {
		n.paths[p.key.from] = make(map[netip.AddrPort]*Path)
	}
	n.paths[p.key.from][p.key.to] = p
	if p.mover {
		n.movers[p.key.from] = append(n.movers[p.key.from], p)
	}
}

// dropLocked takes it out again.
func (p *Path) dropLocked() {
	n := p.net
	if delete(n.paths[p.key.from], p.key.to); len(n.paths[p.key.from]) == 0 {
		delete(n.paths, p.key.from)
	}
	from := slices.DeleteFunc(n.movers[p.key.from], func(o *Path) bool { return o == p })
	if n.movers[p.key.from] = from; len(from) == 0 {
		delete(n.movers, p.key.from)
	}
}
