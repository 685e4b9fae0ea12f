package hashchat

import "time"

const (
	// idleFlush is the silence after which a line without its end is taken as ended (PROTOCOL.md 2.2): longer than a
	// segment is late, shorter than a person finds slow.
	idleFlush = 150 * time.Millisecond

	// requestsPerSecond and requestsBurst bound how fast one connection's lines are read. It is far above what people
	// do, and below what would keep a server busy. Beyond it lines wait in the network: the protocol has no word for
	// "too fast", and throwing them away would lose messages.
	requestsPerSecond = 100
	requestsBurst     = 200

	// crowdMin is from how many people on ONLINE is not sent for every change, and crowdPause how long changes are
	// gathered then (PROTOCOL.md 3.4): with n people each change costs n lines of n names.
	crowdMin   = 200
	crowdPause = time.Second

	// closeTimeout is how long the engine has to tell the room that a client has left.
	closeTimeout = 5 * time.Second

	// referenceMax bounds the numbers by which internal errors are found in the log.
	referenceMax = 1 << 16
)
