package reliable

import (
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// How large datagrams may be (SPEC.md 5.4): what every way carries, until probes have shown that this one carries more
// (RFC 8899), and less again when the large ones stop arriving while small ones do. Only who has much to send looks for
// more: small messages are as quick in small datagrams.

// mtuSizes are the sizes of datagrams in use, in bytes of UDP payload. Those above the base are what is left of an Ethernet
// frame by IPv4, IPv6, PPPoE, and tunnels over these.
var mtuSizes = [...]int{wire.DatagramBytesMin, wire.DatagramBytesBase, 1280, 1372, 1412, 1452, wire.DatagramBytesMax}

// ipv6BytesMax is the largest datagram that fits an Ethernet frame with IPv6.
const ipv6BytesMax = 1452

// An mtu is what one side knows of how large the datagrams may be that it sends.
type mtu struct {
	size   int       // of the largest that leave
	since  time.Time // when it became that
	failed int       // a size, and all above it, that did not arrive
	wanted bool      // full datagrams leave
	at     time.Time // before that no larger one is tried
	probe  mtuProbe
	tries  int        // probes of the size that did not arrive
	holes  int        // black holes since the way changed
	hole   *blackHole // nil: no large datagram has left lately
}

// An mtuProbe is a datagram under way that only shows whether its size arrives.
type mtuProbe struct {
	number uint64 // 0: none
	size   int
	sent   time.Time
}

// mtuLimit is the largest size worth a try.
func (m *Machine) mtuLimit() int {
	limit := m.cfg.MTUMax
	if a := m.path.Remote.Addr(); a.Is6() && !a.Is4In6() {
		limit = min(limit, ipv6BytesMax)
	}
	return limit
}

// resize makes n the largest size. What the ARQ has cut for a larger one travels in pieces.
func (m *Machine) resize(n int) {
	m.mtu.size, m.mtu.since, m.mtu.tries = n, m.now, 0
	m.mtu.hole = nil
	for _, s := range m.streams {
		if s.arq != nil {
			s.arq.SetSymbolBytes(wire.SymbolBytes(n))
		}
	}
}

// restartMTU begins anew, for another way.
func (m *Machine) restartMTU() {
	m.mtu = mtu{wanted: m.mtu.wanted}
	m.resize(wire.DatagramBytesBase)
}

// leaves takes note of a datagram of n bytes that asks for an acknowledgement.
func (u *mtu) leaves(now time.Time, n int, timeout time.Duration) {
	if n+mtuSlack > u.size {
		u.wanted = true
	}
	if n <= wire.DatagramBytesMin || u.size == wire.DatagramBytesMin {
		return
	}
	if u.hole == nil {
		u.hole = &blackHole{}
	}
	if u.hole.askAt.IsZero() {
		u.hole.askAt = now.Add(max(timeout, holeAskMin))
	}
}

// advanceMTU sends a probe if there is much to send and a larger size may do, and a ping if large datagrams are not
// acknowledged and nothing shows that anything arrives.
func (m *Machine) advanceMTU(now time.Time) {
	u := &m.mtu
	m.advanceHole(now)
	if u.probe.number > 0 && now.Sub(u.probe.sent) >= mtuProbeLife {
		u.probe = mtuProbe{} // Nothing was heard at all, which says nothing about the size.
	}
	if !u.wanted || u.probe.number > 0 || now.Before(u.at) || m.finish.data != nil || m.roam.target != nil {
		return
	}
	u.wanted = false
	if size := m.nextSize(); size > 0 {
		m.sendProbe(now, size)
		return
	}
	u.failed, u.at = 0, now.Add(mtuRaise) // The way may have changed by then.
}

// nextSize is the largest size that may do, 0 if none is left.
func (m *Machine) nextSize() int {
	limit := m.mtuLimit()
	if m.mtu.failed > 0 {
		limit = min(limit, m.mtu.failed-1)
	}
	for i := len(mtuSizes) - 1; i >= 0 && mtuSizes[i] > m.mtu.size; i-- {
		if mtuSizes[i] <= limit {
			return mtuSizes[i]
		}
	}
	if limit > m.mtu.size && limit == m.cfg.MTUMax {
		return limit
	}
	return 0
}

// sendProbe sends a datagram that is only large. It takes nothing along that would be missed, and its loss is not one.
func (m *Machine) sendProbe(now time.Time, size int) {
	owes := m.owesAck
	m.owesAck = false
	m.mute = true
	b := wire.AppendPing(m.startPacket(size))
	b = wire.AppendPadding(b, size-wire.SealBytes-len(b))
	m.mute, m.owesAck = false, owes
	m.mtu.probe = mtuProbe{number: m.number, size: size, sent: now}
	m.stats.MTUProbes++
	m.transmit(b)
}

// acknowledgedSize looks what an acknowledgement says about sizes.
func (m *Machine) acknowledgedSize(now time.Time, a wire.Ack) {
	u := &m.mtu
	switch p := u.probe; {
	case p.number == 0:
	case a.Has(p.number):
		u.probe = mtuProbe{}
		m.resize(p.size)
	case a.Largest >= p.number+reorderPackets || a.Largest > p.number && now.Sub(p.sent) > m.rtt.smoothed*9/8:
		u.probe = mtuProbe{}
		u.wanted = true
		if u.tries++; u.tries == mtuTries {
			u.failed, u.tries = p.size, 0
		}
	}
	if u.hole != nil && u.hole.acknowledged(a.Largest) && m.cfg.Planted != planted.BlackHoleForever {
		m.blackHole(now)
	}
}
