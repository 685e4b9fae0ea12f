package reliable

import (
	"slices"
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A sentItem is a packet that asked for an acknowledgement.
type sentItem struct {
	number  uint64
	at      time.Time
	group   *repair // whose symbol it carried; nil: none
	arrived bool
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

// sendOwedAck sends an acknowledgement by itself if nothing took it along.
func (m *Machine) sendOwedAck() {
	if m.owesAck && m.state != stateEnded {
		m.sendPacket(m.startPacket(0), nil, false)
	}
}

// startPacket begins a packet for frames of so many bytes: header, the end of the handshake while the server may not have
// it, the acknowledgement if one is owed, the client's token.
func (m *Machine) startPacket(room int) []byte {
	finish := m.rideFinish(room)
	if m.cfg.Planted != planted.NumberReused || m.stats.DatagramsSent%50 != 49 {
		m.number++
	}
	if m.packet == nil {
		m.packet = make([]byte, 0, wire.DatagramBytesMax)
	}
	m.head = wire.PacketHeader{Type: wire.TypePacket, Dest: m.remote, Number: m.number}
	if finish {
		m.head.Type = wire.TypeFinish
	} else {
		m.head.Phase = m.keys.Phase(m.now)
	}
	b := wire.AppendPacketHeader(m.packet[:0], m.head)
	if finish {
		b = wire.AppendCrypto(b, m.finish.data)
	}
	if m.owesAck {
		m.owesAck = false
		bitmap := m.arrived.Below(m.largest)
		if m.largest <= 64 {
			bitmap |= ^uint64(0) << (max(m.largest, 1) - 1) // There were no such packets, so none is missing.
		}
		if m.cfg.Planted == planted.AckInvents {
			bitmap |= 1 << 5
		}
		b = wire.AppendAck(b, wire.Ack{
			Largest: m.largest, Delay: m.now.Sub(m.askedAt), Lost: uint16(m.largest - m.received), Bitmap: bitmap,
		})
	}
	if m.roam.via != nil {
		return b
	}
	return m.token.append(b, m.number, room)
}

// sendPacket seals and sends the packet that startPacket began. Asks says that it wants an acknowledgement.
func (m *Machine) sendPacket(b []byte, group *repair, asks bool) {
	if riders := m.appendRiders(b); len(riders) > len(b) {
		b, asks = riders, true
	}
	if asks {
		if len(m.sent) == sentPacketsMax && m.cfg.Planted != planted.SentEndless {
			m.sent = slices.Delete(m.sent, 0, sentPacketsMax/4)
		}
		m.sent = append(m.sent, sentItem{number: m.number, at: m.now, group: group})
	}
	m.spokeAt = m.now
	if m.cfg.Watch != nil {
		m.cfg.Watch(b)
	}
	if m.head.Type == wire.TypeFinish {
		m.send(m.finish.protect(m.now, b, m.number))
	} else {
		m.send(m.keys.Protect(b, wire.PacketHeaderBytes, m.number))
	}
	if m.number >= packetsMax {
		m.end(errBroken)
	}
}

// send emits a datagram that was built in m.packet.
func (m *Machine) send(b []byte) {
	m.packet = b[:0]
	m.stats.DatagramsSent++
	m.stats.BytesSent += uint64(len(b))
	m.emit(Datagram{Path: m.way(len(b)), Bytes: b})
}
