package relay

import "time"

const (
	// idleFlush is the silence after which a message without its end is taken as ended (PROTOCOL.md 2.3): longer than a
	// segment is late, shorter than a person finds slow. idleFlushUDP is the silence that tells what a length counts on
	// reliable streams over UDP: longer than repairing a loss takes (PROTOCOL.md 2.2).
	idleFlush    = 150 * time.Millisecond
	idleFlushUDP = 2 * time.Second

	// writeGap lies between two messages on one connection, because clients take what they read at once for one message
	// (PROTOCOL.md 2.4).
	writeGap = 50 * time.Millisecond

	// receiptTimeout is how long a client has to acknowledge a FORWARD (PROTOCOL.md 3.2).
	receiptTimeout = 5 * time.Second

	// answerTimeout bounds the wait for the answer to a SEND, whose FORWARD may have to wait for others before it. Then
	// the answer is ERROR 102.
	answerTimeout = 30 * time.Second

	// forwardsMax and forwardBytesMax are how many messages, and bytes of texts, may wait for a user. More end its
	// session with session.ErrSlow: it acknowledges too slowly, or not at all.
	forwardsMax     = 256
	forwardBytesMax = 1 << 20

	// strangeMax is of how many broadcasts of other servers it is known what became of them, in case they ask: more than are
	// said before the question comes. To a later question there is no answer, which is ERROR 102 to the sender.
	strangeMax = 512

	// sendsMax is how many SENDs of a user may be under way. One more is ERROR 102 at once.
	sendsMax = 64

	// requestsPerSecond and requestsBurst bound how fast one connection's messages are read. It is far above what people
	// do, and below what would keep a server busy. Beyond it messages wait in the network.
	requestsPerSecond = 100
	requestsBurst     = 200

	// closeTimeout is how long the engine has to tell the room that a user has left.
	closeTimeout = 5 * time.Second

	// referenceMax bounds the numbers by which internal errors are found in the log.
	referenceMax = 1 << 16
)
