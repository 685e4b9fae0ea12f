package fec

import "time"

const (
	// fastSamples and slowSamples are over about how many packets loss is averaged. The fast average sees a link turn bad
	// within a second of chat, the slow one keeps a rare loss from being forgotten; the larger counts.
	fastSamples = 48
	slowSamples = 400

	// samplesMin is how many packets must have been judged before the averages count; until then shareUnknown is assumed.
	samplesMin   = 16
	shareUnknown = 0.05

	// neighbourGap is how close together two packets must leave to share the fate of a burst.
	neighbourGap = 12 * time.Millisecond
	// neighbourSamples is over about how many losses the fate of their neighbours is averaged.
	neighbourSamples = 16
	// burstyAbove is from which chance on, given that a packet was lost, that its neighbour is lost too, a link counts as
	// bursty; independent loss stays below it up to a third.
	burstyAbove = 0.45
)

// A LossEstimator learns from the fate of packets how a link loses them. The zero value knows nothing. Not safe for
// concurrent use.
type LossEstimator struct {
	samples    int
	fast, slow float64
	last       time.Duration // when the previous packet left
	lastLost   bool
	neighbour  float64 // chance that the neighbour of a lost packet is lost
	neighbours int
}

// Judge takes the fate of a packet, in the order in which packets left.
func (e *LossEstimator) Judge(left time.Duration, lost bool) {
	x := 0.0
	if lost {
		x = 1
	}
	e.samples++
	e.fast += (x - e.fast) / float64(min(e.samples, fastSamples))
	e.slow += (x - e.slow) / float64(min(e.samples, slowSamples))
	if e.samples > 1 && e.lastLost && left-e.last <= neighbourGap {
		e.neighbours++
		e.neighbour += (x - e.neighbour) / float64(min(e.neighbours, neighbourSamples))
	}
	e.last, e.lastLost = left, lost
}

// Share is the expected share of lost packets, 0…1.
func (e *LossEstimator) Share() float64 {
	if e.samples < samplesMin {
		return max(shareUnknown, e.fast)
	}
	return max(e.fast, e.slow)
}

// Bursty reports whether losses come together.
func (e *LossEstimator) Bursty() bool {
	return e.neighbours >= neighbourSamples/2 && e.neighbour > burstyAbove
}
