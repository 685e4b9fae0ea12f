package reliable

import (
	"math"
	"time"

	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/wire"
)

// A blackHole is the suspicion that large datagrams vanish while small ones arrive. Datagrams have many sizes, and some of
// any size get lost: one that arrives refutes those that were lost and are hardly larger.
type blackHole struct {
	lost        [len(holeBytes)]int       // by size: above what the next smaller size is for
	least       [len(holeBytes)]int       // size of the smallest of them
	came        [len(holeBytes)]time.Time // when the latest of each size left that arrived
	first, last time.Time                 // when the first and the latest left
	largest     uint64                    // highest packet number acknowledged
	small       int                       // how often it rose since the first
	proof       uint64                    // what it was when it first did: the number of a packet that arrived
	after       int                       // large ones lost that left after that one
	smallCame   int                       // small packets that left since the first and arrived
	smallLost   int                       // and did not
	asked       int                       // pings sent because nothing at all was heard
	askAt       time.Time                 // when the next is due; zero: no large datagram is waited for
}

// holeBytes are the upper ends of the ranges of sizes that are told apart.
var holeBytes = [...]int{768, 1024, wire.DatagramBytesBase, 1280, 1372, 1412, 1452, wire.DatagramBytesMax}

// fallback is the size to go back to: the base, unless what gets lost is not larger than that.
func (u *mtu) fallback() int {
	lost := 0
	for i, n := range u.hole.lost {
		if holeBytes[i] > wire.DatagramBytesBase {
			lost += n
		}
	}
	if u.size > wire.DatagramBytesBase && lost > 0 {
		return wire.DatagramBytesBase
	}
	return wire.DatagramBytesMin
}

// judgeSize takes the fate of a packet.
func (u *mtu) judgeSize(p *sentItem) {
	n, h := int(p.bytes), u.hole
	if h == nil || u.size == wire.DatagramBytesMin || p.at.Before(u.since) {
		return
	}
	if n <= wire.DatagramBytesMin {
		h.judgeSmall(p)
		return
	}
	if p.arrived {
		return
	}
	i := rangeOf(n)
	for _, came := range h.came[i:] {
		if !p.at.After(came) {
			return // One as large has come since.
		}
	}
	if h.losses() == 0 {
		h.first, h.small, h.proof, h.after, h.smallCame, h.smallLost = p.at, 0, 0, 0, 0, 0
	}
	if h.lost[i] == 0 || n < h.least[i] {
		h.least[i] = n
	}
	h.lost[i]++
	h.last = p.at
	if h.proof > 0 && p.number > h.proof {
		h.after++
	}
}

// judgeSmall takes the fate of a small packet.
func (h *blackHole) judgeSmall(p *sentItem) {
	switch {
	case h.losses() == 0 || p.at.Before(h.first):
	case p.arrived:
		h.smallCame++
	default:
		h.smallLost++
	}
}

// arrivedSize takes note of a packet that arrived.
func (u *mtu) arrivedSize(p *sentItem) {
	n, h := int(p.bytes), u.hole
	if h == nil || n <= wire.DatagramBytesMin || p.at.Before(u.since) {
		return
	}
	h.came[rangeOf(n)] = later(h.came[rangeOf(n)], p.at)
	for i := range h.lost {
		if h.lost[i] > 0 && n+mtuSlack >= h.least[i] {
			h.lost[i], h.proof, h.after = 0, 0, 0
		}
	}
	if h.losses() == 0 {
		*h = blackHole{largest: h.largest, came: h.came}
	}
}

// rangeOf returns which range of sizes n is in.
func rangeOf(n int) (i int) {
	for n > holeBytes[i] {
		i++
	}
	return i
}

func (h *blackHole) losses() (n int) {
	for _, lost := range h.lost {
		n += lost
	}
	return n
}

// acknowledged takes the highest packet number that arrived and reports whether the suspicion has become certainty: one
// more packet has arrived, and it was none of the large ones, or they would have been refuted.
func (h *blackHole) acknowledged(largest uint64) bool {
	if largest > h.largest {
		h.largest = largest
		h.small++
		if h.proof == 0 {
			h.proof = largest
		}
	}
	return h.small >= holeSmall && h.last.Sub(h.first) >= holeSpan && (h.after >= holeAfter && h.losses() >= holeLosses || h.unlikely())
}

// unlikely reports whether so many large ones would hardly be lost if they were lost like the small ones. After an outage few
// large ones leave, far apart, between many small ones that ask how the way is.
func (h *blackHole) unlikely() bool {
	n := h.losses()
	share := float64(h.smallLost+1) / float64(h.smallCame+h.smallLost+2)
	return n >= holeFew && h.after >= holeFew/2 && math.Pow(share, float64(n)) <= holeChance
}

// advanceHole asks by a small datagram when large ones are waited for and nothing is heard: what comes back tells a black
// hole from a dead way.
func (m *Machine) advanceHole(now time.Time) {
	h := m.mtu.hole
	if h == nil || h.askAt.IsZero() || now.Before(h.askAt) {
		return
	}
	silent := m.heardAt.Add(max(m.rtt.timeout(), holeAskMin))
	switch {
	case !m.Waiting() || h.asked == holeAsksMax:
		h.askAt = time.Time{}
	case now.Before(silent):
		h.askAt = silent
	default:
		h.asked++
		h.askAt = now.Add(holeAskMin)
		m.sendPacket(wire.AppendPing(m.startPacket(1)), cargo{}, true)
	}
}

// blackHole goes back to a size that arrives. The losses were no sign of a bad way.
func (m *Machine) blackHole(now time.Time) {
	u := &m.mtu
	m.stats.BlackHoles++
	u.holes++
	u.failed, u.probe = 0, mtuProbe{}
	u.at = now.Add(min(holeAgain<<min(u.holes-1, 8), mtuRaise))
	m.losses = fec.LossEstimator{}
	m.resize(u.fallback())
	for _, s := range m.streams {
		if s.arq != nil {
			s.arq.Hasten()
		}
	}
}
