package wirelane

import (
	"fmt"
	"time"
)

// Wire is what happened on the wire during a run.
type Wire struct {
	Up     Side   `json:"up"`
	Down   Side   `json:"down"`
	Timing Timing `json:"timing"`
	Kernel Kernel `json:"kernel"`
}

// Side is one direction. Sizes are those of IP packets with all their headers.
type Side struct {
	Packets        uint64            `json:"packets"` // That the sending end's kernel put on the wire.
	Bytes          uint64            `json:"bytes"`
	PacketsArrived uint64            `json:"packets_arrived"`
	BytesArrived   uint64            `json:"bytes_arrived"`
	Dropped        map[string]uint64 `json:"dropped,omitempty"` // Packets by reason, as netem names it.
	Drops          []Drop            `json:"drops,omitempty"`   // The first of them, a named limit.
	TCP            *Split            `json:"tcp,omitempty"`     // Nil if no TCP passed.
	OtherPackets   uint64            `json:"other_packets"`     // Not IPv4: never put on the wire, counted nowhere else.
	WriteErrors    uint64            `json:"write_errors"`      // Arrived, but the receiving kernel refused them.
	Overflows      uint64            `json:"overflows"`         // Dropped before the wire saw them: it read too slowly. 0 in a good run.
}

// Drop is a packet that did not arrive.
type Drop struct {
	AtMs   float64 `json:"at_ms"` // Since the wire was laid.
	Bytes  int     `json:"bytes"`
	Reason string  `json:"reason"`
}

// Split says what the bytes of TCP segments were for. Its first four add up to all of them.
type Split struct {
	Payload  uint64 `json:"payload_bytes"`  // Sent for the first time.
	Headers  uint64 `json:"header_bytes"`   // Of IP and TCP, around new payload, SYN, FIN and RST.
	Acks     uint64 `json:"ack_bytes"`      // Segments with nothing but an acknowledgement.
	Repeated uint64 `json:"repeated_bytes"` // Payload that was sent before, with its headers.

	Segments         uint64 `json:"segments"`
	RepeatedSegments uint64 `json:"repeated_segments"` // Those that repeat anything.
	PureAcks         uint64 `json:"pure_ack_segments"`
	Handshake        uint64 `json:"handshake_segments"` // Those with SYN.
}

// Timing is how well the wire kept its times: how much later packets were written than they were due. It says whether the
// machine was too slow for the runs it was given.
type Timing struct {
	Packets uint64  `json:"packets"`
	P50Ms   float64 `json:"p50_ms"`
	P99Ms   float64 `json:"p99_ms"`
	MaxMs   float64 `json:"max_ms"`
	Late    uint64  `json:"late"`       // Packets over 2 ms late.
	Stalls  uint64  `json:"stalls"`     // How often the wire itself woke up over 2 ms late, with or without a packet due.
	StallMs float64 `json:"stalled_ms"` // The longest of them.
}

// Add adds another run's: sums of what is counted, the worse of what is not.
func (t *Timing) Add(o Timing) {
	t.Packets += o.Packets
	t.Late += o.Late
	t.Stalls += o.Stalls
	t.P50Ms = max(t.P50Ms, o.P50Ms)
	t.P99Ms = max(t.P99Ms, o.P99Ms)
	t.MaxMs = max(t.MaxMs, o.MaxMs)
	t.StallMs = max(t.StallMs, o.StallMs)
}

func (t Timing) String() string {
	return fmt.Sprintf("%d packets written %.2f ms late at the median, %.2f at p99, %.1f at worst; %d over %v, woken late %d times, by up to %.1f ms",
		t.Packets, t.P50Ms, t.P99Ms, t.MaxMs, t.Late, lateAfter, t.Stalls, t.StallMs)
}

// Kernel is what ran the sockets.
type Kernel struct {
	Release           string   `json:"release"`
	CongestionControl []string `json:"congestion_control"` // Those available.
	Notes             []string `json:"notes,omitempty"`    // Settings that could not be made, and why they may matter.
}

// lateness is a histogram of times by which packets were late.
type lateness struct {
	buckets [512]uint64 // Each of 10 µs; the last one holds all above.
	n, late uint64
	max     time.Duration

	stalls   uint64
	stallMax time.Duration
}

const bucketWidth = 10 * time.Microsecond

func (l *lateness) note(d time.Duration) {
	d = max(d, 0)
	l.buckets[min(int(d/bucketWidth), len(l.buckets)-1)]++
	l.n++
	l.max = max(l.max, d)
	if d > lateAfter {
		l.late++
	}
}

// woke notes that the wire slept for longer than it wanted.
func (l *lateness) woke(late time.Duration) {
	if late > lateAfter {
		l.stalls++
		l.stallMax = max(l.stallMax, late)
	}
}

// quantile returns the upper end of the bucket that q falls into; above all buckets, the maximum.
func (l *lateness) quantile(q float64) time.Duration {
	rank := uint64(q * float64(l.n))
	for i, n := range l.buckets[:len(l.buckets)-1] {
		if rank < n {
			return min(time.Duration(i+1)*bucketWidth, l.max)
		}
		rank -= n
	}
	return l.max
}

func (l *lateness) timing() Timing {
	return Timing{
		Packets: l.n, P50Ms: milliseconds(l.quantile(0.5)), P99Ms: milliseconds(l.quantile(0.99)), MaxMs: milliseconds(l.max),
		Late: l.late, Stalls: l.stalls, StallMs: milliseconds(l.stallMax),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
