package reliable

import "time"

// rttEstimator smooths round-trip times (RFC 6298).
type rttEstimator struct {
	smoothed, variance, min time.Duration // 0: no sample yet
}

func (r *rttEstimator) sample(rtt time.Duration) {
	rtt = max(rtt, time.Microsecond)
	if r.smoothed == 0 {
		r.smoothed, r.variance, r.min = rtt, rtt/2, rtt
		return
	}
	r.min = min(r.min, rtt)
	r.variance += ((r.smoothed - rtt).Abs() - r.variance) / 4
	r.smoothed += (rtt - r.smoothed) / 8
}

// timeout is how long to wait for an answer before it is probably lost.
func (r *rttEstimator) timeout() time.Duration {
	return min(max(r.smoothed+4*r.variance, rtoMin), rtoMax)
}

// lossPackets is over how many packets a share of loss is measured before it enters the average.
const lossPackets = 64

// A lossMeter estimates the share of lost packets from two rising counters.
type lossMeter struct {
	share          float64
	settled        bool   // share is an average, not the whole history
	largest        uint64 // counters at the start of the current span
	received       uint64
	largestNewest  uint64
	receivedNewest uint64
	lost           uint64 // by the latest report of how many were
}

// reportLost takes how many of the packets up to largest did not arrive, modulo 2^16.
func (l *lossMeter) reportLost(largest uint64, lost uint16) {
	total := l.lost + uint64(int16(lost-uint16(l.lost))) // It may have fallen: some were only late.
	if total <= largest {
		l.lost = total
		l.report(largest, largest-total)
	}
}

// restart forgets the share, for another way.
func (l *lossMeter) restart() {
	*l = lossMeter{
		largest: l.largestNewest, received: l.receivedNewest, largestNewest: l.largestNewest, receivedNewest: l.receivedNewest,
	}
}

// report takes the number of packets sent (their highest number; numbers start at 1) and received so far.
func (l *lossMeter) report(largest, received uint64) {
	if largest < l.largestNewest {
		return // An older report overtaken by a newer one.
	}
	l.largestNewest, l.receivedNewest = largest, received
	sent := largest - l.largest
	if sent == 0 {
		return
	}
	// More can have arrived than the span holds: packets of the span before it, out of order.
	share := max(0, 1-float64(received-l.received)/float64(sent))
	if !l.settled {
		l.share = share
	}
	if sent < lossPackets {
		return
	}
	if l.settled {
		l.share += (share - l.share) / 4
	}
	l.settled = true
	l.largest, l.received = largest, received
}
