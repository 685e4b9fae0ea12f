package reliable

import (
	"slices"
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

const (
	// ackPackets is after how many packets an acknowledgement leaves at the latest: it reaches back 64, and one may be lost.
	ackPackets = 32

	// reorderPackets is how many later packets must have arrived before one counts as lost (RFC 9002, 6.1.1).
	reorderPackets = 3
)

// handleAck takes the peer's report of what arrived. Counts are its marks; nil: there were none in it.
func (m *Machine) handleAck(now time.Time, a wire.Ack, counts *wire.Marks) error {
	a = a.Near(m.number)
	if a.Largest > m.number {
		return errBroken // An acknowledgement for a packet never sent.
	}
	m.token.acknowledged(a)
	var rtt time.Duration
	news := false
	marked := 0
	p := m.pacing()
	p.confirms = p.confirms[:0]
	for i := range m.sent {
		item := &m.sent[i]
		if item.number > a.Largest {
			break
		}
		if item.arrived || !a.Has(item.number) {
			continue
		}
		item.arrived, news = true, true
		if item.marked {
			marked++
		}
		m.mtu.arrivedSize(item)
		if item.number == a.Largest {
			rtt = max(now.Sub(item.at)-a.Delay, time.Microsecond)
			m.rtt.sample(rtt)
		}
		if !item.settled {
			item.settled = true
			p.model.Acked(item.stamp)
		}
		m.arrivedAtPeer(item.cargo)
	}
	if counts != nil {
		m.judgeMarks(a.Largest, marked, *counts)
	}
	m.judge(now, a.Largest)
	m.acknowledgedSize(now, a)
	p.model.Update(m.elapsed(), rtt)
	m.budget.SetRate(p.model.Capacity() * repairShare)
	if news {
		p.silence.Heard(m.elapsed(), m.timeout(), slices.ContainsFunc(m.sent, func(i sentItem) bool { return !i.mute && !i.arrived }))
	}
	m.lossOut.reportLost(a.Largest, a.Lost)
	m.confirm(p.confirms, rtt > 0)
	return nil
}

// confirm tells the streams which of their segments arrived. They may send when they hear it. Fresh says that the last came
// just before the acknowledgement left.
func (m *Machine) confirm(arrived []cargo, fresh bool) {
	var sent [64 + 1]arq.Sent // As many as an acknowledgement covers.
	for i := 0; i < len(arrived); {
		s, n := arrived[i].stream, 0
		for ; i < len(arrived) && arrived[i].stream == s && n < len(sent); i++ {
			sent[n] = arrived[i].sent
			n++
		}
		if !s.gone {
			s.arq.Confirm(sent[:n], fresh && i == len(arrived))
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
		lost := p.number+reorderPackets <= largest || p.number < largest && m.rtt.smoothed > 0 && now.Sub(p.at) > m.rtt.smoothed*9/8
		if !p.arrived && !lost {
			break
		}
		m.mtu.judgeSize(p)
		if !p.arrived {
			if m.cfg.Trace != nil {
				m.event(Event{Name: EventLost, Packet: p.number, Bytes: int(p.bytes)})
			}
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
		m.pacing().model.Lost(p.stamp)
	}
}
