package netem

import "time"

// bottleneck is a line of limited speed behind a drop-tail queue.
type bottleneck struct {
	rate  lineRate
	queue time.Duration
	mark  time.Duration // From so long a wait on, packets are marked; 0: never.

	freeAt    time.Duration // When the line has sent all that waits.
	waiting   []waiting     // Packets not sent yet, the one being sent among them, in order.
	bytes     int           // Sum of waiting.
	crossFlow crossFlow
}

type waiting struct {
	departs time.Duration
	bytes   int
}

func newBottleneck(p Params, draws *stream) bottleneck {
	b := bottleneck{rate: newLineRate(p, draws), queue: p.Queue, mark: p.Mark, crossFlow: crossFlow{cross: p.Cross}}
	if b.queue == 0 {
		b.queue = 2 * max(p.Delay, p.Redraw.High)
	}
	return b
}

// pass takes an IP packet of size bytes at time t, which must not fall from call to call. It returns
// when the packet has left the line, or false if the queue is full.
func (b *bottleneck) pass(t time.Duration, size int) (departs time.Duration, ok bool) {
	if b.rate.unlimited() {
		return t, true
	}
	if b.crossFlow.cross.On > 0 {
		b.crossFlow.advance(t, b)
	}
	b.rate.forget(t)
	return b.join(t, size)
}

// join puts a packet into the queue.
func (b *bottleneck) join(t time.Duration, size int) (departs time.Duration, ok bool) {
	for len(b.waiting) > 0 && b.waiting[0].departs <= t {
		b.bytes -= b.waiting[0].bytes
		b.waiting = b.waiting[1:]
	}
	if b.bytes > 0 && b.bytes+size > b.limit(t) {
		return 0, false
	}
	b.freeAt = b.rate.sent(max(t, b.freeAt), size)
	b.waiting = append(b.waiting, waiting{b.freeAt, size})
	b.bytes += size
	return b.freeAt, true
}

// marks reports whether a packet that joins at time t and departs later has waited for too long.
func (b *bottleneck) marks(t, departs time.Duration) bool { return b.mark > 0 && departs-t > b.mark }

// limit is how many bytes the queue holds at time t.
func (b *bottleneck) limit(t time.Duration) int {
	return max(queueBytesMin, int(float64(b.rate.at(t))/8*b.queue.Seconds()))
}
