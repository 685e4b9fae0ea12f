package arq

const (
	// headerBytes is the size of a segment's header.
	headerBytes = 24

	// flushInterval is the shortest time in ms between two flushes of our own making; the core allows no less. Only a
	// sender that is already busy ever waits for it.
	flushInterval = 10

	// fastResend is how many later segments must be acknowledged for one to be sent again at once.
	fastResend = 2

	// busySegments is how many segments in flight make a transfer, and busyMargin by how many ms its timeout is longer than the
	// round trip, at least.
	busySegments = 16
	busyMargin   = 80

	// askAfter is how many ms after the last acknowledgement of a single segment a cumulative one is asked for that should have
	// come with it, askGap how long an answer may take.
	askAfter = 20
	askGap   = 100

	// symbolBytesMax bounds Config.SymbolBytes: what the core's buffers hold.
	symbolBytesMax = 1500

	// rttSamples is how often a new core is told the round-trip time. By so many its timeout comes down from three times
	// that to less than two.
	rttSamples = 4
)

// Marks in front of the bytes of a segment, in streams whose directions end by themselves.
const (
	markBytes = 1
	markData  = 0
	markEnd   = 1 // no bytes follow, in this segment or another
)
