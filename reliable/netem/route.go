package netem

import "net/netip"

// How a network finds its paths, and what becomes of them when sockets change their addresses or close.

// pathLocked returns the path for key, and makes it and its way back if there is none.
func (n *Network) pathLocked(key pathKey) *Path {
	if p := n.paths[key.from][key.to]; p != nil {
		return p
	}
	seed := mix(n.seed, key.hash())
	p := &Path{net: n, key: key, ends: []pathKey{key}}
	p.attachLocked(n.profile.Up, seed, Up)
	p.addLocked()
	if back := key.back(); back != key {
		b := &Path{net: n, key: back, ends: []pathKey{back}}
		b.attachLocked(n.profile.Down, seed, Down)
		b.addLocked()
	}
	return p
}

// pathsLocked returns all paths from and to addr.
func (n *Network) pathsLocked(addr netip.AddrPort) []*Path {
	var all []*Path
	for to, p := range n.paths[addr] {
		all = append(all, p)
		if to != addr { // Nobody is far from himself.
			all = append(all, n.paths[to][addr])
		}
	}
	return all
}

// rebindLocked gives s the address to, which must be free, and takes its paths along, but for those
// that somebody has prepared for the new address.
func (n *Network) rebindLocked(s *Socket, to netip.AddrPort) {
	old := s.public
	delete(n.sockets, old)
	n.sockets[to] = s
	s.public = to
	for _, p := range n.pathsLocked(old) {
		key := p.key
		if key.from == old {
			key.from = to
		}
		if key.to == old {
			key.to = to
		}
		if n.paths[key.from][key.to] != nil {
			continue
		}
		p.dropLocked()
		p.key = key
		p.ends = append(p.ends, key)
		p.addLocked()
	}
}

// followMovesLocked gives s a new address if a path it sends on has moved since it was last asked.
func (n *Network) followMovesLocked(s *Socket) {
	moved := false
	for _, p := range n.movers[s.public] {
		moved = p.movedLocked() || moved
	}
	if !moved {
		return
	}
	addr := s.public
	for n.sockets[addr] != nil {
		ip := addr.Addr().Next()
		if !ip.IsValid() {
			return // Out of addresses: it keeps the one it has.
		}
		addr = netip.AddrPortFrom(ip, addr.Port())
	}
	n.rebindLocked(s, addr)
}

// forgetPathsLocked drops the paths of a closed socket, except pairs of which somebody has asked for one.
func (n *Network) forgetPathsLocked(addr netip.AddrPort) {
	for _, p := range n.pathsLocked(addr) {
		if back := n.paths[p.key.to][p.key.from]; back != nil && !p.asked && !back.asked {
			p.dropLocked()
			back.dropLocked()
		}
	}
}
