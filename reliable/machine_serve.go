package reliable

import (
	"time"

	"udpchat/reliable/internal/lane"
	"udpchat/reliable/internal/wire"
)

// This file decides which stream sends how much in a turn. Congestion control says how much may leave at all (package
// lane); express streams come first and may spend their bucket besides; bulk streams share the rest in turns.

// segmentCost is what a full segment costs, with all headers.
const segmentCost = wire.DatagramBytesMax + headerBytes

// headerBytes are the IP and UDP headers of a datagram.
const headerBytes = 28

// A pacer is the congestion control of a connection.
type pacer struct {
	model   lane.Model
	bucket  lane.Bucket
	silence lane.Silence
	slotAt  time.Time     // while there is silence: when something may be sent next
	at      time.Duration // when more may leave; meaningful while blocked
	blocked bool          // a stream waits for allowance
	turn    int           // of the bulk streams
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
	m.pace.blocked = false
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
	t := m.elapsed()
	promised := 0 // taken by the ARQ, not sent yet
	for _, s := range m.streams {
		if s.arq != nil {
			promised += s.arq.Unsent()
		}
	}
	segments := func() int {
		if m.quiet() {
			return max(0, 1-promised)
		}
		a := m.pace.model.Allowance(t)
		return max(0, (a+segmentCost-1)/segmentCost-promised)
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
	m.pace.turn++
	for i := range m.streams {
		s := m.streams[(i+m.pace.turn)%len(m.streams)]
		if s.Lane() == Bulk {
			n := segments()
			give(s, (n+bulk-1)/bulk)
			m.pace.blocked = m.pace.blocked || s.wants() > 0 && segments() == 0
			bulk--
		}
	}
	if !m.pace.blocked && segments() > 0 {
		m.pace.model.Limited()
	}
	if m.pace.blocked {
		m.pace.at, m.pace.blocked = m.wakeForAllowance(t)
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
	for n < wants && s.arq.Ready() && !m.quiet() {
		cost := segmentCost - whole + min(whole, s.out.len()-n*whole)
		if m.pace.bucket.Level(t, m.rtt.smoothed) < cost {
			break
		}
		m.pace.bucket.Take(cost)
		n++
	}
	m.pace.blocked = m.pace.blocked || n < wants
	return n
}

// wakeForAllowance returns when something may leave that may not now. False means that it takes an acknowledgement.
func (m *Machine) wakeForAllowance(t time.Duration) (time.Duration, bool) {
	at, ok := m.pace.model.NextAt(t)
	for _, s := range m.streams {
		if s.arq != nil && s.Lane() == Express && s.wants() > 0 {
			b := m.pace.bucket.NextAt(t, m.rtt.smoothed, segmentCost)
			if !ok || b < at {
				at, ok = b, true
			}
		}
	}
	return at, ok
}

// mayRepair reports whether a repair symbol of n bytes may leave. Redundancy is the first thing to go.
func (m *Machine) mayRepair(n int) bool {
	t := m.elapsed()
	n += wire.PacketHeaderBytes + wire.RepairFrameBytes + wire.SealBytes + headerBytes
	switch {
	case m.pace.silence.Count() >= quietTimeouts:
		return false
	case m.pace.model.Allowance(t) > 0:
		return true
	case !m.pace.bucket.Spare(t, m.rtt.smoothed, n):
		return false
	}
	m.pace.bucket.Take(n)
	return true
}

// mayResend reports whether a symbol may leave that was sent before. The ARQ sends again what it believes lost without
// asking, after a timeout a whole window; what is too much then counts as lost once more.
func (m *Machine) mayResend(s *MachineStream, n int) bool {
	if !m.pace.model.Crowded() {
		return true
	}
	t := m.elapsed()
	if s.Lane() == Bulk || m.pace.bucket.Level(t, m.rtt.smoothed) < n {
		m.stats.ResendsHeld++
		return false
	}
	m.pace.bucket.Take(n)
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
	quiet := m.quiet()
	for _, s := range m.streams {
		switch {
		case s.arq == nil:
			if s.out.len() > 0 {
				sooner(now)
			}
		case quiet:
			if s.needsFlush() || s.out.len() > 0 {
				sooner(later(m.pace.slotAt, now))
			}
		default:
			if d, ok := s.arq.Next(s.out.len() > 0 && (s.arq.Room() == 0 || !m.pace.blocked)); ok {
				sooner(now.Add(d))
			}
		}
	}
	if m.pace.blocked && !quiet {
		sooner(m.start.Add(m.pace.at))
	}
	if at, ok := m.pace.silence.NextAt(); ok {
		sooner(m.start.Add(at))
	}
	for _, r := range m.resets {
		sooner(r.at)
	}
	return next
}
