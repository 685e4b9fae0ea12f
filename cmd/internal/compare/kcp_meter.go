package compare

import (
	"encoding/binary"
	"net"
	"sync"
)

// A kcpMeter says what the bytes of KCP are for that one side sends.
type kcpMeter struct {
	split Split
	next  uint32 // the segment that has not been sent yet
}

// kcpPush is the command of segments that carry bytes.
const kcpPush = 81

// segments takes a datagram that holds segments and nothing else.
func (m *kcpMeter) segments(b []byte) { m.count(b, headerBytes) }

// count takes segments, around which so many bytes of headers are.
func (m *kcpMeter) count(b []byte, around int) {
	var first, again, acks, headers int
	for len(b) >= kcpHeader {
		length := int(binary.LittleEndian.Uint32(b[20:]))
		sn := binary.LittleEndian.Uint32(b[12:])
		if len(b) < kcpHeader+length {
			break
		}
		switch {
		case b[4] != kcpPush:
			acks += kcpHeader
		case int32(sn-m.next) >= 0:
			m.next = sn + 1
			first += length
			headers += kcpHeader
		default:
			again += kcpHeader + length
		}
		b = b[kcpHeader+length:]
	}
	m.split.Payload += uint64(first)
	m.split.Headers += uint64(headers)
	m.split.Retransmits += uint64(again)
	m.split.Acks += uint64(acks)
	switch rest := uint64(around + len(b)); {
	case first > 0:
		m.split.Headers += rest
	case again > 0:
		m.split.Retransmits += rest
	default:
		m.split.Acks += rest
	}
}

// add adds the parts of o.
func (s *Split) add(o Split) {
	s.Payload += o.Payload
	s.Headers += o.Headers
	s.Acks += o.Acks
	s.Retransmits += o.Retransmits
	s.Parity += o.Parity
}

// kcpSocket is a socket whose sender's bytes are metered.
type kcpSocket struct {
	net.PacketConn
	fec bool

	mu    sync.Mutex
	meter kcpMeter // guarded by mu
}

// What kcp-go's FEC puts before its packets: a number and a kind, and before the segments also their length.
const (
	kcpFECHeader     = 6
	kcpFECDataHeader = 8
	kcpFECParity     = 0xf2
)

// WriteTo sends a datagram.
func (s *kcpSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	s.mu.Lock()
	switch {
	case !s.fec:
		s.meter.count(b, headerBytes)
	case len(b) >= kcpFECHeader && binary.LittleEndian.Uint16(b[4:]) == kcpFECParity:
		s.meter.split.Parity += uint64(len(b) + headerBytes)
	case len(b) >= kcpFECDataHeader:
		s.meter.count(b[kcpFECDataHeader:], headerBytes+kcpFECDataHeader)
	}
	s.mu.Unlock()
	return s.PacketConn.WriteTo(b, to)
}

func (s *kcpSocket) split() Split {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meter.split
}
