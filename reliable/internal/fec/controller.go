package fec

import (
	"math"
	"slices"
	"time"
)

// A Mode says what repair symbols are for.
type Mode uint8

const (
	// Latency spends bytes so that hardly any message has to wait for a retransmission.
	Latency Mode = iota
	// Economy spends few, on the losses that hurt most.
	Economy
	// Off sends none.
	Off
)

const (
	// shareMin is the share of lost packets below which no copies are sent ahead: a late probe is enough.
	shareMin = 0.003
	// bulkShareMin is the same for large groups, which retransmissions cost little.
	bulkShareMin = 0.003
	// copiesShareMin is the share from which on the number of copies depends on it.
	copiesShareMin = 0.01
	// missLatency is the share of messages that may miss all their copies and wait for what comes a round trip later.
	missLatency = 0.0005
	// missEconomy is the same for who wants to save. From economyHeavy on it is the share that may miss the probe, too: it
	// is still much sooner than what a sender without copies needs there, two timeouts in a row.
	missEconomy  = 0.008
	economyHeavy = 0.09
	// copiesMax is the most copies of a message that leave ahead, beside those that a burst or a retransmission adds.
	copiesMax = 4

	// smallGroupMax is the largest group that counts as a message rather than as part of a bulk transfer.
	smallGroupMax = 4

	// probeAfter is how long after the round trip in which the acknowledgement should have come one more symbol leaves, at
	// least: well before the ARQ's own timeout, and never if the acknowledgement does come. Where round trips vary it is
	// probeVars times their mean deviation.
	probeAfter = 10 * time.Millisecond
	probeVars  = 4
	// probeMin is the round trip below which probes come no earlier.
	probeMin = 10 * time.Millisecond
	// heavyShare is the share of lost packets from which on there are so many probes, each a probeGap after the one before:
	// "until acknowledged".
	heavyShare = 0.08
	probes     = 3
	probeGap   = 40 * time.Millisecond

	// A round trip that is longer than the shortest by as much again, but at least by congestedMin and no more than by
	// congestedMax, means that a queue is building up, maybe ours. Then a message gets one copy at most; at three times
	// that much none.
	congestedMin    = 50 * time.Millisecond
	congestedMax    = 300 * time.Millisecond
	congestedFactor = 3

	// burstGap is when the first copy leaves on a link that loses in bursts: most of them are longer, but not all losses
	// are bursts.
	burstGap = 10 * time.Millisecond
	// burstApart is how far apart copies are there at least.
	burstApart = 12 * time.Millisecond
	// burstDenseFrom and burstDenseTo are the chances of having missed all copies between which they are dense: around one
	// in a hundred.
	burstDenseFrom = 0.06
	burstDenseTo   = 0.0065
	// burstCopiesMax is the most copies there are then.
	burstCopiesMax = 10
)

// tight are the times after a group's first symbol at which its copies leave if losses are independent of each other.
var tight = [...]time.Duration{5 * time.Millisecond, 15 * time.Millisecond, 35 * time.Millisecond, 70 * time.Millisecond}

// A Plan says how many repair symbols a group gets and when they leave.
type Plan struct {
	R   int
	gap [RepairMax]time.Duration
}

// Gap is how long after the group's first symbol repair symbol i leaves. It never falls with i.
func (p *Plan) Gap(i int) time.Duration { return p.gap[min(i, RepairMax-1)] }

func (p *Plan) add(gap time.Duration) {
	if p.R < RepairMax {
		p.gap[p.R] = gap
		p.R++
	}
}

// A Path is what is known about the way to the peer.
type Path struct {
	Loss        *LossEstimator
	RTT, RTTMin time.Duration // smoothed and shortest; 0: not measured
	RTTVar      time.Duration // its mean deviation
	// Group is the number of the group that is planned. Where the mean number of copies is not whole, it decides which
	// groups get one more.
	Group uint32
	// Pressure is what earlier queues have left; nil: nothing. Now is the time for it.
	Pressure *Pressure
	Now      time.Duration
	// CE says that a router has marked congestion lately. Then nothing leaves that need not.
	CE bool
}

// congestion is 0, 1 (a queue builds up) or 2 (it is long).
func (p Path) congestion() int {
	queue := p.RTT - p.RTTMin
	much := min(max(p.RTTMin, congestedMin), congestedMax)
	switch {
	case queue < much:
		return 0
	case queue < congestedFactor*much:
		return 1
	}
	return 2
}

// turn reports whether a group is among so large a share of all groups, spread evenly.
func (p Path) turn(share float64) bool {
	const golden = 0x9e3779b9 // 2^32 over the golden ratio: its multiples are spread as evenly as can be.
	return float64(p.Group*golden)/(1<<32) < share
}

// ease returns as many of the copies as earlier queues allow.
func (p Path) ease(gaps []time.Duration) []time.Duration {
	if p.Pressure == nil {
		return gaps
	}
	n := p.Pressure.Share(p.Now, p) * float64(len(gaps))
	whole := int(n)
	if p.turn(n - float64(whole)) {
		whole++
	}
	return gaps[:min(whole, len(gaps))]
}

// PlanFor plans the repair symbols of a group of k. Resent says that it carries data that was sent before.
func (m Mode) PlanFor(k int, resent bool, path Path) Plan {
	var p Plan
	if m == Off || k <= 0 || path.CE {
		return p
	}
	share := path.Loss.Share()
	if k > smallGroupMax {
		return bulkPlan(k, share, path)
	}
	gaps, most := m.gaps(share, path), RepairMax
	if resent && m == Latency {
		// Nearly always it was an acknowledgement that was lost, and not the message with all its copies.
		gaps = gaps[:min(len(gaps), 1)]
	}
	if n := len(gaps); n > 0 && k > 1 {
		gaps = append(gaps, gaps[n-1]+tight[0]) // Two of the group may be lost.
	}
	switch path.congestion() {
	case 1:
		most = 1
	case 2:
		most = 0
	}
	gaps = append(gaps[:min(len(gaps), most)], m.probes(share, path)...)
	slices.Sort(gaps)
	gaps = path.ease(gaps)
	for _, gap := range gaps {
		p.add(gap)
	}
	return p
}

// probes returns when something leaves if no acknowledgement has come when it should have.
func (m Mode) probes(share float64, path Path) []time.Duration {
	n := 1
	switch {
	case path.congestion() > 1:
		n = 0
	case share >= heavyShare && m == Latency && path.congestion() == 0:
		n = probes
	}
	var at []time.Duration
	for i := range n {
		at = append(at, max(path.RTT, probeMin)+max(probeVars*path.RTTVar, probeAfter)+time.Duration(i)*probeGap)
	}
	return at
}

// gaps returns when the copies of a message leave.
func (m Mode) gaps(share float64, path Path) []time.Duration {
	switch {
	case share < shareMin:
		return nil
	case path.Loss.Bursty():
		return m.burstGaps(path)
	}
	return slices.Clone(tight[:m.copies(share, path)])
}

// copies is how many copies it takes against independent losses until no more than the share allowed misses all. The
// last is left out as often as can be.
func (m Mode) copies(share float64, path Path) int {
	share = max(share, copiesShareMin) // Little is known of what is rare.
	allowed, most := missLatency, copiesMax
	if m == Economy {
		allowed, most = missEconomy, 1
		if share >= economyHeavy {
			allowed = missEconomy / share
		}
	}
	for n, miss := 0, share; n < most; n, miss = n+1, miss*share {
		if miss <= allowed {
			return n
		}
		if part := (1 - allowed/miss) / (1 - share); part < 1 { // miss × (1 - part + part × share) = allowed
			if m == Latency && n == 0 || path.turn(part) { // One copy costs little where little is lost.
				n++
			}
			return n
		}
	}
	return most
}

// burstGaps returns when copies leave on a link with bursts. A message that met one has missed so far as the burst goes on,
// of which the chance falls exponentially with time. Where it passes the percentile that counts, copies are dense, so
// that one is just behind it although share and length are estimates.
func (m Mode) burstGaps(path Path) []time.Duration {
	mean, _ := path.Loss.Burst()
	after := func(miss float64) time.Duration {
		return time.Duration(float64(mean) * math.Log(max(1, path.Loss.long/miss)))
	}
	if m == Economy {
		return []time.Duration{max(burstGap, after(missEconomy))}
	}
	gaps := []time.Duration{burstGap}
	for t := after(burstDenseFrom); len(gaps) < burstCopiesMax; {
		t = max(t, gaps[len(gaps)-1]+burstApart)
		gaps = append(gaps, t)
		switch miss := path.Loss.long * math.Exp(-float64(t)/float64(mean)); {
		case miss > burstDenseTo:
			t += mean * 9 / 20
		case miss > missLatency:
			t += mean * 4 / 5
		default:
			return gaps
		}
	}
	return gaps
}

// bulkPlan gives a large group as many symbols as it is expected to lose: a retransmission more costs it little.
func bulkPlan(k int, share float64, path Path) Plan {
	var p Plan
	if share < bulkShareMin || path.congestion() > 0 {
		return p
	}
	r := min(int(float64(k)*share)+1, RepairMax)
	for i := range r {
		p.add(tight[min(i*4/r, 1)])
	}
	return p
}
