package arq

const (
	// headerBytes is the size of a segment's header.
	headerBytes = 24

	// flushInterval is the shortest time in ms between two flushes of our own making; the core allows no less. Only a
	// sender that is already busy ever waits for it.
	flushInterval = 10

	// queueSegments is how many segments may wait behind the send window. Send takes no more: what waits longer waits
	// in the connection's buffer, where it costs only its bytes.
	queueSegments = 64

	// rttSamples is how often a new core is told the round-trip time. By so many its timeout comes down from three times
	// that to less than two.
	rttSamples = 4
)
