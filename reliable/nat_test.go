package reliable

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"udpchat/reliable/netem"
)

// A natKind is what a NAT does (RFC 4787, 4 and 5). It lets in what comes from where something was sent.
type natKind struct {
	symmetric bool // another port for every destination; otherwise the same for all
	anyPort   bool // what comes from another port of such a host gets in, too
}

// A nat is a socket of a host behind a NAT of its own: what it sends leaves from the NAT's address.
type nat struct {
	natKind
	net     *netem.Network
	inside  netip.AddrPort // the host's own address
	outside netip.Addr     // the NAT's

	arrived chan natPacket
	wg      sync.WaitGroup // readers

	mu     sync.Mutex
	ports  map[netip.AddrPort]*netem.Socket // guarded by mu; by destination; if not symmetric only by the zero address
	sentTo map[netip.AddrPort]bool          // guarded by mu
	next   uint16                           // guarded by mu
	closed bool                             // guarded by mu
}

type natPacket struct {
	b    []byte
	from netip.AddrPort
}

// behindNAT returns a socket of a host in the world.
func (w *world) behindNAT(inside, outside string, kind natKind) *nat {
	return &nat{
		natKind: kind, net: w.net, inside: netip.MustParseAddrPort(inside), outside: netip.MustParseAddr(outside),
		arrived: make(chan natPacket, 1000), ports: map[netip.AddrPort]*netem.Socket{}, sentTo: map[netip.AddrPort]bool{}, next: 20_000,
	}
}

// publicFor returns the address that something sent to an address comes from.
func (n *nat) publicFor(to netip.AddrPort) netip.AddrPort {
	s, err := n.port(to)
	if err != nil {
		panic(err)
	}
	return s.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (n *nat) port(to netip.AddrPort) (*netem.Socket, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sentTo[to] = true
	n.sentTo[netip.AddrPortFrom(to.Addr(), 0)] = true
	key := netip.AddrPort{}
	if n.symmetric {
		key = to
	}
	if s := n.ports[key]; s != nil {
		return s, nil
	}
	if n.closed {
		return nil, net.ErrClosed
	}
	n.next += 7
	s, err := n.net.ListenPacket(netip.AddrPortFrom(n.outside, n.next))
	if err != nil {
		return nil, err
	}
	n.ports[key] = s
	n.wg.Go(func() { n.read(s, key) }) // Ends when the socket is closed.
	return s, nil
}

// read lets in what comes to a port, or not.
func (n *nat) read(s *netem.Socket, key netip.AddrPort) {
	buf := make([]byte, 2048)
	for {
		k, from, err := s.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		n.mu.Lock()
		ok := n.sentTo[from] && (!n.symmetric || from == key) || n.anyPort && n.sentTo[netip.AddrPortFrom(from.Addr(), 0)]
		n.mu.Unlock()
		if ok {
			n.arrived <- natPacket{append([]byte(nil), buf[:k]...), from}
		}
	}
}

func (n *nat) ReadFrom(p []byte) (int, net.Addr, error) {
	a, ok := <-n.arrived
	if !ok {
		return 0, nil, net.ErrClosed
	}
	return copy(p, a.b), net.UDPAddrFromAddrPort(a.from), nil
}

func (n *nat) WriteTo(p []byte, addr net.Addr) (int, error) {
	to := addr.(*net.UDPAddr).AddrPort()
	if to.Addr().IsPrivate() {
		return len(p), nil // There is nobody of that name outside.
	}
	s, err := n.port(to)
	if err != nil {
		return 0, err
	}
	return s.WriteToUDPAddrPort(p, to)
}

func (n *nat) Close() error {
	n.mu.Lock()
	first := !n.closed
	n.closed = true
	for _, s := range n.ports {
		s.Close()
	}
	n.mu.Unlock()
	if first {
		n.wg.Wait()
		close(n.arrived)
	}
	return nil
}

func (n *nat) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(n.inside) }
func (n *nat) SetDeadline(time.Time) error      { return nil }
func (n *nat) SetReadDeadline(time.Time) error  { return nil }
func (n *nat) SetWriteDeadline(time.Time) error { return nil }

// Our NATs are NATs: what nobody inside has asked for does not get in.
func TestNATLetsInWhatWasAskedFor(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		strange, other := w.socket(netip.MustParseAddrPort("203.0.113.9:9")), w.socket(netip.MustParseAddrPort("203.0.113.9:10"))
		for name, c := range map[string]struct {
			natKind
			want string // what gets in of: asked, the same host's other port
		}{
			"port restricted":    {natKind{}, "a"},
			"address restricted": {natKind{anyPort: true}, "ab"},
			"symmetric":          {natKind{symmetric: true}, "a"},
		} {
			n := w.behindNAT("192.168.1.2:5000", "198.51.100.1", c.natKind)
			at := n.publicFor(netip.MustParseAddrPort("203.0.113.77:1")) // Where others could learn of it.
			strange.WriteToUDPAddrPort([]byte("x"), at)
			time.Sleep(time.Second)
			n.WriteTo([]byte("?"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("203.0.113.9:9")))
			at = n.publicFor(netip.MustParseAddrPort("203.0.113.9:9"))
			strange.WriteToUDPAddrPort([]byte("a"), at)
			time.Sleep(time.Second)
			other.WriteToUDPAddrPort([]byte("b"), at)
			time.Sleep(time.Second)
			got := ""
			for len(n.arrived) > 0 {
				got += string((<-n.arrived).b)
			}
			if got != c.want {
				t.Errorf("%s: got in: %q, want %q", name, got, c.want)
			}
			n.Close()
		}
	})
}
