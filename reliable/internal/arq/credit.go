package arq

import (
	"encoding/binary"

	kcp "github.com/xtaci/kcp-go/v5"
)

// The core flushes by itself at most every flushInterval, which would make every reply on a fast network wait for it. But
// it also flushes whenever a cumulative acknowledgement frees a segment. So a few of these are kept from it: each is the
// credit for one flush at a moment of our choice. That the segments arrived the core is told one by one, so it does not
// send them again; it only keeps their headers a little longer. A sender that has used up its credit flushes when the
// next acknowledgement comes or the interval is over, whichever is first.

// creditMax is how many acknowledged segments are kept as credit: as many flushes may follow each other without waiting.
const creditMax = 8

// creditWindowMin is the peer's window below which none are kept, because they count against it.
const creditWindowMin = 8 * creditMax

// credit returns how many flushes may be had at once.
func (s *Stream) credit() int { return int(s.una - s.told) }

// news reports whether segment sn, which was sent, is acknowledged for the first time.
func (s *Stream) news(sn uint32) bool {
	a := &s.acked[sn&uint32(len(s.acked)-1)]
	if after(s.una, sn) || *a == sn+1 && sn+1 != 0 {
		return false
	}
	*a = sn + 1
	return true
}

// settle takes a cumulative acknowledgement. It acknowledges one by one the segments that become credit, and passes what the
// peer acknowledged beyond that on to the core. It comes before the core sees the symbol: a segment that the core believed
// missing would be sent again.
func (s *Stream) settle(una uint32) {
	keep := uint32(creditMax)
	if s.peerWindow < creditWindowMin {
		keep = 0
	}
	from := s.told
	if una-s.told > keep {
		from = una - keep
	}
	var acks [creditMax * headerBytes]byte
	n := 0
	sn := s.una // Those before are known to the core.
	if after(from, sn) {
		sn = from
	}
	for ; sn != una; sn++ {
		b := acks[n*headerBytes:]
		s.putHeader(b, kcp.IKCP_CMD_ACK)
		// So old that it says nothing about the order in which other segments arrived.
		binary.LittleEndian.PutUint32(b[8:], s.cfg.Clock.ms()-1<<30)
		binary.LittleEndian.PutUint32(b[12:], sn-s.sendBase)
		n++
	}
	s.una = una
	if n > 0 {
		s.core.Input(acks[:n*headerBytes], kcp.IKCP_PACKET_FEC, false)
	}
	if from != s.told {
		s.told = from
		s.nudge(kcp.IKCP_CMD_WINS)
	}
}

// spend has the core flush now.
func (s *Stream) spend() {
	s.told++
	s.nudge(kcp.IKCP_CMD_WINS)
}
