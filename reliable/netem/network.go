package netem

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Network is a network in memory. Between every two of its sockets there are two paths, one for each
// direction: perfect ones, until SetDefault, Connect or Path say otherwise. Time is package time's, so
// in a testing/synctest bubble it is the bubble's; nothing runs while no datagram is on the way.
//
// All methods are safe for concurrent use, and none of them blocks but Socket.ReadFrom.
type Network struct {
	seed  uint64
	start time.Time      // Time 0 of the driver.
	wg    sync.WaitGroup // Counts alarms, this one's and the sockets'.

	mu      sync.Mutex
	driver  Driver // All below is guarded by mu.
	alarm   alarm  // Rings when the driver has something to do.
	profile Profile
	sockets map[netip.AddrPort]*Socket
	paths   map[netip.AddrPort]map[netip.AddrPort]*Path // From, to. A path and its way back come and go together.
	movers  map[netip.AddrPort][]*Path                  // Paths whose links move, by the address they come from.
	lost    uint64
	closed  bool
}

// NewNetwork returns a network without sockets. All random numbers of paths nobody gives a seed to
// derive from seed and the addresses. Close it, or timers stay until they have run.
func NewNetwork(seed uint64) *Network {
	n := &Network{
		seed: seed, start: time.Now(),
		sockets: make(map[netip.AddrPort]*Socket),
		paths:   make(map[netip.AddrPort]map[netip.AddrPort]*Path),
		movers:  make(map[netip.AddrPort][]*Path),
	}
	n.alarm = alarm{mu: &n.mu, wg: &n.wg, ring: n.runLocked}
	return n
}

// SetDefault gives p to all paths that nobody asks for otherwise, from now on; existing paths stay as
// they are. Of two addresses the one that sends first counts as the client.
func (n *Network) SetDefault(p Profile) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.profile = p
}

// Connect puts profile p between client and server, starting now, with the seed for both directions. What is
// already on the way arrives as it would have.
func (n *Network) Connect(client, server netip.AddrPort, p Profile, seed uint64) {
	n.Path(client, server).Set(p.Up, seed, Up)
	n.Path(server, client).Set(p.Down, seed, Down)
}

// Path returns the path from one address to another. There need not be sockets yet. It goes on to be
// the path between the same sockets when they change their addresses.
func (n *Network) Path(from, to netip.AddrPort) *Path {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pathLocked(pathKey{unmap(from), unmap(to)})
	p.asked = true
	return p
}

// Partition cuts the paths between a and b in both directions.
func (n *Network) Partition(a, b netip.AddrPort) {
	n.Path(a, b).Cut(true)
	n.Path(b, a).Cut(true)
}

// Heal ends what Partition or Cut began between a and b, in both directions.
func (n *Network) Heal(a, b netip.AddrPort) {
	n.Path(a, b).Cut(false)
	n.Path(b, a).Cut(false)
}

// Unreachable counts the datagrams that found no socket at their destination, when they were sent or
// when they arrived.
func (n *Network) Unreachable() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

// ListenPacket opens a socket at addr, which must be a specific address; port 0 means any free one.
func (n *Network) ListenPacket(addr netip.AddrPort) (*Socket, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	addr = unmap(addr)
	if n.closed {
		return nil, n.opError("listen", addr, net.ErrClosed)
	}
	if !addr.IsValid() || addr.Addr().IsUnspecified() {
		return nil, n.opError("listen", addr, errors.New("a network in memory needs a specific address"))
	}
	if addr.Port() == 0 {
		free, ok := n.freePortLocked(addr.Addr())
		if !ok {
			return nil, n.opError("listen", addr, errors.New("all ports in use"))
		}
		addr = free
	}
	if n.sockets[addr] != nil {
		return nil, n.opError("listen", addr, errInUse)
	}
	s := newSocket(n, addr)
	n.sockets[addr] = s
	return s, nil
}

var errInUse = errors.New("address already in use")

func (n *Network) freePortLocked(ip netip.Addr) (netip.AddrPort, bool) {
	for port := ephemeralPortFirst; port <= 65535; port++ {
		if addr := netip.AddrPortFrom(ip, uint16(port)); n.sockets[addr] == nil {
			return addr, true
		}
	}
	return netip.AddrPort{}, false
}

// Close closes all sockets and forgets what is on the way. It returns when no timer of the network is
// left.
func (n *Network) Close() error {
	n.mu.Lock()
	for _, s := range n.sockets {
		s.closeLocked()
	}
	n.closed = true
	n.driver = Driver{}
	n.alarm.stopLocked()
	n.mu.Unlock()
	n.wg.Wait()
	return nil
}

// runLocked runs what is due and plans the next alarm.
func (n *Network) runLocked() {
	if n.closed {
		return
	}
	n.driver.RunUntil(time.Since(n.start))
	if next, ok := n.driver.NextAt(); ok {
		n.alarm.setLocked(n.start.Add(next))
	}
}

// sendLocked puts a datagram on its path.
func (n *Network) sendLocked(s *Socket, b []byte, to netip.AddrPort, ecn ECN) {
	n.runLocked()
	n.followMovesLocked(s)
	key := pathKey{s.public, to}
	if n.sockets[to] == nil && n.paths[key.from][to] == nil {
		n.lost++ // Strangers' addresses do not get paths: there are too many.
		return
	}
	n.pathLocked(key).sendLocked(b, ecn)
	n.runLocked()
}

// arriveLocked hands a datagram to the socket at its destination, if there still is one.
func (n *Network) arriveLocked(d arrived, to netip.AddrPort) {
	if s := n.sockets[to]; s != nil {
		n.followMovesLocked(s)
	}
	if s := n.sockets[to]; s != nil { // It may just have moved away.
		s.receiveLocked(d)
		return
	}
	n.lost++
}

func (n *Network) opError(op string, addr netip.AddrPort, err error) error {
	return &net.OpError{Op: op, Net: "udp", Addr: net.UDPAddrFromAddrPort(addr), Err: fmt.Errorf("netem: %w", err)}
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
