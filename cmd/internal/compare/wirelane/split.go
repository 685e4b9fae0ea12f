package wirelane

import "encoding/binary"

// Offsets in IPv4 and TCP headers (RFC 791, RFC 9293).
const (
	ipv4HeaderMin = 20
	tcpHeaderMin  = 20
	protocolTCP   = 6

	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagRST = 1 << 2
)

// tcpSplit sorts the segments of one direction by what they are for.
type tcpSplit struct {
	sums  Split
	flows map[uint32]*tcpFlow // By source and destination port.
}

// tcpFlow is one direction of one connection.
type tcpFlow struct{ next uint32 } // The first sequence number not seen yet.

// note sorts one IP packet.
func (t *tcpSplit) note(pkt []byte) {
	ipHeader := int(pkt[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(pkt[2:]))
	if pkt[9] != protocolTCP || ipHeader < ipv4HeaderMin || len(pkt) < ipHeader+tcpHeaderMin || total > len(pkt) {
		return
	}
	segment := pkt[ipHeader:]
	header := int(segment[12]>>4) * 4
	payload := total - ipHeader - header
	if header < tcpHeaderMin || payload < 0 {
		return
	}
	flags := segment[13]
	t.sums.Segments++
	if payload == 0 && flags&(flagSYN|flagFIN|flagRST) == 0 {
		t.sums.PureAcks++
		t.sums.Acks += uint64(total)
		return
	}
	repeated := t.flow(segment, flags).sent(binary.BigEndian.Uint32(segment[4:]), payload)
	t.sums.Payload += uint64(payload - repeated)
	t.sums.Repeated += uint64(repeated)
	if payload > repeated || payload == 0 {
		t.sums.Headers += uint64(total - payload)
	} else {
		t.sums.Repeated += uint64(total - payload)
	}
	if repeated > 0 {
		t.sums.RepeatedSegments++
	}
	if flags&flagSYN != 0 {
		t.sums.Handshake++
	}
}

// flow returns the flow a segment belongs to. A run has few.
func (t *tcpSplit) flow(segment []byte, flags byte) *tcpFlow {
	ports, seq := binary.BigEndian.Uint32(segment), binary.BigEndian.Uint32(segment[4:])
	if flags&flagSYN != 0 {
		seq++ // The SYN itself takes one.
	}
	f := t.flows[ports]
	if f == nil {
		f = &tcpFlow{next: seq}
		if t.flows == nil {
			t.flows = make(map[uint32]*tcpFlow)
		}
		t.flows[ports] = f
	}
	return f
}

// sent notes n bytes from seq on and returns how many of them were sent before.
func (f *tcpFlow) sent(seq uint32, n int) (repeated int) {
	behind := int(int32(f.next - seq)) // Sequence numbers wrap.
	end := seq + uint32(n)
	if int32(end-f.next) > 0 {
		f.next = end
	}
	return min(max(behind, 0), n)
}

// report returns the sums, nil if there was no TCP.
func (t *tcpSplit) report() *Split {
	if t.sums.Segments == 0 {
		return nil
	}
	sums := t.sums
	return &sums
}
