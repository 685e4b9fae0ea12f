package netem

import (
	"math"
	"time"
)

// lossStage loses packets in three ways. A packet lost by two of them counts for the first.
type lossStage struct {
	independent float64
	burst       burstChain
	burstLoss   float64
	chain       packetChain
	chainLoss   float64
}

// lossDraws is what one packet takes from the streams of the loss stage.
type lossDraws struct{ independent, burst, chainMove, chainLoss uint64 }

func newLossStage(p Params, stream func(stage) *stream) lossStage {
	return lossStage{
		independent: p.Loss,
		burst:       newBurstChain(p.Burst, stream(stageBurstTimes)),
		burstLoss:   orAll(p.Burst.Loss),
		chain:       newPacketChain(p.Chain),
		chainLoss:   orAll(p.Chain.Loss),
	}
}

// orAll reads the share lost in a bad state: 0 means all.
func orAll(share float64) float64 {
	if share == 0 {
		return 1
	}
	return share
}

// fate decides about a packet at time t; t must not fall from call to call.
func (s *lossStage) fate(t time.Duration, u lossDraws) Fate {
	switch {
	case chance(u.independent, s.independent):
		return DroppedLoss
	case s.burst.badAt(t) && chance(u.burst, s.burstLoss):
		return DroppedBurst
	case s.chain.bad && chance(u.chainLoss, s.chainLoss):
		return DroppedChain
	default:
		return Kept
	}
}

// A burstChain alternates between good and bad times. Its history is a function of its stream alone.
type burstChain struct {
	bad      bool
	until    time.Duration // The end of the present state.
	meanGood float64       // Nanoseconds.
	meanBad  float64
	heavy    bool
	times    *stream // nil: always good.
}

func newBurstChain(b Burst, times *stream) burstChain {
	if b.Share == 0 {
		return burstChain{}
	}
	c := burstChain{
		meanBad:  float64(b.Mean),
		meanGood: float64(b.Mean) * (1 - b.Share) / b.Share,
		heavy:    b.HeavyTail,
		times:    times,
	}
	c.bad = chance(times.next(), b.Share) // As if it had been running for ever.
	c.until = c.length()
	return c
}

func (c *burstChain) badAt(t time.Duration) bool {
	if c.times == nil {
		return false
	}
	for t >= c.until {
		c.bad = !c.bad
		c.until += c.length()
	}
	return c.bad
}

// length draws how long the present state lasts, at least a nanosecond.
func (c *burstChain) length() time.Duration {
	u := 1 - unit(c.times.next()) // In (0, 1]: logarithm and power are finite.
	var ns float64
	switch {
	case !c.bad:
		ns = -c.meanGood * math.Log(u)
	case c.heavy:
		ns = paretoLength(c.meanBad, u)
	default:
		ns = -c.meanBad * math.Log(u)
	}
	return time.Duration(max(1, min(ns, math.MaxInt64/4)))
}

// The heavy tail: a Pareto distribution of this shape, cut at paretoSpan times its smallest value.
const (
	paretoShape = 1.5
	paretoSpan  = 100
)

// paretoLength maps u in (0, 1] to a length of the given mean, by inverting the distribution function.
func paretoLength(mean, u float64) float64 {
	tail := math.Pow(paretoSpan, -paretoShape)
	// The mean of the cut distribution over its smallest value.
	overSmallest := paretoShape / (paretoShape - 1) * (1 - math.Pow(paretoSpan, 1-paretoShape)) / (1 - tail)
	smallest := mean / overSmallest
	return smallest * math.Pow(1-(1-u)*(1-tail), -1/paretoShape)
}

// A packetChain changes its state from packet to packet (Gilbert-Elliott).
type packetChain struct {
	bad           bool
	toBad, toGood float64
}

func newPacketChain(c Chain) packetChain {
	if c.Share == 0 {
		return packetChain{}
	}
	if c.Share == 1 {
		return packetChain{bad: true}
	}
	toGood := 1 / c.Mean
	return packetChain{toBad: toGood * c.Share / (1 - c.Share), toGood: toGood}
}

// move takes the chain to the state of the next packet.
func (c *packetChain) move(u uint64) {
	if c.bad {
		c.bad = !chance(u, c.toGood)
	} else {
		c.bad = chance(u, c.toBad)
	}
}
