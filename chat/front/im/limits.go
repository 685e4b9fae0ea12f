package im

import "time"

const (
	// gap is how far apart packets leave: what comes closer together the clients take for one (PROTOCOL.md 2.2).
	gap = 50 * time.Millisecond

	// joinFrom is how many packets have to wait for messages to share them, so that much does not take long.
	joinFrom = 8

	// queueBytesMax is how many bytes may wait for their turn. When there are more the session ends as too slow: so much is
	// only there if people write faster than a packet can be read in a pause. queueLow is when what is read from logs goes on.
	queueBytesMax = 256 << 10
	queueLow      = 16 << 10

	// idleFlush is the silence that ends a packet without an object (PROTOCOL.md 2.1).
	idleFlush = 150 * time.Millisecond

	// timeout is after what time without a command a user is logged out, and blockDuration how long three wrong passwords
	// lock a name, unless configured.
	timeout       = 10 * time.Minute
	blockDuration = time.Minute

	// requestsPerSecond and requestsBurst bound how fast one connection's packets are read. It is far above what people do.
	// Beyond it packets wait in the network.
	requestsPerSecond = 100
	requestsBurst     = 200

	// invitesMax is how many people may ask one user for a private connection at a time, and inviteLife how long that user has
	// to answer. One more, and the oldest is forgotten.
	invitesMax = 16
	inviteLife = 5 * time.Minute

	// letterWait is how long a user waits for what another server of the cluster says about one who is logged in there. Then
	// that user counts as not there: far longer than it takes while the servers live.
	letterWait = 2 * time.Second

	// filesPerUserMax is how many files one user may have registered, which are forgotten at the log-out, and filesMax how many
	// registrations one server keeps, of some 200 bytes and the name each. More are refused.
	filesPerUserMax = 64
	filesMax        = 16_384

	// fileNameBytesMax is the longest name of a file: twice that and twice the name of a user fit into one packet for a client,
	// in which a byte may become three. fileBytesMax is the largest size of a file, the last number that all programs read
	// alike.
	fileNameBytesMax = 100
	fileBytesMax     = 1<<53 - 1

	// holdersShownMax is how many users the answer to a search has, those who were first. It is far more than a download needs,
	// and the answer has less than a second's packets.
	holdersShownMax = 50

	// talksMax is how many direct conversations one session follows. In others the user hears of what was said at the next
	// log-in.
	talksMax = 2_000

	// pageEvents is how much of a log is read at a time.
	pageEvents = 50

	// newsAge is how old a change of somebody's presence may be to be shown: longer than the core ever takes to tell, shorter
	// than people take to block somebody who has just come.
	newsAge = time.Second

	// markPause is how long read markers wait for others to come.
	markPause = 200 * time.Millisecond

	// sinceMax is the longest time that whoelsesince looks back, longer than any server runs.
	sinceMax = 10 * 365 * 24 * time.Hour

	// byeTimeout is how long the last packet waits for those before it, and closeTimeout how long the core has for a user
	// who goes.
	byeTimeout   = 2 * time.Second
	closeTimeout = 5 * time.Second

	// referenceMax bounds the numbers by which internal errors are found in the log.
	referenceMax = 1 << 16
)
