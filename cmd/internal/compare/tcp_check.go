package compare

import (
	"context"
	"fmt"
	"sync"

	"udpchat/cmd/internal/compare/wirelane"
	"udpchat/reliable/netem"
)

// A TCPCheck is what the wire lane makes of something known: a conversation over the kernel's CUBIC, both ends chatting, on a link
// of 50 ms one way that loses 10 % each way. A lane that gets that wrong is broken, whatever else it says.
//
// It is a conversation because only that is known. Where one end only listens, nobody repeats an acknowledgement that was lost.
// After a timeout the kernel has one segment in flight and sends nothing new, so when that is lost, or what acknowledges it, the next timeout must
// pass, twice as long: 0.35, 0.65, 1.3 s. A few of those make a run of its own kind: p99 of 32 runs of "chat" was anything from
// 0.9 to 11 s on the same kernel and wire. With segments coming back every 100 ms that all say what has arrived, seven sets of 32 had 580 to 690 ms.
//
// It is not our wire that does it: another one, of 80 lines of Python with random numbers of its own, had 2.3 and 3.3 s of chat, and 641 and
// 649 ms of talk. Nor is it a setting. Two sets of 32 runs of chat each, p99 in ms: as it is 919 and 1,110; acknowledgements not delayed
// (TCP_QUICKACK) 958 and 1,116; no F-RTO 1,022 and 1,160; no tail loss probes 1,309 and 1,421; timeouts that do not double
// (tcp_thin_linear_timeouts) 753 and 838; no acknowledgements lost 648 and 909.
type TCPCheck struct {
	Runs   int    `json:"runs"`
	Failed int    `json:"failed_runs"` // of Runs: those that ended with an error
	P50    Number `json:"p50_ms"`
	P90    Number `json:"p90_ms"`
	P99    Number `json:"p99_ms"`
	CI90   Range  `json:"ci95_p90_ms"`
	CI99   Range  `json:"ci95_p99_ms"`
	// P99OfRun is the median of the runs' own 99th percentiles.
	P99OfRun Number          `json:"p99_of_run_p50_ms"`
	Timing   wirelane.Timing `json:"wire_timing"`
	// Good: every percentile is where it belongs. Busy: the machine was held up so often that none needs to be.
	Good bool `json:"good"`
	Busy bool `json:"busy"`
}

// Where the percentiles belong, in ms.
var (
	cubicP50 = Range{50, 53}
	cubicP90 = Range{200, 320}
	cubicP99 = Range{450, 950}
)

const (
	tcpCheckRuns = 32

	// busyShare is how many of the packets may be late before the lane's times are not TCP's.
	busyShare = 0.002
)

// tcpCheckSpecs returns the runs of the check.
func tcpCheckSpecs(seed uint64) []Spec {
	p := netem.Params{Delay: calibrationDelay, Loss: 0.1}
	specs := make([]Spec, tcpCheckRuns)
	for i := range specs {
		specs[i] = Spec{
			Transport: "tcp-cubic", Lane: LaneWire, Workload: "talk", Seed: seed + uint64(i), Run: i, Messages: messagesWire,
			Link: Link{Name: tcpCheckName, Text: "50 ms, 10 % independent loss", Up: p, Down: p},
		}
	}
	return specs
}

// wantsTCPCheck reports whether a comparison is to check the wire lane's TCP, which takes half a minute: if it has CUBIC in it, and
// takes longer than that itself.
func wantsTCPCheck(specs []Spec) bool {
	wire, cubic := 0, false
	for _, s := range specs {
		if s.Lane == LaneWire {
			wire++
			cubic = cubic || s.Transport == "tcp-cubic"
		}
	}
	return cubic && wire >= tcpCheckRuns
}

// CheckTCP runs the check with the seeds from seed on. It takes half a minute.
func CheckTCP(ctx context.Context, r *WireRunner, seed uint64) TCPCheck {
	results := make([]Result, tcpCheckRuns)
	var wg sync.WaitGroup
	for i, spec := range tcpCheckSpecs(seed) {
		wg.Go(func() { results[i] = r.Run(ctx, spec) })
	}
	wg.Wait()
	return *tcpCheckIn(results)
}

// tcpCheckIn looks at those of the results that are runs of the check, nil if there are none, or not all of them.
func tcpCheckIn(results []Result) *TCPCheck {
	var c TCPCheck
	var all, p99s []float64
	var byRun [][]float64
	for i := range results {
		r := &results[i]
		if r.Profile != tcpCheckName {
			continue
		}
		c.Runs++
		if r.Error != "" {
			c.Failed++
		}
		p99s = append(p99s, percentile(r.LatencyMs, 0.99))
		all, byRun = append(all, r.LatencyMs...), append(byRun, r.LatencyMs)
		if r.Timing != nil {
			c.Timing.Add(*r.Timing)
		}
	}
	if c.Runs < tcpCheckRuns {
		return nil // None, or somebody interrupted them.
	}
	inOrder := sorted(all)
	c.P50, c.P90, c.P99 = written(quantile(inOrder, 0.5)), written(quantile(inOrder, 0.9)), written(quantile(inOrder, 0.99))
	c.P99OfRun = written(percentile(p99s, 0.5))
	c.CI90, c.CI99 = rangeOf(byRun, 0.9).written(), rangeOf(byRun, 0.99).written()
	c.Good = c.Failed == 0 && cubicP50.has(c.P50) && cubicP90.has(c.P90) && cubicP99.has(c.P99)
	c.Busy = float64(c.Timing.Late) > busyShare*float64(c.Timing.Packets)
	return &c
}

func (r Range) has(n Number) bool { return r[0] <= n && n <= r[1] }

func (r Range) written() Range { return Range{written(float64(r[0])), written(float64(r[1]))} }

// Broken reports whether the lane is not to be believed.
func (c *TCPCheck) Broken() bool { return !c.Good && !c.Busy }

// String is the check on one line.
func (c *TCPCheck) String() string {
	verdict := "good"
	switch {
	case c.Good:
	case c.Busy:
		verdict = "off, but the machine was too slow to tell"
	default:
		verdict = "BROKEN: do not trust this lane"
	}
	return fmt.Sprintf("wire lane: kernel CUBIC, both ends chatting, 50 ms, 10 %% loss, %d runs: p50 %.0f, p90 %.0f [%.0f–%.0f], p99 %.0f [%.0f–%.0f] ms (known: %v–%v, %v–%v, %v–%v): %s",
		c.Runs, float64(c.P50), float64(c.P90), float64(c.CI90[0]), float64(c.CI90[1]), float64(c.P99), float64(c.CI99[0]), float64(c.CI99[1]),
		cubicP50[0], cubicP50[1], cubicP90[0], cubicP90[1], cubicP99[0], cubicP99[1], verdict)
}
