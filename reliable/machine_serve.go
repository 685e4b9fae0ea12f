package reliable

import (
	"time"

	"udpchat/reliable/internal/lane"
	"udpchat/reliable/internal/wire"
)

// This file decides which stream sends how much in a turn. Congestion control says how much may leave at all (package
// lane); express streams come first and may spend their bucket besides; bulk streams share the rest in turns.

// segmentCost is what a full segment costs, with all headers.
func (m *Machine) segmentCost() int { return m.mtu.size + headerBytes }

// headerBytes are the IP and UDP headers of a datagram.
const headerBytes = 28

// A pacer is the congestion control of a connection.
type pacer struct {
	model   lane.Model
	bucket  lane.Bucket
	silence lane.Silence
	spoke   time.Time     // while there is silence: when something was sent last
	at      time.Duration // when more may leave, while blocked; 0: it takes an acknowledgement
	blocked bool          // a stream waits for allowance
	turn    int           // of the bulk streams

	confirms []cargo // of packets an acknowledgement names, for the streams; kept to be used again
}

func (m *Machine) pacing() *pacer {
	if m.pace == nil {
		m.pace = &pacer{}
	}
	return m.pace
}

// elapsed is the time since the connection began, as pure packages want it.
func (m *Machine) elapsed() time.Duration { return m.now.Sub(m.start) }

// advanceStreams lets the streams send: acknowledgements of what came, new segments, retransmissions. What express streams
// put out between here and closeGroup is one flush, so one group.
func (m *Machine) advanceStreams(now time.Time) {
	if m.main.out.len() > 0 {
		m.main.open()
	}
	for _, s := range m.streams {
		if s.heard {
			s.heard = false
			s.arq.AckNow()
		}
	}
	if m.pace != nil {
		m.pace.blocked = false
	}
	if m.mayTalk(now) {
		m.serve()
	}
	m.closeGroup()
	m.retireStreams()
	m.advanceResets(now)
	switch {
	case !m.Waiting():
		m.waitingAt = time.Time{}
	case m.waitingAt.IsZero():
		m.waitingAt = now
	}
}

// serve gives the streams their share of what may leave.
func (m *Machine) serve() {
	if m.pace == nil && !m.Waiting() {
		for _, s := range m.streams { // They may have to tell their windows.
			if s.needsFlush() {
				s.arq.Flush()
			}
		}
		return
	}
	t, p := m.elapsed(), m.pacing()
	promised := 0 // taken by the ARQ, not sent yet
	for _, s := range m.streams {
		if s.arq != nil {
			promised += s.arq.Unsent()
		}
	}
	segments := func() int {
		if m.hushed() {
			return max(0, 1-promised)
		}
		a := p.model.Allowance(t)
		return max(0, (a+m.segmentCost()-1)/m.segmentCost()-promised)
	}
	give := func(s *MachineStream, n int) {
		promised -= s.arq.Unsent()
		s.feed(n)
		if s.needsFlush() {
			s.arq.Flush()
		}
		promised += s.arq.Unsent()
	}
	bulk := 0
	for _, s := range m.streams {
		switch {
		case s.arq == nil:
		case s.Lane() == Bulk:
			bulk++
		default:
			give(s, m.grant(s, segments()))
		}
	}
	m.closeGroup()
	p.turn++
	for i := range m.streams {
		s := m.streams[(i+p.turn)%len(m.streams)]
		if s.Lane() == Bulk {
			n := segments()
			give(s, (n+bulk-1)/bulk)
			p.blocked = p.blocked || s.wants() > 0 && segments() == 0
			bulk--
		}
	}
	switch {
	case p.blocked:
		p.at = m.wakeForAllowance(t)
	case segments() > 0:
		p.model.Limited()
	}
}

// grant returns how many segments an express stream may send when the model allows n. What goes beyond that is paid from
// the bucket.
func (m *Machine) grant(s *MachineStream, n int) int {
	t := m.elapsed()
	wants := s.wants()
	if wants <= n {
		return n
	}
	whole := s.arq.SegmentBytes()
	for n < wants && s.arq.Ready() && !m.hushed() {
		cost := m.segmentCost() - whole + min(whole, s.out.len()-n*whole)
		if m.pacing().bucket.Level(t, m.rtt.smoothed) < cost {
			break
		}
		m.pacing().bucket.Take(cost)
		n++
	}
	m.pacing().blocked = m.pacing().blocked || n < wants
	return n
}

// wakeForAllowance returns when something may leave that may not now; 0: that takes an acknowledgement.
func (m *Machine) wakeForAllowance(t time.Duration) time.Duration {
	at, ok := m.pacing().model.NextAt(t)
	for _, s := range m.streams {
		if s.arq != nil && s.Lane() == Express && s.wants() > 0 {
			b := m.pacing().bucket.NextAt(t, m.rtt.smoothed, m.segmentCost())
			if !ok || b < at {
				at, ok = b, true
			}
		}
	}
	return at
}

// mayRepair reports whether a repair symbol of n bytes may leave. Redundancy is the first thing to go.
func (m *Machine) mayRepair(n int) bool {
	t := m.elapsed()
	n += wire.PacketHeaderBytes + wire.RepairFrameBytes + wire.SealBytes + headerBytes
	switch {
	case m.pacing().silence.Count() >= quietTimeouts, m.congested():
		return false
	case m.pacing().model.Allowance(t) > 0:
		return true
	case !m.pacing().bucket.Spare(t, m.rtt.smoothed, n):
		return false
	}
	m.pacing().bucket.Take(n)
	return true
}

// mayResend reports whether a symbol may leave that was sent before. The ARQ sends again what it believes lost without
// asking, after a timeout a whole window; what is too much then counts as lost once more.
func (m *Machine) mayResend(s *MachineStream, n int) bool {
	if !m.pacing().model.Crowded() {
		return true
	}
	t := m.elapsed()
	if s.Lane() == Bulk || m.pacing().bucket.Level(t, m.rtt.smoothed) < n {
		m.stats.ResendsHeld++
		return false
	}
	m.pacing().bucket.Take(n)
	return true
}

// streamsAt is when advanceStreams has something to do; the zero time means never.
func (m *Machine) streamsAt(now time.Time) time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	hushed, p := m.hushed(), m.pace
	for _, s := range m.streams {
		switch {
		case s.arq == nil:
			if s.out.len() > 0 {
				sooner(now)
			}
		case hushed:
			if s.needsFlush() || s.out.len() > 0 {
				sooner(later(m.slotAt(), now))
			}
		default:
			if d, ok := s.arq.Next(s.out.len() > 0 && (s.arq.Room() == 0 || p == nil || !p.blocked)); ok {
				sooner(now.Add(d))
			}
		}
	}
	for _, s := range m.streams[1:] {
		if s.over() {
			sooner(now)
		}
	}
	for _, r := range m.resets {
		sooner(r.at)
	}
	if p == nil {
		return next
	}
	if p.blocked && p.at > 0 && !hushed {
		sooner(m.start.Add(p.at))
	}
	if at, ok := p.silence.NextAt(); ok && m.Waiting() {
		sooner(m.start.Add(at))
	}
	return next
}
