package simulate

import (
	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/wire"
)

// A Meter says what the bytes that one side sends are for. Its method Watch goes into reliable.Config.Watch; datagrams
// of the handshake are not seen by it. Bytes are those of IP packets: 28 are added for the headers of IPv4 and UDP.
type Meter struct {
	Payload     uint64 // bytes the application wrote, the first time they leave
	Headers     uint64 // around payload
	Acks        uint64 // acknowledgements, and packets that carry nothing else
	Retransmits uint64 // segments sent again by the ARQ
	Parity      uint64 // repair symbols

	next map[uint32]uint32 // by conversation: the segment that has not left yet
}

// What a datagram has around its frames that Watch does not see: IPv4, UDP, and the seal of the AEAD.
const aroundBytes = 28 + 16

// Watch takes a packet before it is encrypted.
func (m *Meter) Watch(packet []byte) {
	_, frames, err := wire.ParsePacketHeader(packet)
	if err != nil {
		return
	}
	before := *m
	rest := uint64(aroundBytes + len(packet) - len(frames))
	for len(frames) > 0 {
		f, left, err := wire.ParseFrame(frames)
		if err != nil {
			break
		}
		bytes := uint64(len(frames) - len(left))
		frames = left
		switch f.Type {
		case wire.FrameSource, wire.FrameBare, wire.FrameData:
			m.symbol(f.Symbol)
			rest += bytes - uint64(len(f.Symbol))
		case wire.FrameRepair:
			m.Parity += bytes
		case wire.FrameAck, wire.FrameAckMarks:
			m.Acks += bytes
		default:
			rest += bytes
		}
	}
	rest += uint64(len(frames))
	switch {
	case m.Payload > before.Payload:
		m.Headers += rest
	case m.Retransmits > before.Retransmits:
		m.Retransmits += rest
	case m.Parity > before.Parity:
		m.Parity += rest
	default:
		m.Acks += rest
	}
}

// symbol takes the segments of a symbol.
func (m *Meter) symbol(b []byte) {
	if m.next == nil {
		m.next = make(map[uint32]uint32)
	}
	conv, _ := arq.Conversation(b)
	arq.Parts(b, func(p arq.Part) {
		switch {
		case !p.Data:
			m.Acks += uint64(p.Header)
		case int32(p.Number-m.next[conv]) >= 0:
			m.next[conv] = p.Number + 1
			m.Payload += uint64(p.Bytes)
			m.Headers += uint64(p.Header)
		default:
			m.Retransmits += uint64(p.Header + p.Bytes)
		}
	})
}

// Sum is all of it.
func (m *Meter) Sum() uint64 { return m.Payload + m.Headers + m.Acks + m.Retransmits + m.Parity }
