package lane

import (
	"math"
	"time"
)

// A queue that stays although we back off is somebody else's, who fills it until packets are lost. Backing off gives him the
// line and makes the queue no shorter; so while he is there, we send as he does: what may be in flight follows CUBIC (RFC 9438).
//
// Who is there shows only when we step aside: with half of what the way holds in flight there is no queue of ours. So when
// backing off has not helped a few times in a row, the round trip is measured anew, and what is still above the shortest known
// is a rival's. While there is one that is repeated, since he may leave, or be one of our own kind, who thinks the same of us:
// such measure at the same time, because all see when the queue was shortest and count from there.

const (
	// pressedMax is how many times in a row backing off may not help until we look whose queue it is.
	pressedMax = 3

	// rivalWindow is how long the queue may have been longer than its shortest while a rival is there, until we look again.
	rivalWindow = 5 * time.Second

	// rivalMax is how long the shortest round trip counts while there seems to be a rival: the way may have become longer.
	rivalMax = time.Minute

	// rivalGain is how much faster than it takes to fill the window packets may leave.
	rivalGain = 1.2

	// restSamples is how many packets are awaited that left while little was in flight.
	restSamples = 2

	// CUBIC's constants, and the size of a packet of his.
	cubicBeta   = 0.7
	cubicC      = 0.4
	cubicPacket = 1500
)

// A rival is somebody who fills the queue.
type rival struct {
	pressed int // back-offs in a row that did not help
	present bool
	since   time.Duration // present since
	low     time.Duration // shortest round trip since the last look
	lowAt   time.Duration

	window   float64       // bytes that may be in flight
	most     float64       // window before the latest loss
	friendly float64       // what Reno would have
	began    time.Duration // of the growth since the latest loss
	lostSent time.Duration // when the latest lost packet had been sent
	cutAt    time.Duration // when the window was made smaller

	rested time.Duration // shortest round trip of packets sent while little was in flight
	rests  int           // how many those were
}

// met begins to compete: with what we had.
func (r *rival) met(now time.Duration, window float64) {
	r.present, r.since, r.began, r.cutAt = true, now, now, now
	r.window, r.most, r.friendly = window, window, window
}

// heard takes a round trip while there is a rival.
func (r *rival) heard(now, rtt time.Duration) {
	if r.low == 0 || rtt <= r.low {
		r.low, r.lowAt = rtt, now
	}
}

// cut makes the window smaller, once for all that was in flight.
func (r *rival) cut(now time.Duration) {
	if r.lostSent <= r.cutAt {
		return
	}
	if r.window < r.most {
		r.most = r.window * (1 + cubicBeta) / 2
	} else {
		r.most = r.window
	}
	r.window *= cubicBeta
	r.friendly, r.began, r.cutAt = r.window, now, now
}

// grow is called once in a round trip in which the window was used.
func (r *rival) grow(now, rtt time.Duration) {
	most := r.most / cubicPacket
	k := math.Cbrt(most * (1 - cubicBeta) / cubicC)
	t := (now - r.began + rtt).Seconds() - k
	r.friendly += 3 * (1 - cubicBeta) / (1 + cubicBeta) * cubicPacket
	target := max(cubicPacket*(cubicC*t*t*t+most), r.friendly)
	r.window = min(max(r.window, target), 1.5*r.window)
}

// judgeRival decides, at the end of a rest, whether there is a rival. Seen is the shortest round trip without a queue of ours.
func (m *Model) judgeRival(now time.Duration) {
	r := &m.rival
	own := time.Duration(0) // What even the smallest window may queue.
	if rate := m.bandwidth(); rate > 0 && m.holds(m.rttMin) < 2*windowMin {
		own = time.Duration(windowMin / rate * float64(time.Second))
	}
	r.pressed = 0
	switch there := r.rests > 0 && r.rested-m.rttMin > queueMax+own; {
	case !there, r.present && now-r.since > rivalMax:
		r.present = false
		m.minAt, m.second = now, 0
		if r.rests > 0 {
			m.rttMin = r.rested
		}
	case !r.present:
		r.met(now, max(windowMin, m.bandwidth()*m.rtt.Seconds()))
		fallthrough
	default:
		r.low, r.lowAt = r.rested, now
	}
}
