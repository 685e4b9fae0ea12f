package lane

import "time"

// A Stamp travels with a packet until its fate is known.
type Stamp struct {
	at          time.Duration // when it left
	firstSentAt time.Duration // when the packet left whose acknowledgement came last before
	deliveredAt time.Duration // when that came
	delivered   uint64        // bytes delivered by then
	bytes       int32
	limited     bool // we could have sent more
}

// delivery measures the rate at which bytes arrive: how many did between the sending of a packet and its acknowledgement,
// over the longer of the times in which they left and in which their acknowledgements came (so neither a burst nor
// acknowledgements in a clump make it too high).
type delivery struct {
	delivered   uint64 // bytes
	deliveredAt time.Duration
	firstSentAt time.Duration
	limitedTo   uint64 // until so many are delivered, packets were sent with less than was allowed
	newest      Stamp  // of those acknowledged since the last measurement
	fresh       bool   // there is one
}

// stamp marks a packet that leaves. Alone says that nothing else is in flight.
func (d *delivery) stamp(now time.Duration, bytes int, alone bool) Stamp {
	if alone {
		d.firstSentAt, d.deliveredAt = now, now
	}
	return Stamp{
		at: now, firstSentAt: d.firstSentAt, deliveredAt: d.deliveredAt, delivered: d.delivered,
		bytes: int32(bytes), limited: d.limitedTo > d.delivered,
	}
}

func (d *delivery) arrived(s Stamp) {
	d.delivered += uint64(s.bytes)
	if !d.fresh || s.delivered >= d.newest.delivered && s.at >= d.newest.at {
		d.newest, d.fresh = s, true
	}
}

// rate measures with the newest packet acknowledged since the last call; 0: it cannot.
func (d *delivery) rate(now, rttMin time.Duration) float64 {
	if !d.fresh {
		return 0
	}
	s := d.newest
	d.fresh = false
	d.deliveredAt, d.firstSentAt = now, max(d.firstSentAt, s.at)
	took := max(s.at-s.firstSentAt, now-s.deliveredAt)
	if took <= 0 || took < rttMin {
		return 0
	}
	return float64(d.delivered-s.delivered) / took.Seconds()
}

// Limited tells that there is nothing more to send although more might leave: the rates of what is in flight say what we
// had to say, not what the way carries.
func (m *Model) Limited() { m.limitedTo = m.delivered + uint64(max(1, m.inflight)) }
