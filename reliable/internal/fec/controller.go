package fec

import "time"

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

// Thresholds of the share of lost packets, and the copies a small group gets at or above them.
var levels = [...]struct {
	share            float64
	latency, economy int
}{
	{0.15, 4, 1},
	{0.08, 3, 1},
	{0.02, 2, 1},
	{0.003, 1, 0},
	{0, 0, 0},
}

const (
	// smallGroupMax is the largest group that counts as a message rather than as part of a bulk transfer.
	smallGroupMax = 4

	// probeAfter is how long after the round trip in which the acknowledgement should have come one more symbol leaves:
	// well before the ARQ's own timeout, and never if the acknowledgement does come.
	probeAfter = 10 * time.Millisecond
	// probes is how many such symbols there are when loss is heavy, each a probeGap after the one before: "until
	// acknowledged".
	probes   = 3
	probeGap = 40 * time.Millisecond

	// congestedFactor and congestedExtra: a round trip that is this many times the shortest, and longer by so much, means
	// that a queue is building up, maybe ours. Then a message gets one copy at most; at twice the factor none.
	congestedFactor = 2
	congestedExtra  = 50 * time.Millisecond
)

// tight and wide are the times after a group's first symbol at which its copies leave. Against independent loss they
// follow soon. Bursts take neighbours together: the second of two packets back to back is lost in 70 % of the cases
// in which the first is, so the copies spread out.
var (
	tight = [...]time.Duration{5 * time.Millisecond, 15 * time.Millisecond, 35 * time.Millisecond, 70 * time.Millisecond}
	wide  = [...]time.Duration{10 * time.Millisecond, 30 * time.Millisecond, 60 * time.Millisecond, 100 * time.Millisecond}
)

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
}

// congestion is 0, 1 (a queue builds up) or 2 (it is long).
func (p Path) congestion() int {
	switch {
	case p.RTT-p.RTTMin < congestedExtra || p.RTT < congestedFactor*p.RTTMin:
		return 0
	case p.RTT < 2*congestedFactor*p.RTTMin:
		return 1
	}
	return 2
}

// PlanFor plans the repair symbols of a group of k. Resent says that it carries data that was sent before and lost, which
// somebody has waited for long enough.
func (m Mode) PlanFor(k int, resent bool, path Path) Plan {
	var p Plan
	if m == Off || k <= 0 {
		return p
	}
	share := path.Loss.Share()
	if k > smallGroupMax {
		return bulkPlan(k, share, path)
	}
	copies := m.copies(share)
	if resent {
		copies++
	}
	if k > 1 && copies > 0 {
		copies++ // Two of the group may be lost.
	}
	gaps := &tight
	if path.Loss.Bursty() {
		gaps = &wide
		if m == Latency && copies > 0 {
			copies++ // The first of them is likely to meet the same burst.
		}
	}
	switch path.congestion() {
	case 1:
		copies = min(copies, 1)
	case 2:
		copies = 0
	}
	for i := range copies {
		p.add(gaps[min(i, len(gaps)-1)])
	}
	n := 1
	if share >= levels[1].share && m == Latency {
		n = probes
	}
	probe := max(path.RTT+probeAfter, p.lastGap()+gaps[0])
	for range n {
		p.add(probe)
		probe += probeGap
	}
	return p
}

func (p *Plan) lastGap() time.Duration {
	if p.R == 0 {
		return 0
	}
	return p.gap[p.R-1]
}

func (m Mode) copies(share float64) int {
	for _, l := range levels {
		if share >= l.share {
			if m == Economy {
				return l.economy
			}
			return l.latency
		}
	}
	return 0
}

// bulkPlan gives a large group as many symbols as it is expected to lose: a retransmission more costs it little.
func bulkPlan(k int, share float64, path Path) Plan {
	var p Plan
	if share < levels[len(levels)-2].share || path.congestion() > 0 {
		return p
	}
	r := min(int(float64(k)*share)+1, RepairMax)
	for i := range r {
		p.add(tight[min(i*len(tight)/r, 1)])
	}
	return p
}
