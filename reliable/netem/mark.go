package netem

// ECN is the mark in a datagram's IP header (RFC 3168, 5).
type ECN = uint8

// The marks.
const (
	NotECT ECN = iota // It must not be marked.
	ECT1
	ECT0
	CE // A queue on the way was too long.
)

// pass returns what the way makes of a mark.
func (m Marks) pass(ecn ECN) (ECN, Fate) {
	if ecn == NotECT {
		return ecn, Kept
	}
	switch m {
	case MarksCleared:
		return NotECT, Kept
	case MarksCongested:
		return CE, Kept
	case MarksTurned:
		if ecn != CE {
			return ECT0 + ECT1 - ecn, Kept
		}
	case MarksDropped:
		return ecn, DroppedMarked
	case MarksPass:
	}
	return ecn, Kept
}
