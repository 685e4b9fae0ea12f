package reliable

// A Lane says what a stream is for.
type Lane uint8

const (
	// Express is for small, urgent things: messages, requests. A few packets leave at once whatever else is going on, and
	// are protected against loss. The connection itself is an express stream; what it carries beyond a few packets is
	// subject to congestion control, before bulk streams are.
	Express Lane = iota
	// Bulk is for much data: files. Bulk streams share what the way carries and express streams leave.
	Bulk
	lanes
)

// String returns the lane's name.
func (l Lane) String() string {
	switch l {
	case Express:
		return "express"
	case Bulk:
		return "bulk"
	case lanes:
	}
	return "unknown"
}

// Stream IDs (SPEC.md 6.2): stream 0 is the connection itself; others are told apart by who opened them, their lane, and
// a number from 1 upwards.
const (
	streamByServer = 1 << 0
	streamBulk     = 1 << 1
	streamShift    = 2
)

func streamID(byServer bool, lane Lane, number uint32) uint32 {
	id := number << streamShift
	if byServer {
		id |= streamByServer
	}
	if lane == Bulk {
		id |= streamBulk
	}
	return id
}

func laneOf(id uint32) Lane {
	if id&streamBulk != 0 {
		return Bulk
	}
	return Express
}

// window is how many segments of a stream are in flight, and kept for order or the reader, at most.
func window(id uint32) int {
	switch {
	case id == 0:
		return windowSegments
	case laneOf(id) == Bulk:
		return bulkWindowSegments
	}
	return expressWindowSegments
}
