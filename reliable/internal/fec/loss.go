package fec

import (
	"math"
	"time"
)

const (
	// fastSamples and slowSamples are over about how many packets loss is averaged. The fast average sees a link turn bad
	// within two seconds of chat, the slow one is exact.
	fastSamples = 48
	slowSamples = 400
	// longSamples is the same for what bursts are judged by: few of them make up many losses.
	longSamples = 2000

	// latestSamples is the same for what counts when the link has just changed.
	latestSamples = 16

	// surprise is by how many standard deviations of the fast average the two must differ for the fast one to count: then
	// the link has changed, and the slow one begins anew from the latest packets.
	surprise = 3

	// doubt over the number of packets that have arrived since the last loss is the most that the share can well be.
	doubt = 4
	// prior is the number of losses there might have been by chance when there was none.
	prior = 0.25
	// cleanSamples is after how many packets without any loss a link counts as good.
	cleanSamples = 400

	// samplesMin is how many packets must have been judged before the averages count; until then shareUnknown is assumed.
	samplesMin   = 16
	shareUnknown = 0.05

	// neighbourGap is how close together two packets must leave to share the fate of a burst.
	neighbourGap = 12 * time.Millisecond
	// neighbourSamples is over about how many losses the fate of their neighbours is averaged.
	neighbourSamples = 32
	// Losses come together where the neighbour of a lost packet is lost more often than burstyBase and burstyFactor times
	// the share of all packets. Independent loss stays below.
	burstyBase   = 0.15
	burstyFactor = 1.4

	// burstSamples is over about how many bursts their length is averaged.
	burstSamples = 64
	// burstUnknown is the length assumed before the first, burstMin and burstMax are what an average cannot leave.
	burstUnknown = 30 * time.Millisecond
	burstMin     = time.Millisecond
	burstMax     = time.Second
)

// A LossEstimator learns from the fate of packets how a link loses them. The zero value knows nothing. Not safe for
// concurrent use.
type LossEstimator struct {
	samples    int
	fast, slow float64
	long       float64
	latest     float64
	streak     int           // packets since the last loss
	last       time.Duration // when the previous packet left
	lastLost   bool
	neighbour  float64 // chance that the neighbour of a lost packet is lost
	stranger   float64 // and that any packet is, at the same times
	neighbours int
	burst      runMeter
}

// Judge takes the fate of a packet, in the order in which packets left.
func (e *LossEstimator) Judge(left time.Duration, lost bool) {
	x := 0.0
	if lost {
		x = 1
	}
	e.samples++
	e.streak++
	if lost {
		e.streak = 0
	}
	e.fast += (x - e.fast) / float64(min(e.samples, fastSamples))
	e.slow += (x - e.slow) / float64(min(e.samples, slowSamples))
	e.long += (x - e.long) / float64(min(e.samples, longSamples))
	e.latest += (x - e.latest) / float64(min(e.samples, latestSamples))
	if e.changed() {
		e.slow, e.long, e.samples = e.latest, e.latest, latestSamples
	}
	if e.samples > 1 && e.lastLost && left-e.last <= neighbourGap {
		e.neighbours++
		weight := 1 / float64(min(e.neighbours, neighbourSamples))
		e.neighbour += (x - e.neighbour) * weight
		e.stranger += (e.slow - e.stranger) * weight
	}
	e.burst.judge(left, e.last, lost)
	e.last, e.lastLost = left, lost
}

// changed reports whether the last packets cannot well belong to the share that the many before them had.
func (e *LossEstimator) changed() bool {
	if e.samples <= 2*fastSamples {
		return false
	}
	// One loss among them says nothing, whatever was before. An average over n weighs like 2n samples.
	p := max(e.slow, 0.5/fastSamples)
	sigma := math.Sqrt(p * (1 - p) / (2 * fastSamples) * e.clumps())
	return math.Abs(e.fast-e.slow) > surprise*sigma
}

// clumps is how many packets share their fate: as many times fewer samples are they worth.
func (e *LossEstimator) clumps() float64 {
	if !e.Bursty() {
		return 1
	}
	return max(1, 2*e.burst.packets-1)
}

// Share is the expected share of lost packets, 0…1.
func (e *LossEstimator) Share() float64 {
	if e.samples < samplesMin {
		return max(shareUnknown, e.fast)
	}
	streak := float64(e.streak) / e.clumps()
	if streak >= cleanSamples {
		return 0
	}
	// That nothing was lost yet says little while there were few packets.
	return min(max(e.slow, prior/float64(e.samples)), doubt/max(streak, 1))
}

// Bursty reports whether losses come together.
func (e *LossEstimator) Bursty() bool {
	return e.neighbours >= neighbourSamples/4 && e.neighbour > burstyBase+burstyFactor*e.stranger
}

// Burst is how long the link goes on losing, on average, once it has lost a packet, and how many packets sent without a
// pause that would take along; 0 and 0 before anything was lost.
func (e *LossEstimator) Burst() (mean time.Duration, packets float64) {
	return e.burst.mean(), e.burst.packets
}

// A runMeter measures bursts. A burst is seen only where packets are: it has lasted from the first of a run of lost packets
// at least to the last and at most to the first that arrived again. If its length is exponentially distributed, so is
// what is left of it when it takes its first packet, with the same mean; so the mean is moved towards what it says of a
// length between the two.
type runMeter struct {
	first, last time.Duration // when the first and the last packet of the run left
	lost        int           // packets in the run; 0: there is none
	runs        int
	seconds     float64 // mean length
	packets     float64 // mean number of packets in a run
}

func (r *runMeter) mean() time.Duration { return time.Duration(r.seconds * float64(time.Second)) }

func (r *runMeter) judge(left, before time.Duration, lost bool) {
	switch {
	case lost && r.lost == 0:
		r.first, r.last, r.lost = left, left, 1
	case lost:
		r.last = left
		r.lost++
	case r.lost > 0:
		r.end(left)
	}
}

// end takes note of a run that was over when a packet arrived that left at the time given.
func (r *runMeter) end(left time.Duration) {
	mean := r.seconds
	if r.runs == 0 {
		mean = burstUnknown.Seconds()
		r.seconds = mean
	}
	r.runs++
	low, high := (r.last - r.first).Seconds(), (left - r.first).Seconds()
	weight := 1 / float64(min(r.runs+1, burstSamples))
	r.seconds += (between(mean, low, high) - mean) * weight
	r.seconds = min(max(r.seconds, burstMin.Seconds()), burstMax.Seconds())
	r.packets += (float64(r.lost) - r.packets) / float64(min(r.runs, burstSamples))
	r.lost = 0
}

// between is the mean of what lies between low and high in an exponential distribution of that mean.
func between(mean, low, high float64) float64 {
	width := high - low
	if width <= 0 {
		return low
	}
	x := width / mean
	if x < 1e-3 {
		return low + width/2
	}
	return low + mean - width/math.Expm1(x)
}
