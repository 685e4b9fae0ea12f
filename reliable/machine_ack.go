package reliable

import (
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

const (
	// ackAgainGap is how long after an acknowledgement a symbol that brings nothing new is acknowledged again.
	ackAgainGap = 12 * time.Millisecond

	// ackPackets is after how many packets an acknowledgement leaves at the latest: it reaches back 64, and one may be lost.
	ackPackets = 32

	// reorderPackets is how many later packets must have arrived before one counts as lost (RFC 9002, 6.1.1).
	reorderPackets = 3
)

// handleAck takes the peer's report of what arrived.
func (m *Machine) handleAck(now time.Time, a wire.Ack) error {
	if a.Largest > m.number {
		return errBroken // An acknowledgement for a packet never sent.
	}
	m.token.acknowledged(a)
	var rtt time.Duration
	news := false
	m.confirms = m.confirms[:0]
	for i := range m.sent {
		p := &m.sent[i]
		if p.number > a.Largest {
			break
		}
		if p.arrived || !a.Has(p.number) {
			continue
		}
		p.arrived, news = true, true
		if p.number == a.Largest {
			rtt = max(now.Sub(p.at)-a.Delay, time.Microsecond)
			m.rtt.sample(rtt)
		}
		if !p.settled {
			p.settled = true
			m.pace.model.Acked(p.stamp)
		}
		m.arrivedAtPeer(p.cargo)
	}
	m.judge(now, a.Largest)
	m.pace.model.Update(m.elapsed(), rtt)
	if news {
		m.pace.silence.Heard(m.elapsed(), m.timeout(), len(m.sent) > 0)
	}
	// The counter travels modulo 2^32: take the value that fits below Largest.
	received := a.Largest - uint64(uint32(a.Largest)-a.Received)
	if received <= a.Largest {
		m.lossOut.report(a.Largest, received)
	}
	m.confirm()
	return nil
}

// confirm tells the streams which of their segments arrived. They may send when they hear it.
func (m *Machine) confirm() {
	var sent [64 + 1]arq.Sent // As many as an acknowledgement covers.
	for i := 0; i < len(m.confirms); {
		s, n := m.confirms[i].stream, 0
		for ; i < len(m.confirms) && m.confirms[i].stream == s && n < len(sent); i++ {
			sent[n] = m.confirms[i].sent
			n++
		}
		if !s.gone {
			s.arq.Confirm(sent[:n])
		}
	}
}

// judge decides the fate of packets in the order in which they left, as far as it is known: arrived, or overtaken by so
// many or so long ago that they count as lost. Which packet was lost after which is what tells bursts from single losses.
func (m *Machine) judge(now time.Time, largest uint64) {
	if m.cfg.Planted == planted.SentEndless {
		return
	}
	n := 0
	for i := range m.sent {
		p := &m.sent[i]
		lost := p.number+reorderPackets <= largest || p.number < largest && now.Sub(p.at) > m.rtt.smoothed*9/8
		if !p.arrived && !lost {
			break
		}
		if !p.arrived {
			m.lost(p)
		}
		m.losses.Judge(p.at.Sub(m.start), !p.arrived)
		n++
	}
	m.sent = m.sent[:copy(m.sent, m.sent[n:])]
	if len(m.sent) == 0 {
		m.sent = nil
	}
}

// lost tells congestion control that a packet does not count as in flight any more.
func (m *Machine) lost(p *sentItem) {
	if !p.settled {
		p.settled = true
		m.pace.model.Lost(p.stamp)
	}
}
