package reliable

import (
	"slices"
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A repair is a group whose repair symbols have not all left.
type repair struct {
	group   *fec.Group // nil: it is open, or forgotten
	plan    fec.Plan
	first   time.Time // when its first symbol left
	last    time.Time // when its latest symbol left
	resent  bool      // holds data that was sent before
	next    int       // index of the repair symbol that is due at at
	at      time.Time
	arrived int // symbols of the group that arrived
	bytes   int // of the group, as far as they count in Machine.repairBytes
}

// outputSymbol sends what the ARQ puts out. Data goes into the open group; what is only acknowledgement goes bare.
func (m *Machine) outputSymbol(s *MachineStream, sym arq.Symbol) {
	m.stirred(s)
	symbol := sym.Bytes
	switch {
	case sym.Kind == arq.Control:
		b := m.startPacket(wire.BareFrameBytes + len(symbol))
		m.sendPacket(wire.AppendBare(b, symbol), cargo{}, false)
		return
	case sym.Kind == arq.Resent && !m.mayResend(s, len(symbol)):
		return
	case s.Lane() == Bulk:
		b := m.startPacket(wire.DataFrameBytes + len(symbol))
		m.stats.SymbolsSent++
		m.sendPacket(wire.AppendData(b, symbol), cargo{stream: s, sent: sym.Sent}, true)
		return
	}
	b := m.startPacket(wire.SourceFrameBytes + len(symbol))
	if m.enc == nil {
		m.enc = fec.NewEncoder(&m.shared.codecs)
	}
	if m.enc.Full() {
		m.closeGroup()
	}
	if m.enc.Len() == 0 {
		m.repairs = append(m.repairs, &repair{first: m.now})
	}
	r := m.repairs[len(m.repairs)-1]
	r.resent = r.resent || sym.Kind == arq.Resent
	r.last = m.now
	group, index := m.enc.Add(symbol)
	m.stats.SymbolsSent++
	m.budget.Earn(m.now.Sub(m.start), len(symbol))
	m.sendPacket(wire.AppendSource(b, group, index, symbol), cargo{group: r, stream: s, sent: sym.Sent}, true)
}

// closeGroup ends the open group and plans its repair symbols.
func (m *Machine) closeGroup() {
	if m.enc == nil || m.enc.Len() == 0 {
		return
	}
	last := len(m.repairs) - 1
	r := m.repairs[last]
	r.plan = fec.Mode(m.cfg.Redundancy).PlanFor(m.enc.Len(), r.resent, fec.Path{
		Loss: &m.losses, RTT: m.rtt.smoothed, RTTMin: m.rtt.min, RTTVar: m.rtt.variance, Group: m.enc.Group(),
		Pressure: &m.pressure, Now: m.now.Sub(m.start), CE: m.congested(),
	})
	r.group, _ = m.enc.Close(r.plan.R)
	if r.group.R == 0 {
		m.dropRepair(last)
		return
	}
	r.at = r.first.Add(r.plan.Gap(0))
	m.weigh(r)
	for len(m.repairs) > repairGroupsMax || m.repairBytes > repairBytesMax {
		if m.cfg.Planted == planted.RepairsEndless {
			break
		}
		m.dropRepair(0)
	}
}

// weigh counts what a group holds.
func (m *Machine) weigh(r *repair) {
	n := r.group.MemoryBytes()
	m.repairBytes += n - r.bytes
	r.bytes = n
}

// dropRepair forgets group i. The packets that carried its symbols remember it until they are acknowledged, so its
// bytes must go now.
func (m *Machine) dropRepair(i int) {
	r := m.repairs[i]
	m.repairBytes -= r.bytes
	r.group, r.bytes = nil, 0
	m.repairs = slices.Delete(m.repairs, i, i+1)
}

// advanceRepairs sends the repair symbols that are due (SPEC.md 7.2).
func (m *Machine) advanceRepairs(now time.Time) {
	for i := 0; i < len(m.repairs); i++ {
		r := m.repairs[i]
		for r.next < r.group.R && !now.Before(r.at) && m.state <= stateLinger {
			// What does not fit the budget is left out.
			if m.mayRepair(r.group.RepairBytes()) && m.budget.Spend(now.Sub(m.start), r.group.RepairBytes()) {
				b := m.startPacket(wire.RepairFrameBytes + r.group.RepairBytes())
				m.sendPacket(m.appendRepair(b, r), cargo{group: r, mute: !m.asks(r)}, true)
			} else {
				m.stats.RepairUnpaid++
				m.skipRepair(r)
			}
		}
		if r.next == r.group.R {
			if m.cfg.Planted == planted.RepairsEndless {
				r.at = now.Add(time.Hour)
				continue
			}
			m.dropRepair(i)
			i--
		}
	}
	if len(m.repairs) == 0 {
		m.repairs = nil
	}
}

// askShare is the share of lost packets from which on every repair symbol asks for an acknowledgement: so many of these are
// lost, too, that the peer would seem silent.
const askShare = 0.15

// asks reports whether a repair symbol of the group that leaves now wants an acknowledgement even if it brings nothing
// new: one should be here by now, or many are lost.
func (m *Machine) asks(r *repair) bool {
	return m.now.Sub(r.first) >= m.rtt.smoothed || m.losses.Share() >= askShare
}

// appendRepair appends the group's next repair symbol.
func (m *Machine) appendRepair(b []byte, r *repair) []byte {
	g := r.group
	age := m.now.Sub(r.first)
	b = wire.AppendRepair(b, wire.Repair{
		Group: g.ID, K: uint8(g.K), Index: uint8(r.next), Age: age, Symbol: g.Repair(r.next),
		Asks: m.asks(r),
	})
	m.stats.RepairSent++
	if r.next == 0 {
		m.weigh(r) // Its source symbols have made place for repair symbols.
	}
	r.last = m.now
	m.skipRepair(r)
	return b
}

func (m *Machine) skipRepair(r *repair) {
	r.next++
	r.at = r.first.Add(r.plan.Gap(r.next))
}

// rideAhead is how much before its time a repair symbol may ride along in a packet that leaves anyway.
const rideAhead = 6 * time.Millisecond

// appendRiders lets repair symbols of single messages ride along in a packet that leaves anyway, instead of in one of
// their own a little later.
func (m *Machine) appendRiders(b []byte) []byte {
	if m.roam.target != nil || m.roam.home {
		return b // Bytes count there.
	}
	for _, r := range m.repairs {
		g := r.group
		if g == nil || g.K != 1 || r.next >= g.R || r.at.Sub(m.now) > rideAhead || r.last.Equal(m.now) {
			continue
		}
		if len(b)+wire.RepairFrameBytes+g.RepairBytes()+wire.SealBytes > m.mtu.size {
			break
		}
		if !m.mayRepair(g.RepairBytes()) || !m.budget.Spend(m.now.Sub(m.start), g.RepairBytes()) {
			break
		}
		b = m.appendRepair(b, r)
		m.stats.RepairRode++
	}
	return b
}

// arrivedAtPeer notes that a packet was acknowledged. When any K symbols of a group have arrived, the peer has the whole
// group and the rest of its repair symbols need not leave.
func (m *Machine) arrivedAtPeer(c cargo) {
	if c.whole != nil {
		m.pieceArrived(c.whole)
	}
	if c.stream != nil {
		p := m.pacing()
		p.confirms = append(p.confirms, c)
	}
	if c.reset != nil {
		m.resetArrived(c.reset)
	}
	r := c.group
	if r == nil {
		return
	}
	r.arrived++
	if r.group == nil || r.arrived < r.group.K {
		return
	}
	if i := slices.Index(m.repairs, r); i >= 0 {
		m.stats.RepairCancelled += uint64(r.group.R - r.next)
		m.dropRepair(i)
	}
}
