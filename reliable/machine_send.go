package reliable

import (
	"slices"
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/lane"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A sentItem is a packet that asked for an acknowledgement.
type sentItem struct {
	cargo
	number  uint64
	at      time.Time
	bytes   uint16 // of the datagram
	stamp   lane.Stamp
	marked  bool // it left with a mark
	arrived bool
	settled bool // congestion control knows its fate
}

// cargo is what a packet carried that wants to hear of its arrival.
type cargo struct {
	group  *repair        // whose symbol it carried; nil: none
	stream *MachineStream // whose data it carried; nil: none
	sent   arq.Sent       // which
	reset  *pendingReset  // nil: none
	mute   bool           // it is acknowledged only together with others
	whole  *whole         // of which it carried a piece; nil: none
}

// sendOwedAck sends an acknowledgement by itself if nothing took it along.
func (m *Machine) sendOwedAck() {
	if m.owesAck && m.state != stateEnded {
		m.sendPacket(m.startPacket(0), cargo{}, false)
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
	m.marked = !finish && m.mayMark()
	b := wire.AppendPacketHeader(m.packet[:0], m.head)
	if finish {
		b = wire.AppendCrypto(b, m.finish.data)
	}
	if m.owesAck {
		m.owesAck, m.unacked = false, 0
		bitmap := m.arrived.Below(m.largest)
		if m.largest <= 64 {
			bitmap |= ^uint64(0) << (max(m.largest, 1) - 1) // There were no such packets, so none is missing.
		}
		if m.cfg.Planted == planted.AckInvents {
			bitmap |= 1 << 5
		}
		b = m.appendAck(b, room, wire.Ack{
			Largest: m.largest, Delay: m.now.Sub(m.askedAt), Lost: uint16(m.largest - m.received), Bitmap: bitmap,
		})
	}
	if m.mute || m.roam.via != nil {
		return b
	}
	return m.token.append(b, m.number, room, m.mtu.size)
}

// sendPacket seals and sends the packet that startPacket began. Asks says that it wants an acknowledgement.
func (m *Machine) sendPacket(b []byte, c cargo, asks bool) {
	if riders := m.appendRiders(b); len(riders) > len(b) {
		c.mute = c.mute || !asks
		b, asks = riders, true
	}
	m.stats.Sent.countAll(b[wire.PacketHeaderBytes:])
	if len(b)+wire.SealBytes > m.mtu.size {
		m.sendPieces(b, c)
		return
	}
	if asks {
		m.remember(c, len(b)+wire.SealBytes)
	}
	m.transmit(b)
}

// transmit seals a packet and sends it.
func (m *Machine) transmit(b []byte) {
	m.spokeAt = m.now
	if m.cfg.Watch != nil {
		m.cfg.Watch(b)
	}
	m.tracePacket(EventSent, m.number, len(b)+wire.SealBytes, b[wire.PacketHeaderBytes:])
	if m.head.Type == wire.TypeFinish {
		m.send(m.finish.protect(m.now, b, m.number))
	} else {
		m.send(m.keys.Protect(b, wire.PacketHeaderBytes, m.number))
	}
	if m.number >= packetsMax {
		m.end(errBroken)
	}
}

// remember keeps what must be known of a packet of so many bytes when it is acknowledged.
func (m *Machine) remember(c cargo, bytes int) {
	if len(m.sent) == sentPacketsMax && m.cfg.Planted != planted.SentEndless {
		old := m.sent[:sentPacketsMax/4]
		for i := range old {
			m.lost(&old[i])
		}
		m.sent = slices.Delete(m.sent, 0, len(old))
	}
	t := m.elapsed()
	m.sent = append(m.sent, sentItem{
		cargo: c, number: m.number, at: m.now, bytes: uint16(bytes), marked: m.marked, stamp: m.pacing().model.Sent(t, bytes+headerBytes),
	})
	m.mtu.leaves(m.now, bytes, m.timeout())
	if !c.mute {
		m.pacing().silence.Wait(t, m.timeout())
	}
}

// send emits a datagram that was built in m.packet.
func (m *Machine) send(b []byte) {
	m.packet = b[:0]
	m.stats.DatagramsSent++
	m.stats.BytesSent += uint64(len(b))
	d := Datagram{Path: m.way(len(b)), Bytes: b}
	if m.marked {
		d.ECN = ECT0
		m.marks.left()
		m.stats.MarkedSent++
	}
	m.emit(d)
}
