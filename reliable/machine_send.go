package reliable

import (
	"slices"
	"time"

	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A sentItem is a packet that asked for an acknowledgement.
type sentItem struct {
	number uint64
	at     time.Time
	group  *repair // whose symbol it carried; nil: none
}

// A repair is a group whose repair symbols have not all left.
type repair struct {
	group   *fec.Group
	first   time.Time // when its first symbol left
	next    int       // index of the repair symbol that is due at at
	at      time.Time
	arrived int // symbols of the group that arrived
	bytes   int // of the group, as far as they count in Machine.repairBytes
}

// advanceHello repeats the hello (SPEC.md 4.2).
func (m *Machine) advanceHello(now time.Time) {
	if !now.Before(m.helloUntil) {
		m.end(errHandshake)
		return
	}
	b, due := m.hello.AppendDue(now, m.packet[:0])
	if m.cfg.Planted == planted.HelloOnce && m.stats.DatagramsSent >= 2 {
		due = false
	}
	if due {
		m.send(b)
	}
}

// advanceStream moves bytes into the ARQ and lets it send: acknowledgements of what came, new segments,
// retransmissions. What it puts out between here and closeGroup is one flush, so one group.
func (m *Machine) advanceStream(now time.Time) {
	if m.outgoing.len() > 0 {
		m.openStream()
	}
	if m.stream == nil {
		return
	}
	if m.heard {
		m.heard = false
		m.stream.AckNow()
	}
	if m.outgoing.len() > 0 {
		n := m.stream.Send(m.outgoing.bytes())
		if m.cfg.Planted == planted.SendCut {
			n = m.outgoing.len()
		}
		m.outgoing.drop(n)
		m.stats.StreamBytesSent += uint64(n)
	}
	if m.outgoing.len() > 0 || m.stream.Pending() {
		m.stream.Flush()
	}
	m.closeGroup()
	switch {
	case !m.Waiting():
		m.waitingAt = time.Time{}
	case m.waitingAt.IsZero():
		m.waitingAt = now
	}
}

// outputSymbol sends what the ARQ puts out. Data goes into the open group; what is only acknowledgement goes bare.
func (m *Machine) outputSymbol(symbol []byte, data bool) {
	b := m.startPacket()
	if !data {
		m.sendPacket(wire.AppendBare(b, symbol), nil, false)
		return
	}
	if m.enc == nil {
		m.enc = fec.NewEncoder(&m.shared.codecs)
	}
	if m.enc.Full() {
		m.closeGroup()
	}
	if m.enc.Len() == 0 {
		m.repairs = append(m.repairs, &repair{first: m.now})
	}
	group, index := m.enc.Add(symbol)
	m.stats.SymbolsSent++
	m.sendPacket(wire.AppendSource(b, group, index, symbol), m.repairs[len(m.repairs)-1], true)
}

// closeGroup ends the open group and plans its repair symbols.
func (m *Machine) closeGroup() {
	if m.enc == nil || m.enc.Len() == 0 {
		return
	}
	parity := fec.Parity(m.enc.Len())
	if m.cfg.NoRedundancy {
		parity = 0
	}
	last := len(m.repairs) - 1
	r := m.repairs[last]
	r.group, _ = m.enc.Close(parity)
	if r.group.R == 0 {
		m.dropRepair(last)
		return
	}
	r.at = r.first.Add(fec.Gap(0, r.group.R))
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
			g := r.group
			b := wire.AppendRepair(m.startPacket(), g.ID, uint8(g.K), uint8(g.R), uint8(r.next), g.Repair(r.next))
			m.stats.RepairSent++
			m.sendPacket(b, r, true)
			if r.next == 0 {
				m.weigh(r) // Its source symbols have made place for repair symbols.
			}
			r.next++
			r.at = r.first.Add(fec.Gap(r.next, g.R))
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

// arrivedAtPeer notes that a packet was acknowledged. When any K symbols of a group have arrived, the peer has the whole
// group and the rest of its repair symbols need not leave.
func (m *Machine) arrivedAtPeer(p sentItem) {
	r := p.group
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

// sendOwedAck sends an acknowledgement by itself if nothing took it along.
func (m *Machine) sendOwedAck() {
	if m.owesAck && m.state != stateEnded {
		m.sendPacket(m.startPacket(), nil, false)
	}
}

// startPacket begins a packet: header, and the acknowledgement if one is owed.
func (m *Machine) startPacket() []byte {
	if m.cfg.Planted != planted.NumberReused || m.stats.DatagramsSent%50 != 49 {
		m.number++
	}
	b := wire.AppendPacketHeader(m.packet[:0], wire.PacketHeader{Dest: m.remote, Number: m.number})
	if m.owesAck {
		m.owesAck = false
		bitmap := m.arrived.Below(m.largest)
		if m.cfg.Planted == planted.AckInvents {
			bitmap |= 1 << 5
		}
		b = wire.AppendAck(b, wire.Ack{
			Largest: m.largest, Delay: m.now.Sub(m.askedAt), Received: uint32(m.received), Bitmap: bitmap,
		})
	}
	return b
}

// sendPacket seals and sends the packet that startPacket began. Asks says that it wants an acknowledgement.
func (m *Machine) sendPacket(b []byte, group *repair, asks bool) {
	if asks {
		if len(m.sent) == sentPacketsMax && m.cfg.Planted != planted.SentEndless {
			m.sent = slices.Delete(m.sent, 0, sentPacketsMax/4)
		}
		m.sent = append(m.sent, sentItem{m.number, m.now, group})
	}
	m.spokeAt = m.now
	m.send(m.seal.Append(b, m.number))
	if m.number >= packetsMax {
		m.end(errBroken)
	}
}

// send emits a datagram that was built in m.packet.
func (m *Machine) send(b []byte) {
	m.packet = b[:0]
	m.stats.DatagramsSent++
	m.stats.BytesSent += uint64(len(b))
	m.emit(b)
}
