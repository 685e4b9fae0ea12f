package lane

import "time"

const (
	// packetBytes is a full packet with its IP and UDP headers, in which windows are counted.
	packetBytes = 1228

	// windowInitial is what may be in flight before anything is known, and windowMin at any time (RFC 6928; RFC 9002, 7.2).
	windowInitial = 16 * packetBytes
	windowMin     = 4 * packetBytes

	// startupGain doubles the rate every round trip, as 2/ln 2 does (4 ln 2 with the pauses between acknowledgements);
	// startupWindow is how many times what the way holds may be in flight meanwhile.
	startupGain   = 2.77
	startupWindow = 1.75
	drainGain     = 0.36

	// growth is by how much the rate must grow in stillRounds round trips, or startup is over.
	growth      = 1.25
	stillRounds = 3

	// headroom is which part of the shortest round trip may be in flight above what the way holds, at most
	// headroomMax; slack comes on top, for acknowledgements that come in clumps and timers that are late.
	headroom    = 4
	headroomMax = 40 * time.Millisecond
	slack       = 5 * time.Millisecond

	// rateRounds is over how many full round trips the highest rate counts.
	rateRounds = 10

	// rttWindow is how long the shortest round trip counts; then less is sent for a moment to measure it anew.
	rttWindow = 10 * time.Second
	// probeRTTMin is for how long, at least.
	probeRTTMin = 20 * time.Millisecond

	// queueMax is the queueing delay above which the model backs off, and backOff what it then takes of the bandwidth, or of the
	// rate at which bytes arrived if that is lower.
	queueMax = 50 * time.Millisecond
	backOff  = 0.9

	// startupQueue is the queueing delay that ends startup, if it is also more than a quarter of the shortest round trip.
	startupQueue = 10 * time.Millisecond

	// burst is for how long unused allowance is saved: the ARQ may not be able to send for so long.
	burst    = 10 * time.Millisecond
	burstMin = 4 * packetBytes

	// wakeMin is the shortest pause NextAt asks for.
	wakeMin = time.Millisecond
)

const (
	// bucketBytes is how much may leave at once over the model's head, refilled by refillBytes every round trip, and by
	// floorRate bytes a second on the longest.
	bucketBytes = 8 * packetBytes
	refillBytes = 4 * packetBytes
	floorRate   = 2000

	// rttUnknown is assumed before the first measurement.
	rttUnknown = 100 * time.Millisecond
)
