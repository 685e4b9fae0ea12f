package netem

import "time"

// Params is what one direction does to datagrams, stage by stage. The zero value is a perfect link: all
// datagrams, at once, unchanged. Shares and chances are between 0 and 1. A Link never changes the
// slices in its Params.
type Params struct {
	// MTU is the largest IP packet (payload + 28) in bytes that passes; larger ones vanish. 0: no limit.
	MTU int

	// Events happen by the clock.
	Events []Event

	// Then are the paths after the first, second, … Move event, starting over with this one after the
	// last. Empty: a move changes the address only. They have neither Move events nor a Then.
	Then []Params

	// Replay is what was recorded of another network. The stages after it do what they do on top.
	Replay Replay

	// Loss is the share of datagrams lost independently of each other.
	Loss float64
	// Burst loses what is sent during bad times.
	Burst Burst
	// Chain loses runs of datagrams, whenever they are sent. For bulk traffic only.
	Chain Chain

	// Corrupt is the share of datagrams of which one byte is changed.
	Corrupt float64
	// Truncate is the share of datagrams of which an end is cut off (perhaps all of it).
	Truncate float64
	// Duplicate is the share of datagrams that leave the link twice; the copy passes the bottleneck too.
	Duplicate float64

	// Rate is the speed of the bottleneck in bits of IP packets per second. 0: no bottleneck.
	Rate int64
	// Walk lets the rate wander; then Rate must be 0.
	Walk Walk
	// Queue is how long a full drop-tail queue takes to drain at the rate of the moment: a packet is
	// dropped when the bytes before it, and its own, are more than the line sends in that time. 0: one
	// bandwidth-delay product, for a round trip of twice the delay; never under two full packets.
	Queue time.Duration
	// Mark makes the queue mark congestion (CE) on datagrams that may be marked and leave the line later than so long after
	// they came, instead of filling up until it drops. 0: it marks nothing.
	Mark time.Duration
	// Marks is what the way does to marks before they come to the queue.
	Marks Marks
	// Cross is somebody else's traffic in the same queue.
	Cross Cross

	// Delay is the propagation time.
	Delay time.Duration
	// Redraw changes Delay from time to time; then Delay must be 0.
	Redraw Redraw
	// Jitter spreads the delay evenly over ±Jitter, but not below half of it: no packet outruns the
	// wire. Packets keep their order: one that would overtake waits for the one before it, so that dense
	// traffic comes in clumps and meets the upper part of the spread.
	Jitter time.Duration
	// Reorder is the share of datagrams that are late by ReorderBy, without holding up those behind.
	Reorder   float64
	ReorderBy time.Duration

	// Grain rounds times of delivery up to its multiples, for simulations whose machines count whole
	// milliseconds. 0: exact.
	Grain time.Duration
}

// Marks is what a way does to datagrams with a mark (ECN) in their IP header: anything but not-ECT.
type Marks uint8

const (
	// MarksPass leaves them alone.
	MarksPass Marks = iota
	// MarksCleared takes their marks away.
	MarksCleared
	// MarksCongested makes all of them CE.
	MarksCongested
	// MarksTurned makes ECT(0) of ECT(1) and the reverse.
	MarksTurned
	// MarksDropped drops them.
	MarksDropped
)

// Burst is a chain of good and bad times in continuous time. It moves with the clock, not with packets.
// The zero value has no bad times.
type Burst struct {
	// Share is the share of time that is bad.
	Share float64
	// Mean is how long a bad time lasts on average; lengths are distributed exponentially.
	Mean time.Duration
	// HeavyTail takes the lengths from a Pareto distribution (shape 1.5, cut at 100 times its smallest)
	// with the same mean: most are short, a few very long, as people walking between the antennas are.
	HeavyTail bool
	// Loss is the share of packets lost in bad times. 0 means all of them.
	Loss float64
}

// Chain is a Gilbert-Elliott chain per datagram. The zero value loses nothing.
type Chain struct {
	// Share is the share of datagrams that meet the bad state.
	Share float64
	// Mean is how many datagrams in a row meet it on average, at least 1.
	Mean float64
	// Loss is the share of datagrams lost in the bad state. 0 means all of them.
	Loss float64
}

// Walk is a random walk of the rate on a logarithmic scale, between two walls.
type Walk struct {
	Low, High int64         // Bits per second. It starts in the middle (the geometric mean).
	Every     time.Duration // Time between steps.
	Step      float64       // Largest step: the rate changes by a factor between 1/(1+Step) and 1+Step.
}

// Redraw picks a new delay, evenly between Low and High, whenever another Every has passed.
type Redraw struct {
	Every     time.Duration
	Low, High time.Duration
}

// Cross is one greedy upload that shares the bottleneck, on and off, starting with on. It behaves like
// a TCP: it doubles what it keeps in the queue until a packet of its own is dropped, then gives back
// 30 % and creeps up again.
type Cross struct {
	On, Off time.Duration
}

// EventKind is what an event does while it lasts.
type EventKind uint8

const (
	// Nothing does nothing; as Event.Else, an occurrence that falls away.
	Nothing EventKind = iota
	// Partition drops all that is pushed. What is on the way arrives. In the Params of one direction
	// only, it is a one-way partition.
	Partition
	// Hold keeps all that is pushed and releases it, in order, when it ends: a radio that stalls.
	Hold
	// Handover drops what is pushed and what is on the way when it begins: the old path is dead.
	Handover
	// Move is a Handover after which packets come from a new source address and go over the next path
	// of Params.Then. Who owns the sockets asks Link.Address. It always happens (Chance is not used).
	Move
	// Slow adds Event.Extra to the delay.
	Slow
	// Lossy loses Event.Loss of the datagrams, on top of other losses.
	Lossy
	// BlackHole drops what is larger than Event.MTU, silently.
	BlackHole
)

// Event happens once, or again and again.
type Event struct {
	Kind EventKind
	// First is when it begins for the first time, since the start of the link.
	First time.Duration
	// Every is the time from one beginning to the next. 0: it happens once.
	Every time.Duration
	// For is how long it lasts; not longer than Every, unless that is 0.
	For time.Duration
	// Chance is the probability that an occurrence is of this Kind. 0 means always.
	Chance float64
	// Else is what the other occurrences are.
	Else EventKind
	// Loss is for Lossy, Extra for Slow, MTU for BlackHole: the largest IP packet in bytes that passes.
	Loss  float64
	Extra time.Duration
	MTU   int
}
