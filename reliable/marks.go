package reliable

import (
	"time"

	"udpchat/reliable/internal/wire"
)

// Routers may mark a packet when their queues grow, instead of dropping it later, if its sender says that it will heed that
// (ECN, RFC 3168). Not every way bears marks: some routers clear or change them, or drop what has any. So it is tried with a few
// packets, and what the peer counts is compared with what left for as long as the connection lives (RFC 9000, 13.4.2).

// A marksState is what is known about marks on the way to the peer.
type marksState uint8

const (
	// marksTried: every other packet has a mark, so that a way that drops those loses us no more than half. It ends after
	// marksTries of them (to marksAwaited), or with the peer's first count (to marksGood or marksBad).
	marksTried marksState = iota
	// marksAwaited: none has, until the peer's count shows that those did arrive (to marksGood), which may be never.
	marksAwaited
	// marksGood: all have. It ends when counts are wrong (to marksBad), or all falls silent (to marksTried).
	marksGood
	// marksBad: none has, until the way changes (to marksTried).
	marksBad
)

const (
	// marksTries is how many marked packets leave before the peer has counted any.
	marksTries = 10

	// marksAllCE is how many of the first packets must all be CE for the way to be one that makes them so. Where a connection
	// begins in a long queue, some are.
	marksAllCE = 64

	// congestedMin is how long a mark of congestion counts, at least; otherwise two round trips.
	congestedMin = 100 * time.Millisecond

	// repairShare is the share of what the way is known to carry that the budget for repair symbols is told of: the data
	// needs the rest.
	repairShare = 0.5
)

// marks is what one side knows about the marks on the packets it sends.
type marks struct {
	state     marksState
	tried     uint8      // packets marked in marksTried
	plain     bool       // one has come that was not CE
	congested time.Time  // until when the latest CE counts
	largest   uint64     // packet of the latest count
	count     wire.Marks // it
	sent      uint64     // packets marked since the connection began
	came      uint64     // as the peer has counted them
	ce        uint64     // CE since the way changed
}

// restart tries the way anew: it is another one.
func (k *marks) restart() {
	k.state, k.tried, k.plain, k.ce, k.congested = marksTried, 0, false, 0, time.Time{}
}

// doubt tries the way anew after a silence: maybe it has become one that drops what is marked.
func (k *marks) doubt() {
	if k.state == marksGood {
		k.restart()
	}
}

// left takes note of a marked packet that leaves.
func (k *marks) left() {
	k.sent++
	if k.state == marksTried {
		if k.tried++; k.tried == marksTries {
			k.state = marksAwaited
		}
	}
}

// mayMark reports whether the packet that begins now has a mark. On a way that is not proven none has: it is not the one
// that was tried.
func (m *Machine) mayMark() bool {
	switch {
	case m.cfg.NoECN || m.roam.target != nil || m.roam.via != nil || m.roam.home:
		return false
	case m.marks.state == marksTried:
		return m.number%2 == 1
	}
	return m.marks.state == marksGood
}

// countMark counts what came.
func (m *Machine) countMark(e ECN) {
	switch e {
	case ECT0:
		m.marksIn.ECT0++
	case CE:
		m.marksIn.CE++
	case NotECT, ECT1: // Nobody sends ECT(1): the peer finds its marks missing.
	}
}

// appendAck appends an acknowledgement: with marks if there have been any and beside frames of so many bytes there is room for
// them. The next one tells them otherwise.
func (m *Machine) appendAck(b []byte, room int, a wire.Ack) []byte {
	full := len(b) + wire.AckFrameBytes + wire.AckMarksBytes + room + wire.SealBytes
	if m.marksIn == (wire.Marks{}) || full > m.mtu.size || m.roam.via != nil {
		return wire.AppendAck(b, a)
	}
	return wire.AppendAckMarks(b, a, m.marksIn)
}

// judgeMarks compares what the peer has counted with the marked packets that it acknowledges for the first time together with
// that. An acknowledgement that another has overtaken says nothing (RFC 9000, 13.4.2.1).
func (m *Machine) judgeMarks(largest uint64, marked int, count wire.Marks) {
	k := &m.marks
	if largest <= k.largest {
		return
	}
	plain, ce := count.ECT0-k.count.ECT0, count.CE-k.count.CE
	k.largest, k.count = largest, count
	k.came += uint64(plain) + uint64(ce)
	if k.state == marksBad {
		return
	}
	k.plain = k.plain || plain > 0
	k.ce += uint64(ce)
	missing := int(plain)+int(ce) < marked // Cleared, or made ECT(1).
	switch {
	case missing, k.came > k.sent, !k.plain && k.ce >= marksAllCE:
		k.state = marksBad
		m.stats.MarksFailed++
		return
	case plain > 0 || ce > 0:
		k.state = marksGood
	}
	if ce > 0 {
		m.stats.MarkedCE += uint64(ce)
		m.congestion()
	}
}

// congestion heeds a mark: the rate falls, and for a while nothing leaves that need not.
func (m *Machine) congestion() {
	m.marks.congested = m.now.Add(max(congestedMin, 2*m.rtt.smoothed))
	m.pacing().model.CE(m.elapsed())
}

// congested reports whether a router has marked congestion lately.
func (m *Machine) congested() bool { return m.now.Before(m.marks.congested) }
