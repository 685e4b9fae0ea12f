package simulate

import (
	"encoding/binary"

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

// A segment of the ARQ (SPEC.md 6).
const (
	segmentHeaderBytes = 24
	segmentPush        = 81
)

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
		case wire.FrameAck:
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
	for len(b) >= segmentHeaderBytes {
		conv, sn := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[12:])
		length := uint64(binary.LittleEndian.Uint32(b[20:]))
		if length > uint64(len(b)-segmentHeaderBytes) {
			break
		}
		switch {
		case b[4] != segmentPush:
			m.Acks += segmentHeaderBytes
		case int32(sn-m.next[conv]) >= 0:
			m.next[conv] = sn + 1
			m.Payload += length
			m.Headers += segmentHeaderBytes
		default:
			m.Retransmits += segmentHeaderBytes + length
		}
		b = b[segmentHeaderBytes+length:]
	}
	m.Headers += uint64(len(b))
}

// Sum is all of it.
func (m *Meter) Sum() uint64 { return m.Payload + m.Headers + m.Acks + m.Retransmits + m.Parity }
