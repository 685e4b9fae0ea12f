package arq

import (
	"encoding/binary"
	"math/bits"

	kcp "github.com/xtaci/kcp-go/v5"

	"udpchat/reliable/internal/planted"
)

// A core costs some 20 KB, and a stream over which nothing moves does not need it: all that a later segment depends on
// are the next numbers in either direction. So a stream can sleep: it throws the core away and makes a new one for the
// next byte. A core counts from 0, the wire goes on where it was, and the bases, which are the numbers at which the
// stream fell asleep, translate between them, modulo 2^32. What was said before the sleep and arrives after it is below
// the base, so negative to the core, and to the core negative is old: data is acknowledged again and dropped,
// acknowledgements change nothing. So the peer need not know, and each side sleeps when it likes.

// Sleep throws away what a stream needs only while something moves, if nothing does: all that was sent is acknowledged,
// all that came was read, acknowledged and in order. It reports whether the stream sleeps now. The next Send or Input
// wakes it.
func (s *Stream) Sleep() bool {
	if s.core == nil {
		return true
	}
	if !s.quiet() && s.cfg.Planted != planted.SleepBusy {
		return false
	}
	s.core, s.started, s.acked, s.acks = nil, false, nil, nil
	s.told = s.una
	s.stats.Sleeps++
	s.sendBase, s.recvBase = s.handed, s.read
	if s.cfg.Planted == planted.SleepBaseOff {
		s.recvBase++
	}
	return true
}

// Asleep reports whether the stream has nothing but its numbers. A new one has not.
func (s *Stream) Asleep() bool { return s.core == nil }

func (s *Stream) quiet() bool {
	return s.una == s.handed && s.read == s.came && !s.owesAck && !s.wake
}

// rouse makes a core if there is none.
func (s *Stream) rouse() {
	if s.core != nil {
		return
	}
	if s.stats.Sleeps > 0 {
		s.stats.Wakes++
	}
	s.acked = make([]uint32, 1<<bits.Len(uint(s.cfg.SendWindow-1)))
	s.core = kcp.NewKCP(s.cfg.ID, s.output)
	s.core.SetMtu(s.cfg.SymbolBytes)
	// No-delay profile: minimum RTO 30 ms and growing by half, resend after two later acknowledgements, no congestion
	// window (the caller's window is the limit).
	s.core.NoDelay(1, int(flushInterval), fastResend, 1)
	s.core.WndSize(s.cfg.SendWindow, s.cfg.RecvWindow)
	s.remind()
}

// remind tells a new core what the stream knows of the peer: its window, and how long an answer takes. It is the
// acknowledgement of a segment below the base.
func (s *Stream) remind() {
	var seg [headerBytes]byte
	s.putHeader(seg[:], kcp.IKCP_CMD_WINS)
	binary.LittleEndian.PutUint16(seg[6:], s.peerWindow)
	n := 1
	if s.cfg.RTT != nil && s.cfg.RTT() > 0 {
		seg[4], n = kcp.IKCP_CMD_ACK, rttSamples
		binary.LittleEndian.PutUint32(seg[8:], s.cfg.Clock.ms()-uint32(s.cfg.RTT().Milliseconds()))
		binary.LittleEndian.PutUint32(seg[12:], 1<<32-1)
	}
	for range n {
		s.core.Input(seg[:], kcp.IKCP_PACKET_REGULAR, false)
	}
}

// stir takes a symbol that has passed check for a stream that sleeps. It reports whether the symbol wakes it: data does,
// even old data, which has to be acknowledged. With nothing in flight there is nothing to acknowledge for the peer, and
// a question for the window is answered in sleep.
func (s *Stream) stir(b []byte) bool {
	for len(b) > 0 {
		seg := parseSegment(b)
		switch seg.cmd {
		case kcp.IKCP_CMD_PUSH:
			s.rouse()
			return true
		case kcp.IKCP_CMD_WASK:
			s.wake = true
		}
		b = b[headerBytes+int(seg.length):]
	}
	return false
}

// tellAsleep tells the peer the window without a core.
func (s *Stream) tellAsleep() {
	var seg [headerBytes]byte
	s.window = uint16(s.cfg.RecvWindow)
	s.putWireHeader(seg[:], kcp.IKCP_CMD_WINS, s.read)
	s.cfg.Output(Symbol{Bytes: appendPacked(nil, seg[:])})
}

// putWireHeader writes the header of a segment for the peer: without data, with a cumulative acknowledgement.
func (s *Stream) putWireHeader(b []byte, cmd byte, una uint32) {
	binary.LittleEndian.PutUint32(b[0:], s.cfg.ID)
	b[4] = cmd
	binary.LittleEndian.PutUint16(b[6:], s.window)
	binary.LittleEndian.PutUint32(b[16:], una)
}

// translate rewrites a symbol that has passed check into the core's numbers, its cumulative acknowledgements to what the
// core knows, see credit.go, and takes out acknowledgements of single segments that it has had.
func (s *Stream) translate(b []byte) {
	for len(b) > 0 {
		seg := parseSegment(b)
		base := s.sendBase
		switch {
		case seg.cmd == kcp.IKCP_CMD_ACK && !s.news(seg.sn):
			b[4] = kcp.IKCP_CMD_WINS // The core would count it as one more sign that earlier segments were lost.
		case seg.cmd == kcp.IKCP_CMD_WASK:
			s.wake = true
		case seg.cmd == kcp.IKCP_CMD_PUSH:
			base = s.recvBase
			s.owesAck = true
			if !after(s.came, seg.sn) {
				s.came = seg.sn + 1
			}
		}
		binary.LittleEndian.PutUint32(b[12:], seg.sn-base)
		binary.LittleEndian.PutUint32(b[16:], s.told-s.sendBase)
		b = b[headerBytes+int(seg.length):]
	}
}

// translateOut rewrites the first segment of b into the numbers of the wire.
func (s *Stream) translateOut(b []byte) {
	seg := parseSegment(b)
	base := s.recvBase
	if seg.cmd == kcp.IKCP_CMD_PUSH {
		base = s.sendBase
	}
	binary.LittleEndian.PutUint32(b[12:], seg.sn+base)
	binary.LittleEndian.PutUint32(b[16:], seg.una+s.recvBase)
}
