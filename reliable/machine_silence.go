package reliable

import (
	"time"

	"udpchat/reliable/internal/lane"
	"udpchat/reliable/internal/wire"
)

// When acknowledgements fail to come, whatever is sent may be what keeps the way from recovering. After two timeouts
// without any, one message leaves in a round trip; after three, that only if it is new, and otherwise one packet now and then,
// until one is answered (SPEC.md 11.4; RFC 8085, 3.1; RFC 8084).

const (
	// quietTimeouts is how many timeouts without an acknowledgement make us quiet, brokenTimeouts how many break the circuit.
	quietTimeouts  = 2
	brokenTimeouts = 3

	// quietSegmentsMax is how many segments may be in flight for the streams to send in silence: what was sent before is
	// sent again with what is new. Where there are more, a ping goes instead.
	quietSegmentsMax = 8
)

// hushed reports whether acknowledgements have been missing for so long that little may be said.
func (m *Machine) hushed() bool { return m.pace != nil && m.pace.silence.Count() >= quietTimeouts }

// timeout is how long an acknowledgement may take.
func (m *Machine) timeout() time.Duration {
	if m.rtt.smoothed == 0 {
		return rtoMax
	}
	return m.rtt.timeout()
}

// mayTalk reports whether streams may send in this turn.
func (m *Machine) mayTalk(now time.Time) bool {
	if !m.Waiting() {
		m.talkAgain()
		return true
	}
	if m.pacing().silence.Advance(m.elapsed(), m.timeout()) && m.hushed() {
		m.giveUpSent()
		m.pacing().model.Silent(m.elapsed())
		m.marks.doubt()
	}
	if !m.hushed() {
		return true
	}
	if now.Before(m.slotAt()) {
		return false
	}
	m.pace.spoke = now
	segments := 0
	for _, s := range m.streams {
		if s.arq != nil {
			segments += s.arq.Waiting()
		}
	}
	if segments <= quietSegmentsMax {
		return true
	}
	m.probeAt = now.Add(probeGap)
	m.sendPacket(wire.AppendPing(m.startPacket(1)), cargo{}, true)
	return false
}

// slotAt is when something may be sent in silence. Where something urgent is new that is a round trip after the last time, even
// with the circuit broken.
func (m *Machine) slotAt() time.Time {
	gap := max(m.rtt.smoothed, rtoMin)
	if m.pace.silence.Count() >= brokenTimeouts {
		gap = max(gap, probeGap)
		for _, s := range m.streams {
			if s.Lane() == Express && s.out.len() > 0 {
				gap = max(m.rtt.smoothed, rtoMin)
			}
		}
	}
	return m.pace.spoke.Add(gap)
}

// talkAgain ends silence: nothing waits for an answer, or it will come another way.
func (m *Machine) talkAgain() {
	if m.pace != nil {
		m.pace.silence = lane.Silence{}
	}
}

// giveUpSent takes all packets whose fate is not known for lost. Acknowledgements of them still count for the streams.
func (m *Machine) giveUpSent() {
	for i := range m.sent {
		m.lost(&m.sent[i])
	}
}
