package simulate

import (
	"bytes"
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// This file lets the client's address change under way, and somebody in between copy its packets: the rule path of
// checker.go.

// A Move gives the client another address, if the connection is open by then. What is on the way to the old one is lost.
type Move struct {
	At   time.Duration
	Host bool // another IP address, and not only another port
}

// A Shrink makes datagrams larger than Bytes vanish from one direction.
type Shrink struct {
	Span
	Bytes int // of UDP payload
}

// Addresses.
var (
	serverAddr = netip.MustParseAddrPort("198.51.100.1:4000")
	clientAddr = netip.MustParseAddrPort("192.0.2.1:4000")  // at first
	copierAddr = netip.MustParseAddrPort("203.0.113.1:666") // of who copies packets
)

// copyAfter is how long after they leave copies arrive: sooner than by any link.
const copyAfter = time.Millisecond / 2

// planMoves plans what becomes of the client's address.
func (r *run) planMoves() {
	r.here = clientAddr
	for _, m := range r.sc.Moves {
		r.driver.At(m.At, func() {
			if !r.hosts[Client].open || !r.hosts[Server].open {
				return
			}
			if m.Host {
				r.here = netip.AddrPortFrom(r.here.Addr().Next(), r.here.Port())
			} else {
				r.here = netip.AddrPortFrom(r.here.Addr(), r.here.Port()+1)
			}
			r.moved++
		})
	}
}

// copyPacket has somebody send a packet of the client again, from his own address and before it arrives by itself.
func (r *run) copyPacket(b []byte, s sight, tag uint64) {
	for _, span := range r.sc.Copies {
		if s.packet && span.From <= r.now() && r.now() < span.To && r.hosts[Server].open {
			data := bytes.Clone(b)
			r.driver.At(r.now()+copyAfter, func() {
				r.check.facts[PacketCopied]++
				r.hosts[Server].receive(netem.Packet{Data: data, Tag: tag}, copierAddr)
			})
			return
		}
	}
}

// paths is what the checker knows of the server's side of the client's addresses.
type paths struct {
	to, from  map[netip.AddrPort]int // bytes
	challenge map[netip.AddrPort]asked
	proven    map[netip.AddrPort]time.Duration // when
	newest    netip.AddrPort                   // where the packet with the highest number came from
	owes      time.Duration                    // client: when a challenge came that it has to answer; 0: none
}

// asked is the latest challenge sent to an address.
type asked struct {
	what wire.Challenge
	at   time.Duration // when it went there first
}

func (p *paths) init() {
	p.to, p.from = make(map[netip.AddrPort]int), make(map[netip.AddrPort]int)
	p.challenge = make(map[netip.AddrPort]asked)
	p.proven = map[netip.AddrPort]time.Duration{clientAddr: 0}
	p.newest = clientAddr
}

// challengeLife is how long an address has to answer.
const challengeLife = 5 * time.Second

// pathSent takes note of a datagram that the server sends to an address, or the client to the server.
func (c *checker) pathSent(side Side, to netip.AddrPort, n int, s sight) {
	p := &c.paths
	if side == Client {
		if s.response || c.sides[Client].closed || c.sides[Client].ended {
			p.owes = 0
		}
		if p.owes > 0 && c.now() > p.owes+answerMax {
			c.fail("path", side, "sends, but has not answered a challenge of %v", p.owes)
		}
		return
	}
	p.to[to] += n
	if s.challenged {
		if a := p.challenge[to]; a.what != s.challenge {
			p.challenge[to] = asked{s.challenge, c.now()}
		}
	}
	_, proven := p.proven[to]
	since, home := p.proven[p.newest]
	switch {
	case !proven && p.to[to] > 3*p.from[to]:
		c.fail("path", side, "%d bytes went to %v, which is not proven, and %d came from there", p.to[to], to, p.from[to])
	case home && c.now() > since && to != p.newest && !c.sides[Server].ended:
		c.fail("path", side, "sends to %v, but the newest packet came from %v", to, p.newest)
	}
}

// pathCame takes note of a datagram that comes from an address, which may be damaged or old.
func (c *checker) pathCame(side Side, from netip.AddrPort, n int) {
	if side == Server {
		c.paths.from[from] += n
	}
}

// pathFresh takes note of an undamaged packet that comes for the first time.
func (c *checker) pathFresh(side Side, from netip.AddrPort, s sight) {
	p := &c.paths
	if side == Client {
		if w := &c.sides[Client]; s.challenged && w.open && !w.closed && !w.ended && p.owes == 0 {
			p.owes = c.now()
		}
		return
	}
	if s.number > c.sides[Server].highest {
		p.newest = from
	}
	if a, ok := p.challenge[from]; ok && s.response && s.challenge == a.what && c.now() < a.at+challengeLife {
		if _, known := p.proven[from]; !known {
			p.proven[from] = c.now() // What the same packet makes the server send first may still go elsewhere.
		}
	}
}
