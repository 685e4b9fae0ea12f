package arq

import (
	"encoding/binary"

	kcp "github.com/xtaci/kcp-go/v5"
)

// The core acknowledges each segment once, so that a lost acknowledgement costs a segment that is sent again in vain,
// unless the cumulative one passes it soon: with some loss it hardly ever does. The packets around us are
// acknowledged many times over, so Confirm tells what is known from there.

// Confirm takes the news that symbols have arrived and been handed to the peer's stream. Fresh says that the last of them is
// acknowledged as soon as it came, so that it tells the round-trip time.
func (s *Stream) Confirm(arrived []Sent, fresh bool) {
	if s.core == nil || len(arrived) == 0 {
		return // All is acknowledged.
	}
	last := len(arrived) - 1
	if fresh {
		s.confirm(arrived[:last], kcp.IKCP_PACKET_FEC)
		s.confirm(arrived[last:], kcp.IKCP_PACKET_REGULAR)
	} else {
		s.confirm(arrived, kcp.IKCP_PACKET_FEC)
	}
}

func (s *Stream) confirm(arrived []Sent, kind kcp.PacketType) {
	b := s.acks[:0]
	for _, a := range arrived {
		for sn := a.First; sn != a.First+a.Count; sn++ {
			if !after(s.sendMax, sn) || !s.news(sn) {
				continue
			}
			b = s.appendAck(b, sn, a.At)
		}
	}
	s.acks = b
	if len(b) > 0 {
		s.coreInput(b, kind)
	}
}

// appendAck appends the acknowledgement of a segment that was sent at the core's time at, in the core's numbers.
func (s *Stream) appendAck(b []byte, sn, at uint32) []byte {
	n := len(b)
	b = append(b, make([]byte, headerBytes)...)
	s.putHeader(b[n:], kcp.IKCP_CMD_ACK)
	binary.LittleEndian.PutUint16(b[n+6:], s.peerWindow)
	binary.LittleEndian.PutUint32(b[n+8:], at)
	binary.LittleEndian.PutUint32(b[n+12:], sn-s.sendBase)
	return b
}

// Hasten has the segments that others have overtaken sent again now, and their timeouts begin anew: each has grown with every
// loss, for a reason that is gone.
func (s *Stream) Hasten() {
	if s.core == nil {
		return
	}
	for sn := s.sendMax - 1; after(sn, s.una); sn-- {
		if s.acked[sn&uint32(len(s.acked)-1)] == sn+1 && sn+1 != 0 { // Of one before a wrap there is no mark.
			// To the core each acknowledgement of it is one more sign that earlier ones were lost.
			s.acks = s.acks[:0]
			for range fastResend {
				s.acks = s.appendAck(s.acks, sn, s.cfg.Clock.ms())
			}
			s.coreInput(s.acks, kcp.IKCP_PACKET_FEC)
			return
		}
	}
}

// withoutAcks removes the acknowledgements of single segments, with which the core begins a symbol. If there is nothing
// else the last becomes a window answer: it tells the cumulative acknowledgement and the window.
func withoutAcks(b []byte) []byte {
	for len(b) >= headerBytes && b[4] == kcp.IKCP_CMD_ACK {
		if len(b) == headerBytes {
			b[4] = kcp.IKCP_CMD_WINS
			break
		}
		b = b[headerBytes:]
	}
	return b
}

// askUna asks the peer for its cumulative acknowledgement if all that was sent is acknowledged one by one: then nothing is sent
// again that would bring it, and it may have been lost.
func (s *Stream) askUna(now uint32) {
	if s.core == nil || s.una == s.sendMax {
		s.asking = false
		return
	}
	for sn := s.una; sn != s.sendMax; sn++ {
		if s.acked[sn&uint32(len(s.acked)-1)] != sn+1 {
			s.asking = false
			return
		}
	}
	switch {
	case !s.asking:
		s.asking, s.askAt = true, now+askAfter
	case !after(s.askAt, now):
		s.askAt = now + askGap
		var seg [headerBytes]byte
		s.putWireHeader(seg[:], kcp.IKCP_CMD_WASK, s.toldUna)
		s.cfg.Output(Symbol{Bytes: appendPacked(nil, seg[:])})
	}
}

// Asks reports whether a symbol wants an answer: it has data in it or a question. It need not have passed Input.
func Asks(symbol []byte) (asks bool) {
	Parts(symbol, func(p Part) { asks = asks || p.Asks })
	return asks
}

// LastWords returns a symbol that tells the peer that all it sent arrived. The stream must have Ended.
func (s *Stream) LastWords() []byte {
	b := make([]byte, headerBytes)
	s.putWireHeader(b, kcp.IKCP_CMD_WINS, s.read)
	return appendPacked(nil, b)
}
