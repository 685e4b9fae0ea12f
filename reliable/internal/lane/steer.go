package lane

import "time"

// Phases of the cycle in modeSteady; after the second the rate is held for cruise more.
const (
	phaseMore = iota
	phaseLess
	phaseHold
)

// gain is by how much the rate differs from what the way carries.
func (m *Model) gain() float64 {
	switch m.mode {
	case modeStartup:
		return startupGain
	case modeDrain:
		return drainGain
	case modeProbeRTT:
		return 1
	case modeSteady:
	}
	switch m.phase {
	case phaseMore:
		return 1.25
	case phaseLess:
		return 0.75
	}
	return 0.99
}

func (m *Model) enter(now time.Duration, to mode) {
	m.mode, m.modeAt, m.still, m.restAt = to, now, 0, 0
	m.rival.rests = 0
	m.reached = m.bandwidth()
	if to == modeSteady {
		m.hold(now)
	}
}

// hold begins the part of a cycle in which the rate is held. Flows that share a queue must not all try more at the same
// time, so its length varies.
func (m *Model) hold(now time.Duration) {
	m.phase, m.cruise, m.modeAt = phaseHold, 4+int(m.delivered/7%5), now
	if m.eager {
		m.cruise, m.eager = 1, false
	}
}

// steer goes on to the next mode or phase when it is time.
func (m *Model) steer(now time.Duration) {
	switch {
	case m.rttMin == 0 || m.mode == modeProbeRTT || m.mode == modeStartup:
	case m.rival.present && now-m.rival.lowAt > rivalWindow, !m.rival.present && now-m.lookedAt > rttWindow:
		m.enter(now, modeProbeRTT)
	}
	took := now - m.modeAt
	length := max(m.rttMin, wakeMin)
	switch m.mode {
	case modeStartup:
	case modeDrain:
		if m.inflight <= m.holds(m.rttMin) || took > 3*m.rtt {
			m.enter(now, modeSteady)
		}
	case modeProbeRTT:
		m.probeRTT(now)
	case modeSteady:
		switch m.phase {
		case phaseMore:
			if took > length && (m.inflight >= m.window()*9/10 || took > 2*length) {
				m.phase, m.modeAt = phaseLess, now
			}
		case phaseLess:
			if took > length || m.inflight <= m.holds(m.rttMin) {
				m.hold(now)
			}
		default:
			if took > time.Duration(m.cruise)*length {
				m.phase, m.modeAt = phaseMore, now
			}
		}
	}
}

// probeRTT waits until little is in flight, and then for a round trip; where a queue may be somebody else's, until packets
// have come back that left meanwhile.
func (m *Model) probeRTT(now time.Duration) {
	doubt := m.doubt()
	switch {
	case m.restAt == 0 && (m.inflight <= m.window() || now-m.modeAt > 3*m.rtt):
		m.restFrom, m.restAt = now, now+max(m.rttMin, probeRTTMin)
	case m.restAt > 0 && doubt && now < m.restAt+3*m.rtt && m.rival.rests < restSamples:
	case m.restAt > 0 && now >= m.restAt && doubt:
		m.judgeRival(now)
		m.enter(now, modeSteady)
	case m.restAt > 0 && now >= m.restAt:
		m.remeasured(now, m.second)
		m.enter(now, modeSteady)
	}
}
