package simulate

import (
	"fmt"
	"strings"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A Fact is something that must happen in some run, or the scenarios are too tame.
type Fact uint8

// The facts.
const (
	HelloLost Fact = iota
	AcceptLost
	HalfOpenForgotten // a server waited for the end of a handshake in vain
	RebuiltByFEC
	RetransmittedByARQ
	RepairCancelled
	WindowClosed  // a reader was so slow that its window was full
	WriterBlocked // a writer was so fast that its buffer was full
	DuplicateDropped
	DamagedDropped
	PingArrived
	CloseLost
	ClosesCrossed
	LatecomerTold // that the connection has ended
	LingerRanOut
	PeerAborted
	DeadNoticed
	HandshakeGivenUp
	SleptAndWoke // a stream gave up its state and made it anew
	StreamOpened
	StreamEnded   // in order
	StreamReset   // broken off by one side
	StreamRefused // because the peer allows no more
	StreamsFull   // could not be opened, because as many are open as can be
	StreamLate    // something came for a stream that was over
	ClientMoved   // and the server went along
	CheckFailed   // nobody answered at an address
	AddressGone   // a datagram went to an address that the client had no more
	PacketCopied  // by somebody in between
	QuietAsked    // a client whether the server is still there
	LargerFound   // datagrams than at first
	BlackHoleLeft // by going back to small datagrams
	PieceSent     // of a packet that had become too large
	CutOneWay     // by the network, while the other direction worked
	LivingGivenUp // after a silence that was the network's fault
	facts
)

var factNames = [facts]string{
	"hello lost", "accept lost", "half-open forgotten", "rebuilt by FEC", "retransmitted by ARQ", "repair cancelled",
	"window closed", "writer blocked", "duplicate dropped", "damaged dropped", "ping arrived", "close lost",
	"closes crossed", "latecomer told", "linger ran out", "peer aborted", "dead peer noticed", "handshake given up",
	"slept and woke", "stream opened", "stream ended", "stream reset", "stream refused", "too many streams",
	"late for a stream",
	"client moved", "path check failed", "address gone", "packet copied", "quiet server asked",
	"larger datagrams found", "black hole left", "piece sent", "cut one way", "living peer given up",
}

// String returns the fact in words.
func (f Fact) String() string { return factNames[f] }

// A Summary adds up runs.
type Summary struct {
	Runs            int
	Messages, Bytes int // read, in order and unchanged
	Virtual         time.Duration
	Links           netem.Counts // of all links
	Facts           [facts]int   // how often
	Held            reliable.Held
	Violations      int
}

// Add adds a result.
func (s *Summary) Add(r *Result) {
	one := Summary{Runs: 1, Virtual: r.Virtual, Links: r.Links, Facts: r.Facts, Held: r.Held}
	for i := range r.streams {
		one.Messages += r.streams[i].arrived
		one.Bytes += r.streams[i].bytes
	}
	if r.Violation != nil {
		one.Violations = 1
	}
	s.AddSummary(&one)
}

// AddSummary adds what another one has added up.
func (s *Summary) AddSummary(o *Summary) {
	s.Runs += o.Runs
	s.Messages += o.Messages
	s.Bytes += o.Bytes
	s.Virtual += o.Virtual
	s.Links.Add(o.Links)
	for i, n := range o.Facts {
		s.Facts[i] += n
	}
	s.Held = most(s.Held, o.Held)
	s.Violations += o.Violations
}

// Missing returns the facts that never happened.
func (s *Summary) Missing() []Fact {
	var missing []Fact
	for f, n := range s.Facts {
		if n == 0 && Fact(f) != LivingGivenUp {
			missing = append(missing, Fact(f))
		}
	}
	return missing
}

// Idle returns the faults of the links that never happened.
func (s *Summary) Idle() []string {
	var idle []string
	seldom := func(name string, n uint64) {
		if n == 0 {
			idle = append(idle, name)
		}
	}
	l := &s.Links
	for _, f := range []netem.Fate{
		netem.DroppedMTU, netem.DroppedPartition, netem.DroppedHandover, netem.DroppedLoss, netem.DroppedBurst,
		netem.DroppedChain, netem.DroppedQueue,
	} {
		seldom("lost by "+f.String(), l.DroppedFor[f])
	}
	seldom("copied", l.Copied)
	seldom("corrupted", l.Corrupted)
	seldom("truncated", l.Truncated)
	seldom("held", l.Held)
	seldom("reordered", l.Reordered)
	return idle
}

// String returns the summary in a few lines.
func (s *Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d seeds, %d messages, %d bytes, %.1f virtual hours, %d violations\n",
		s.Runs, s.Messages, s.Bytes, s.Virtual.Hours(), s.Violations)
	l := &s.Links
	fmt.Fprintf(&b, "datagrams: %d sent, %d delivered", l.Pushed, l.Delivered)
	for _, f := range netem.Fates() {
		if n := l.DroppedFor[f]; n > 0 {
			fmt.Fprintf(&b, ", %d lost (%v)", n, f)
		}
	}
	fmt.Fprintf(&b, ", %d copied, %d corrupted, %d truncated, %d reordered, %d held\n",
		l.Copied, l.Corrupted, l.Truncated, l.Reordered, l.Held)
	b.WriteString("happened:")
	for f, n := range s.Facts {
		if f > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %v %d", Fact(f), n)
	}
	fmt.Fprintf(&b, "\nheld at most: %+v", s.Held)
	return b.String()
}

// most returns the larger of each field.
func most(a, b reliable.Held) reliable.Held {
	return reliable.Held{
		OutgoingBytes: max(a.OutgoingBytes, b.OutgoingBytes),
		Segments:      max(a.Segments, b.Segments),
		SentPackets:   max(a.SentPackets, b.SentPackets),
		RepairGroups:  max(a.RepairGroups, b.RepairGroups),
		RepairBytes:   max(a.RepairBytes, b.RepairBytes),
		DecoderBytes:  max(a.DecoderBytes, b.DecoderBytes),

		Streams:     [2]int{max(a.Streams[0], b.Streams[0]), max(a.Streams[1], b.Streams[1])},
		StreamBytes: max(a.StreamBytes, b.StreamBytes),
		StreamSegments: [2]int{
			max(a.StreamSegments[0], b.StreamSegments[0]), max(a.StreamSegments[1], b.StreamSegments[1]),
		},
		Resets: max(a.Resets, b.Resets),
	}
}
