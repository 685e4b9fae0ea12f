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
// all of these look at the same time sooner or later, because they count from when the queue was shortest, which all see.

const (
	// pressedMax is how many round trips in a row may have a queue longer than we would leave until we look whose it is; one in
	// which we have backed off counts as so many as backOffPress.
	pressedMax   = 10
	backOffPress = 3

	// rivalGone is the queueing delay that does not speak of a rival any more.
	rivalGone = 20 * time.Millisecond

	// rivalWindow is how long the queue may have been longer than its shortest while a rival is there, until we look again.
	rivalWindow = 10 * time.Second
	// rivalAgain is when we look again if he does not show: he may have made room just then.
	rivalAgain = 3 * time.Second

	// rivalMax is how long the shortest round trip counts while there seems to be a rival: the way may have become longer.
	rivalMax = time.Minute

	// rivalGain is how much faster than it takes to fill the window packets may leave.
	rivalGain = 1.2

	// restWindow is what may be in flight, at least, while we look.
	restWindow = 2 * packetBytes

	// restSamples is how many packets are awaited that left while little was in flight.
	restSamples = 4

	// CUBIC's constants, and the size of a packet of his.
	cubicBeta   = 0.7
	cubicC      = 0.4
	cubicPacket = 1500
)

// A rival is somebody who fills the queue.
type rival struct {
	pressed int     // by how much a queue that is not ours seems to be there, see pressedMax
	had     float64 // bytes in flight before that
	present bool
	leaving bool          // he did not show at the latest look
	leftAt  time.Duration // when he was taken for gone
	low     time.Duration // shortest round trip since the last look
	lowAt   time.Duration

	window   float64       // bytes that may be in flight
	most     float64       // window before the latest loss
	friendly float64       // what Reno would have
	began    time.Duration // of the growth since the latest loss
	lostSent time.Duration // when the latest lost packet had been sent
	cutAt    time.Duration // when the window was made smaller

	rested, spread time.Duration // shortest round trip of packets sent while little was in flight; how much longer the longest was
	rests          int           // how many those were
}

// met begins to compete: with what we had.
func (r *rival) met(now time.Duration, window float64) {
	r.present, r.began, r.cutAt = true, now, now
	r.window, r.most, r.friendly = window, window, window
}

// heard takes a round trip while there is a rival.
func (r *rival) heard(now, rtt time.Duration) {
	if rtt <= r.low && !r.leaving {
		r.low, r.lowAt = rtt, now
	}
}

// absent notes that he did not show: we look again soon.
func (r *rival) absent(now, rtt time.Duration) {
	r.leaving = true
	r.low, r.lowAt = rtt, now-rivalWindow+rivalAgain
}

// rest takes a round trip of a packet that was sent while little was in flight.
func (r *rival) rest(rtt time.Duration) {
	if r.rests++; r.rests == 1 {
		r.rested, r.spread = rtt, 0
		return
	}
	low := min(r.rested, rtt)
	r.spread = max(r.rested+r.spread, rtt) - low
	r.rested = low
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

// doubt reports whether the queue may be somebody else's.
func (m *Model) doubt() bool { return m.rival.present || m.rival.pressed >= pressedMax }

// kindred is the queueing delay that one of our own kind may leave.
func (m *Model) kindred() time.Duration {
	return min(m.rttMin/headroom, headroomMax) + 2*slack
}

// press takes note of a round trip's queue: it may be a rival's.
func (m *Model) press(now, queue time.Duration) {
	if queue <= m.kindred() {
		m.rival.pressed = 0
		return
	}
	if m.rival.pressed++; m.rival.pressed >= pressedMax && m.mode == modeSteady {
		m.enter(now, modeProbeRTT)
	}
}

// remeasured takes the round trip as it is with little in flight for the shortest, if that may be without a queue.
func (m *Model) remeasured(now, rtt time.Duration) {
	if rtt > 0 && (rtt-m.rttMin <= slack || now-m.minAt > rivalMax) {
		m.rttMin, m.minAt = rtt, now
	}
	m.lookedAt, m.second = now, 0
}

// judgeRival decides, at the end of a rest, whether there is a rival.
func (m *Model) judgeRival(now time.Duration) {
	r := &m.rival
	own := time.Duration(0) // What even the smallest window may queue.
	if rate := m.bandwidth(); rate > 0 && m.holds(m.rttMin) < 2*restWindow {
		own = time.Duration(packetBytes / rate * float64(time.Second))
	}
	r.pressed = 0
	limit := m.kindred()
	if r.present {
		limit = rivalGone
	}
	// What differs from packet to packet is the way's, not a queue's.
	switch there := r.rests > 0 && r.rested-m.rttMin > limit+own+r.spread; {
	case !there && r.present && !r.leaving:
		r.absent(now, r.rested)
	case !there:
		if r.present {
			r.present, r.leftAt = false, now
		}
		m.remeasured(now, r.rested)
	case r.present && now-m.minAt > rivalMax:
		r.present = false
		m.remeasured(now, r.rested)
	case !r.present:
		window := max(r.had, m.bandwidth()*m.rtt.Seconds())
		if now-r.leftAt < rttWindow {
			window = max(window, cubicBeta*r.window) // He was only taking breath.
		}
		r.met(now, max(windowMin, window))
		fallthrough
	default:
		r.leaving = false
		r.low, r.lowAt = r.rested, now
	}
}
