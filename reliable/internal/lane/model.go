package lane

import (
	"math"
	"time"
)

// A Model estimates what the way to the peer carries. The zero value knows nothing.
type Model struct {
	delivery
	inflight int // bytes sent whose fate is not known

	rates    [rateRounds]float64 // highest rate in bytes/s of each of the latest full rounds
	slot     int                 // of the present one
	round    round
	rtt      time.Duration // smoothed
	rttMin   time.Duration // 0: not measured
	minAt    time.Duration // when rttMin was measured
	lookedAt time.Duration // when it was, or was measured anew
	second   time.Duration // shortest since then; 0: none

	mode     mode
	phase    int           // of the cycle in modeSteady
	cruise   int           // how many phases this cycle has
	modeAt   time.Duration // when mode or phase began
	reached  float64       // rate at the last growth in modeStartup
	still    int           // rounds without growth
	restFrom time.Duration // modeProbeRTT: since when little is in flight
	restAt   time.Duration // and when it is over; 0: too much is still in flight
	eager    bool          // the next cycle is short: what was given up may be there again
	deafTo   uint64        // no backing off before so many bytes are delivered: it would be for the same queue
	backOffs uint64
	full     int // full rounds in a row

	rival    rival
	tokens   float64 // bytes that pacing allows; negative: debt
	tokensAt time.Duration
}

// A mode is what the model is after.
type mode uint8

const (
	// modeStartup: what the way carries is not known; the rate doubles every round trip. It ends when the rate stops growing
	// or a queue shows.
	modeStartup mode = iota
	// modeDrain: what startup has queued is let go. It ends when no more is in flight than the way holds.
	modeDrain
	// modeSteady: the rate is held; for one round trip of about eight a quarter more is tried, and for the next a quarter
	// less is sent.
	modeSteady
	// modeProbeRTT: half of what the way holds is in flight, so that queues of ours do not hide its length.
	modeProbeRTT
)

// A round is the time in which what was in flight at its beginning is acknowledged.
type round struct {
	end       uint64 // over when a packet is acknowledged that left after so many bytes were delivered
	delivered uint64 // at its beginning
	began     time.Duration
	rtt       time.Duration // shortest; 0: none
	samples   int
	full      bool // we sent as much as we might
}

// Sent takes note of a packet of so many bytes, headers included, and returns what must be given back with its fate.
func (m *Model) Sent(now time.Duration, bytes int) Stamp {
	m.refill(now)
	m.tokens -= float64(bytes)
	s := m.stamp(now, bytes, m.inflight == 0)
	m.inflight += bytes
	return s
}

// Acked takes note that a packet arrived. Update must follow.
func (m *Model) Acked(s Stamp) {
	m.inflight -= int(s.bytes)
	m.arrived(s)
}

// Lost takes note that a packet was lost, or that its fate will never be known.
func (m *Model) Lost(s Stamp) {
	m.inflight -= int(s.bytes)
	m.rival.lostSent = max(m.rival.lostSent, s.at)
}

// Update takes in the acknowledgements since the last call. Rtt is a new measurement, 0 if there is none.
func (m *Model) Update(now, rtt time.Duration) {
	if rtt > 0 {
		m.measured(now, rtt)
	}
	if m.rival.present {
		m.rival.cut(now)
	}
	s, any := m.newest, m.fresh
	rate := m.rate(now, m.rttMin)
	if !any {
		return
	}
	m.round.full = m.round.full || !s.limited
	if !s.limited || rate > m.bandwidth() {
		m.rates[m.slot] = max(m.rates[m.slot], rate)
	}
	if s.delivered >= m.round.end {
		m.endRound(now)
	}
	m.steer(now)
}

// measured takes a round-trip time.
func (m *Model) measured(now, rtt time.Duration) {
	if m.rtt == 0 {
		m.rtt = rtt
	}
	m.rtt += (rtt - m.rtt) / 8
	if m.rttMin == 0 || rtt <= m.rttMin {
		m.rttMin, m.minAt, m.lookedAt, m.second = rtt, now, now, 0
	} else if m.second == 0 || rtt < m.second {
		m.second = rtt
	}
	if m.round.rtt == 0 || rtt < m.round.rtt {
		m.round.rtt = rtt
	}
	m.round.samples++
	if m.rival.present {
		m.rival.heard(now, rtt)
	}
	if m.mode == modeProbeRTT && m.restAt > 0 && now-rtt >= m.restFrom {
		m.rival.rest(rtt)
	}
}

// endRound judges a round trip and begins the next.
func (m *Model) endRound(now time.Duration) {
	r := m.round
	rate := 0.0
	if now > r.began {
		rate = float64(m.delivered-r.delivered) / (now - r.began).Seconds()
	}
	m.round = round{end: m.delivered, delivered: m.delivered, began: now}
	if !r.full {
		m.full = 0
		return // It says nothing about the way.
	}
	m.full++
	queue := r.rtt - m.rttMin
	if m.mode == modeStartup {
		m.judgeStartup(now, queue, r.samples)
	}
	switch {
	case r.rtt == 0 || m.mode == modeProbeRTT:
	case m.rival.present:
		if queue <= startupQueue && !m.rival.leaving {
			m.rival.absent(now, r.rtt)
		}
		m.rival.grow(now, m.rtt)
	default:
		if m.rival.pressed == 0 {
			m.rival.had = rate * m.rtt.Seconds()
		}
		if queue > queueMax {
			m.yield(now, rate)
		}
		m.press(now, queue)
	}
	m.slot = (m.slot + 1) % rateRounds
	m.rates[m.slot] = 0
}

// judgeStartup ends startup when there is no more to win.
func (m *Model) judgeStartup(now, queue time.Duration, samples int) {
	if rate := m.bandwidth(); rate >= growth*m.reached {
		m.reached, m.still = rate, 0
	} else {
		m.still++
	}
	crowded := samples >= 4 && queue > max(startupQueue, m.rttMin/4)
	if m.still >= stillRounds || crowded {
		m.enter(now, modeDrain)
	}
}

// yield backs off, to less than what arrives if that is known: somebody has built up a queue.
func (m *Model) yield(now time.Duration, rate float64) {
	if m.delivered < m.deafTo {
		return
	}
	m.deafTo = m.delivered + uint64(max(0, m.inflight))
	m.backOffs++
	limit := backOff * m.bandwidth()
	if rate > 0 {
		limit = min(limit, backOff*rate)
	}
	for i := range m.rates {
		m.rates[i] = min(m.rates[i], limit)
	}
	m.rival.pressed += backOffPress
	m.enter(now, modeSteady)
	m.phase, m.eager = phaseLess, true
}

// CE tells that a router has marked a packet of ours because its queue is too long (RFC 3168).
// Who has little to say does not fill queues; who then does not know the way yet has nothing to go back to.
func (m *Model) CE(now time.Duration) {
	switch {
	case m.mode == modeStartup && m.limitedTo > m.delivered:
	case !m.rival.present:
		m.yield(now, 0)
	case m.delivered >= m.deafTo: // It is as good as a loss.
		m.deafTo = m.delivered + uint64(max(0, m.inflight))
		m.backOffs++
		m.rival.lostSent = now
		m.rival.cut(now)
	}
}

// Capacity returns what the way carries in bytes/s if that is known: if for some round trips there was more to send than it
// carries. What arrives of a sender who has little to say is no measure of the way. 0: not known.
func (m *Model) Capacity() float64 {
	if m.full < stillRounds || m.mode == modeStartup {
		return 0
	}
	return m.bandwidth()
}

// Silent tells that acknowledgements have been missing for so long that the way must be learned anew when they come again.
func (m *Model) Silent(now time.Duration) {
	for i := range m.rates {
		m.rates[i] /= 2
	}
	m.rival = rival{}
	m.enter(now, modeStartup)
}

// bandwidth is what the way carries, in bytes/s; 0: not known.
func (m *Model) bandwidth() float64 {
	rate := 0.0
	for _, r := range m.rates {
		rate = max(rate, r)
	}
	return rate
}

// holds is how many bytes fill the way for a time.
func (m *Model) holds(d time.Duration) int { return int(m.bandwidth() * d.Seconds()) }

// window is how many bytes may be in flight.
func (m *Model) window() int {
	switch m.mode {
	case modeStartup:
		return max(windowInitial, int(startupWindow*float64(m.holds(m.rttMin)))+m.holds(slack))
	case modeProbeRTT:
		if m.doubt() {
			return max(restWindow, m.holds(m.rttMin)/2)
		}
		return max(windowMin, m.holds(m.rttMin)/2)
	case modeDrain, modeSteady:
	}
	if m.rival.present {
		return max(windowMin, int(m.rival.window))
	}
	return max(windowMin, m.holds(m.rttMin+min(m.rttMin/headroom, headroomMax)+slack))
}

// pace is how many bytes may leave in a second.
func (m *Model) pace() float64 {
	rate := m.bandwidth() * m.gain()
	if m.rtt == 0 {
		return math.Inf(1)
	}
	if m.rival.present && m.mode == modeSteady {
		rate = rivalGain * m.rival.window / m.rtt.Seconds()
	}
	least := float64(windowMin) / m.rtt.Seconds()
	if m.mode == modeStartup {
		least = startupGain * windowInitial / 2 / m.rtt.Seconds()
	}
	return max(rate, least)
}

func (m *Model) refill(now time.Duration) {
	pace := m.pace()
	if math.IsInf(pace, 1) {
		m.tokens, m.tokensAt = windowInitial, now
		return
	}
	m.tokens = min(m.tokens+pace*(now-m.tokensAt).Seconds(), max(burstMin, pace*burst.Seconds()))
	m.tokensAt = now
}

// Allowance returns how many bytes may leave now. A packet may be longer than what is left, if anything is.
func (m *Model) Allowance(now time.Duration) int {
	m.refill(now)
	m.steer(now)
	return max(0, min(m.window()-m.inflight, int(m.tokens)))
}

// Crowded reports whether clearly more is in flight than may be: not even what is sent again may leave.
func (m *Model) Crowded() bool { return m.inflight > m.window()*5/4 }

// NextAt returns when Allowance will not be 0 any more, and false if that depends on acknowledgements.
func (m *Model) NextAt(now time.Duration) (time.Duration, bool) {
	if m.inflight >= m.window() {
		return 0, false
	}
	wait := time.Duration((packetBytes/4 - m.tokens) / m.pace() * float64(time.Second))
	return now + max(wait, wakeMin), true
}

// Stats are the model's figures. Rates are bytes of IP packets a second, 0 if not known.
type Stats struct {
	Rate, Pace         float64       // at which bytes arrive, at which they may leave
	InFlight, Window   int           // bytes
	RTTMin, QueueDelay time.Duration // shortest round trip, and how much longer the smoothed one is
	BackOffs           uint64
}

// Stats returns the figures.
func (m *Model) Stats() Stats {
	s := Stats{
		Rate: m.bandwidth(), Pace: m.pace(), InFlight: m.inflight, Window: m.window(), RTTMin: m.rttMin,
		QueueDelay: max(0, m.rtt-m.rttMin), BackOffs: m.backOffs,
	}
	if math.IsInf(s.Pace, 1) {
		s.Pace = 0
	}
	return s
}
