package reliable

import (
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

const (
	// reorderPackets is how many later packets must have arrived before one counts as lost (RFC 9002, 6.1.1).
	reorderPackets = 3
)

// handleAck takes the peer's report of what arrived.
func (m *Machine) handleAck(now time.Time, a wire.Ack) error {
	a = a.Near(m.number)
	if a.Largest > m.number {
		return errBroken // An acknowledgement for a packet never sent.
	}
	m.token.acknowledged(a)
	for i := range m.sent {
		p := &m.sent[i]
		if p.number > a.Largest {
			break
		}
		if p.arrived || !a.Has(p.number) {
			continue
		}
		p.arrived = true
		if p.number == a.Largest {
			m.rtt.sample(now.Sub(p.at) - a.Delay)
		}
		m.arrivedAtPeer(*p)
	}
	m.judge(now, a.Largest)
	m.lossOut.reportLost(a.Largest, a.Lost)
	return nil
}

// judge decides the fate of packets in the order in which they left, as far as it is known: arrived, or overtaken by so
// many or so long ago that they count as lost. Which packet was lost after which is what tells bursts from single losses.
func (m *Machine) judge(now time.Time, largest uint64) {
	if m.cfg.Planted == planted.SentEndless {
		return
	}
	n := 0
	for _, p := range m.sent {
		lost := p.number+reorderPackets <= largest || p.number < largest && m.rtt.smoothed > 0 && now.Sub(p.at) > m.rtt.smoothed*9/8
		if !p.arrived && !lost {
			break
		}
		m.losses.Judge(p.at.Sub(m.start), !p.arrived)
		n++
	}
	m.sent = m.sent[:copy(m.sent, m.sent[n:])]
	if len(m.sent) == 0 {
		m.sent = nil
	}
}
