package netem

import (
	"time"
)

// Link is one direction of a bad path. All times are since its start and must not go backwards: an
// earlier time counts as the latest one seen. Not safe for concurrent use.
type Link struct {
	now   time.Duration
	moves schedule // Only the Move events: they choose the lane.
	lanes []*lane  // One per path: the Params themselves, then Params.Then.

	queue       heap[Packet] // On the way, by time of delivery.
	queuedBytes int
	cut         bool

	ordinal uint64
	counts  Counts
	record  func(Verdict)
}

// Packet is a datagram that comes out of a link.
type Packet struct {
	Data    []byte        // The receiver's to keep.
	Ordinal uint64        // How many were pushed before it; a copy has the ordinal of its original.
	SentAt  time.Duration // When it was pushed.
	At      time.Duration // When it came out.
	Address int           // How many moves had begun when it was pushed.
	Tag     uint64        // As given to PushTagged.
	ECN     ECN           // As given to PushMarked, and what the way has made of it.
}

// NewLink returns a link with the random numbers of (seed, dir). It panics if p is not valid.
func NewLink(p Params, seed uint64, dir Direction) *Link {
	if err := p.Validate(); err != nil {
		panic("BUG: netem: NewLink: " + err.Error())
	}
	l := &Link{lanes: []*lane{newLane(p, seed, dir, 0)}}
	for i, then := range p.Then {
		l.lanes = append(l.lanes, newLane(then, seed, dir, i+1))
	}
	for _, e := range p.Events {
		if e.Kind == Move {
			l.moves.events = append(l.moves.events, e)
		}
	}
	return l
}

// Record has f called with every verdict, as it is made, on the goroutine that pushes. nil stops it.
// f must not call the link.
func (l *Link) Record(f func(Verdict)) { l.record = f }

// Cut starts or ends a partition by hand: while it is on, all that is pushed is dropped.
func (l *Link) Cut(on bool) { l.cut = on }

// Counts returns what happened so far.
func (l *Link) Counts() Counts { return l.counts }

// Address returns how many moves have begun by now: whenever it grows, the sender has a new address.
func (l *Link) Address(now time.Duration) int { return l.moves.moves(now) }

// Push gives pkt to the link, which copies it.
func (l *Link) Push(now time.Duration, pkt []byte) { l.PushTagged(now, pkt, 0) }

// PushTagged is Push for callers who need to know something about a packet when it comes out.
func (l *Link) PushTagged(now time.Duration, pkt []byte, tag uint64) {
	l.push(now, pkt, headerBytes, tag, NotECT)
}

// PushMarked is PushTagged for a datagram with a mark.
func (l *Link) PushMarked(now time.Duration, pkt []byte, tag uint64, ecn ECN) {
	l.push(now, pkt, headerBytes, tag, ecn)
}

// PushIP is Push for whole IP packets: their headers are in them and are not counted once more, nor read for marks. All sizes in verdicts
// and counts are then those of IP packets.
func (l *Link) PushIP(now time.Duration, pkt []byte) { l.push(now, pkt, 0, 0, NotECT) }

func (l *Link) push(now time.Duration, pkt []byte, header int, tag uint64, ecn ECN) {
	l.now = max(l.now, now)
	address := l.moves.moves(l.now)
	t := transit{
		lane:    l.lanes[address%len(l.lanes)],
		pkt:     pkt,
		header:  header,
		verdict: Verdict{At: l.now, Ordinal: l.ordinal, Size: len(pkt)},
		packet:  Packet{Ordinal: l.ordinal, SentAt: l.now, Address: address, Tag: tag, ECN: ecn},
	}
	t.draws = t.lane.draw()
	l.ordinal++
	l.counts.Pushed++
	l.counts.PushedBytes += uint64(len(pkt))

	at, extra, fate := l.admit(&t)
	if fate != Kept {
		l.decide(&t, fate)
		return
	}
	data, changes := t.lane.mangle.apply(t.pkt, t.draws.mangle)
	t.packet.Data = data
	passed := t.packet.ECN
	t.verdict.Changes |= changes
	l.carry(&t, at, extra, t.draws.delay[:2])
	if chance(t.draws.duplicate, t.lane.params.Duplicate) {
		t.packet.Data, t.packet.ECN = append([]byte(nil), data...), passed
		t.verdict.Changes = t.verdict.Changes&^(Reordered|Marked) | Copied
		l.carry(&t, at, extra, t.draws.delay[2:])
	}
}

// transit is one datagram during push.
type transit struct {
	lane    *lane
	draws   draws
	pkt     []byte
	header  int // What IP adds to pkt, in bytes.
	verdict Verdict
	packet  Packet
}

// admit runs the stages that may lose a packet: MTU, events and loss. It returns when the packet goes
// on and what an event adds to its delay.
func (l *Link) admit(t *transit) (at, extra time.Duration, fate Fate) {
	ln := t.lane
	if ln.params.MTU > 0 && len(t.pkt)+t.header > ln.params.MTU {
		return 0, 0, DroppedMTU
	}
	if l.cut {
		return 0, 0, DroppedPartition
	}
	if fate, _ := l.moves.drops(l.now, 0, 0); fate != Kept {
		return 0, 0, fate
	}
	p := ln.events.pass(l.now, len(t.pkt)+t.header, t.draws.event)
	if p.fate != Kept {
		return 0, 0, p.fate
	}
	if p.at > l.now {
		t.verdict.Changes |= Held
	}
	if t.packet.ECN, fate = ln.params.Marks.pass(t.packet.ECN); fate != Kept {
		return 0, 0, fate
	}
	m := ln.replay.meet(p.at)
	if m.Lost {
		return 0, 0, DroppedReplay
	}
	return p.at, p.extra + m.Delay, ln.loss.fate(p.at, t.draws.loss)
}

// carry takes one packet through bottleneck and delay into the queue.
func (l *Link) carry(t *transit, at, extra time.Duration, u []uint64) {
	departs, ok := t.lane.bottleneck.pass(at, len(t.packet.Data)+t.header)
	if !ok {
		l.decide(t, DroppedQueue)
		return
	}
	if t.packet.ECN != NotECT && t.lane.bottleneck.marks(at, departs) {
		t.packet.ECN = CE
		t.verdict.Changes |= Marked
	}
	arrives, late := t.lane.delay.arrive(departs, extra, u)
	if late {
		t.verdict.Changes |= Reordered
	}
	if l.moves.breaks(l.now, arrives) || t.lane.events.breaks(l.now, arrives) {
		l.decide(t, DroppedHandover)
		return
	}
	if l.queue.len() >= inFlightPacketsMax || l.queuedBytes+len(t.packet.Data) > inFlightBytesMax {
		l.decide(t, DroppedFull)
		return
	}
	t.packet.At, t.verdict.Deliver = arrives, arrives
	l.decide(t, Kept)
	l.queuedBytes += len(t.packet.Data)
	l.queue.push(arrives, t.packet)
}

// decide counts and records a verdict.
func (l *Link) decide(t *transit, fate Fate) {
	v := t.verdict
	v.Fate = fate
	if fate != Kept {
		v.Deliver = 0
	}
	l.counts.note(v)
	if l.record != nil {
		l.record(v)
	}
}

// NextAt returns when the next packet comes out; ok is false if none is on the way. Only Push and Pop
// change it.
func (l *Link) NextAt() (at time.Duration, ok bool) { return l.queue.nextAt() }

// Pop returns the next packet that is due by now, in order of delivery. pkt is the caller's to keep.
func (l *Link) Pop(now time.Duration) (pkt []byte, ok bool) {
	p, ok := l.PopPacket(now)
	return p.Data, ok
}

// PopPacket is Pop with everything the link knows.
func (l *Link) PopPacket(now time.Duration) (p Packet, ok bool) {
	l.now = max(l.now, now)
	if at, some := l.queue.nextAt(); !some || at > l.now {
		return Packet{}, false
	}
	_, p = l.queue.pop()
	l.queuedBytes -= len(p.Data)
	l.counts.Delivered++
	l.counts.DeliveredBytes += uint64(len(p.Data))
	return p, true
}
