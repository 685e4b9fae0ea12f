package simulate

import (
	"fmt"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/internal/wire"
)

// The rules. Each is checked from histories: what the applications wrote, read and were told, and which datagrams left
// and came.
//
//	stream    What one side reads is what the other wrote: every message once, in order, unchanged, nothing else.
//	liveness  Once the network is well and the applications read, all that was written arrives within settleMax, unless
//	          the connection has ended.
//	close     Who closes is told so within Linger and closingMax. If it is not told that time ran out, everything it
//	          wrote has arrived. The peer is told code and text if any close frame came through to it; a close without
//	          a reason is told only to who got everything. A close frame is sent at least closeFramesMin times unless
//	          it is answered.
//	timeout   An end by Timeout happens only after a silence of silenceMax in which at least triesMin datagrams asked
//	          for an answer, or after HandshakeTimeout, or when Linger has passed. A client that may not have got an
//	          accept is sent as many.
//	answer    A packet that asks for an acknowledgement is answered at once, unless it is hopelessly old or a piece of a
//	          packet that was given up. Only what came is acknowledged, and once. So is a hello that is sent again,
//	          by the accept, while the server waits for the end of the handshake.
//	death     When the network is dead for ever, both sides notice within twice IdleTimeout.
//	end       Nothing else ends a connection, and both sides end. An ended side sends nothing but answers to
//	          latecomers, and a few of those.
//	memory    What a machine holds stays within the limits.
//	path      An address of the client that is not proven gets at most three times the bytes that came from there; once
//	          proven, and as long as the newest packet came from there, it gets everything. A challenge is answered.
//	numbers   Packet numbers rise. Datagrams are not too long. The gate sends no more than it got.
//	spin      A machine does not want to be called at the same instant for ever.

// A Violation is a broken rule.
type Violation struct {
	Rule string
	Side Side          // who noticed
	At   time.Duration // when, since the start
	Text string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("%s rule, %v, at %v: %s", v.Rule, v.Side, v.At, v.Text)
}

// A checker keeps the histories and the first violation.
type checker struct {
	sc        *Scenario
	now       func() time.Duration
	lostBytes func(side Side) int // written to further streams, and not read by the side
	streams   [2]stream           // by who writes
	sides     [2]witness
	paths     paths
	facts     [facts]int
	held      reliable.Held // most of each
	violation *Violation
}

// A witness is what is known of one side.
type witness struct {
	open    bool
	number  uint64        // highest packet number sent
	heardAt time.Duration // when a packet from the peer came undamaged for the first time
	tries   int           // datagrams sent since
	highest uint64        // packet number that came
	packets []bool        // which came, by number
	came    int           // how many
	owesAt  time.Duration // when a packet came that has to be answered; 0: nothing to answer
	closed  bool          // Close or Abort was called
	closeAt time.Duration // when
	accepts int           // sent
	known   bool          // server: a packet came, so the client has got an accept
	frames  int           // packets with a close frame sent
	told    bool          // a close frame from the peer came undamaged while the side was open
	ended   bool
	endedAt time.Duration
	err     error
}

func (c *checker) init(sc *Scenario, now func() time.Duration) {
	c.sc, c.now = sc, now
	c.paths.init()
	for side := range c.streams {
		c.streams[side].from = Side(side)
		if sc.Latencies {
			c.streams[side].latencies = []time.Duration{}
		}
	}
}

func (c *checker) fail(rule string, side Side, format string, args ...any) {
	if c.violation == nil {
		c.violation = &Violation{rule, side, c.now(), fmt.Sprintf(format, args...)}
	}
}

// sent takes note of a datagram that leaves.
func (c *checker) sent(side Side, b []byte, s sight) {
	w := &c.sides[side]
	w.tries++
	if len(b) > wire.DatagramBytesMax {
		c.fail("numbers", side, "a datagram of %d bytes", len(b))
	}
	if s.kind == kindAccept {
		w.accepts++
	}
	if w.ended || !s.packet {
		return
	}
	if s.number <= w.number {
		c.fail("numbers", side, "packet number %d after %d", s.number, w.number)
	}
	w.number, w.owesAt = s.number, 0
	if s.kind == kindClose {
		w.frames++
	}
	if s.acks {
		c.acknowledged(side, s.ack)
	}
	if s.closed {
		c.facts[WindowClosed]++
	}
}

// came takes note of a packet that comes for the first time and undamaged.
func (c *checker) came(side Side, s sight) {
	w := &c.sides[side]
	if !s.packet {
		return
	}
	for uint64(len(w.packets)) <= s.number {
		w.packets = append(w.packets, false)
	}
	w.packets[s.number] = true
	w.came++
	w.known = true // Also when it ends the handshake.
	if !w.open || w.ended {
		return
	}
	w.heardAt, w.tries = c.now(), 0
	w.told = w.told || s.kind == kindClose
	w.highest = max(w.highest, s.number)
	if w.owesAt > 0 && c.now() > w.owesAt+answerMax {
		c.fail("answer", side, "nothing was sent since %v, when a packet came that asks for an answer", w.owesAt)
	}
	asks := s.kind == kindData || s.kind == kindPing || s.kind == kindRepair && s.asks
	if asks && !s.piece && w.owesAt == 0 && !w.closed && s.number+replayMax > w.highest {
		w.owesAt = c.now()
	}
	if s.kind == kindPing {
		c.facts[PingArrived]++
	}
}

// acknowledged checks that an acknowledgement names only packets that came.
func (c *checker) acknowledged(side Side, a wire.Ack) {
	w := &c.sides[side]
	if received := int(a.Largest) - int(a.Lost); received > w.came { // Numbers are too small here to be cut.
		c.fail("answer", side, "acknowledged %d packets, %d came", received, w.came)
	}
	for n := a.Largest - min(a.Largest, 64); n <= a.Largest; n++ {
		if a.Has(n) && (n >= uint64(len(w.packets)) || !w.packets[n]) {
			c.fail("answer", side, "acknowledged packet %d, which never came", n)
		}
	}
}

// opened takes note that the handshake is over.
func (c *checker) opened(side Side) {
	w := &c.sides[side]
	w.open, w.heardAt, w.tries = true, c.now(), 0
}

// read takes bytes the side's application read.
func (c *checker) read(side Side, b []byte) {
	if problem := c.streams[side.other()].read(c.now(), b); problem != "" {
		c.fail("stream", side, "%s", problem)
	}
}

// holds compares what a machine holds with the limits.
func (c *checker) holds(side Side, h reliable.Held) {
	if h.OutgoingBytes > outgoingBytesMax || h.Segments > segmentsMax || h.SentPackets > sentPacketsMax ||
		h.RepairGroups > repairGroupsMax || h.RepairBytes > repairBytesMax ||
		h.DecoderBytes > decoderBytesMax || h.StreamBytes > outgoingBytesMax ||
		h.Streams[reliable.Express] > 2*streamsMax[reliable.Express] || h.Streams[reliable.Bulk] > 2*streamsMax[reliable.Bulk] ||
		h.StreamSegments[reliable.Express] > streamSegmentsMax[reliable.Express] ||
		h.StreamSegments[reliable.Bulk] > streamSegmentsMax[reliable.Bulk] || h.Resets > resetsMax {
		c.fail("memory", side, "it holds %+v", h)
	}
	c.held = most(c.held, h)
}
