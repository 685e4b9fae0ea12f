package simulate

import "time"

// What a connection may hold, as SPEC.md promises: more is a violation.
const (
	outgoingBytesMax = 64 << 10
	segmentsMax      = 256 // the window
	sentPacketsMax   = 2048
	repairGroupsMax  = 256 + 1 // one more is open
	repairBytesMax   = 512 << 10
	decoderBytesMax  = 256 << 10
	resetsMax        = 256
)

// By lane: streams each side has opened, and segments of one that are in flight.
var (
	streamsMax        = [...]int{64, 4}
	streamSegmentsMax = [...]int{64, 1024}
)

// When a connection may give up, and must.
const (
	// silenceMax is how long a peer may say nothing while something waits for its acknowledgement.
	silenceMax = 20 * time.Second

	// triesMin is how many datagrams must have left since the peer was last heard before it may be taken for dead.
	triesMin = 8

	// answerMax is how soon a packet is answered that asks for an acknowledgement; replayMax how many later ones may have
	// come before it.
	answerMax = 100 * time.Millisecond
	replayMax = 2048

	// closeFramesMin is how often a close frame is sent that nobody answers.
	closeFramesMin = 7

	// closingMax is how long that takes.
	closingMax = 2 * time.Second

	// silentAfter is how long after both have ended the last answers to latecomers may leave.
	silentAfter = 10 * time.Second

	// timeWait is how long a host answers latecomers of an ended connection.
	timeWait = 30 * time.Second
)

// Liveness: how long things may take once the network is well and the applications read.
const (
	// settleMax is how long until everything has arrived; retransmission timeouts have grown during an outage.
	settleMax = 60 * time.Second

	// settleBytesPerSecond is what a healed link carries at least; it makes settleMax longer for large streams.
	settleBytesPerSecond = 50_000

	// lingerGraceMax is how long after healing a lingering close may still run out because timeouts have grown.
	lingerGraceMax = 10 * time.Second

	// turnsMax is how often a machine may want to be called at the same instant. More is a busy loop.
	turnsMax = 1000
)
