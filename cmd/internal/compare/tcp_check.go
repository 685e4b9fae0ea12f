package compare

import (
	"context"
	"fmt"
	"sync"
	"time"

	"udpchat/cmd/internal/compare/wirelane"
	"udpchat/reliable/netem"
)

// A TCPCheck is what the wire lane makes of something known: the kernel's CUBIC, chatting on a link of 50 ms one way that
// loses 10 % each way. A lane that gets that wrong is broken, whatever else it says.
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
	// Good: every percentile, or a part of its interval, is where it belongs; for p99 also that of half of the runs. Busy: the machine was held up so often that
	// none needs to be.
	Good bool `json:"good"`
	Busy bool `json:"busy"`
}

// Where the percentiles belong, in ms. After a timeout the kernel has one segment in flight and sends nothing new, so that when it is
// lost once more, or its acknowledgement is, the next timeout must pass, twice as long: 0.35, 0.65, 1.3 s. A few of those make a
// run of its own kind, and thirty messages late by seconds. Whether that happens in 30 runs is chance, also with the same seeds,
// since TCP's packets do not meet the same random numbers twice: p99 is known to a factor of two or three only. Linux 6.18 had
// 1.1 to 2.0 s in sets of 32 runs, and 0.6 to 0.8 s in half of the runs; how late the wire was made no difference. So the interval
// of the p99 of all counts, or the p99 that half of the runs have.
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

// tcpCheckLink is where the check happens; LinkNamed knows it by the same name.
func tcpCheckLink() Link {
	p := netem.Params{Delay: 50 * time.Millisecond, Loss: 0.1}
	return Link{Name: "lossy-10", Text: "50 ms, 10 % independent loss", Up: p, Down: p}
}

// CheckTCP runs the check with the seeds from seed on. It takes half a minute.
func CheckTCP(ctx context.Context, r *WireRunner, seed uint64) TCPCheck {
	results := make([]Result, tcpCheckRuns)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			results[i] = r.Run(ctx, Spec{
				Transport: "tcp-cubic", Workload: "chat", Link: tcpCheckLink(), Messages: messagesWire, Seed: seed + uint64(i), Run: i,
			})
		})
	}
	wg.Wait()
	return *tcpCheckIn(results)
}

// tcpCheckIn looks at those of the results that are runs of the check, nil if there are none.
func tcpCheckIn(results []Result) *TCPCheck {
	var c TCPCheck
	var all, p99s []float64
	var byRun [][]float64
	for i := range results {
		r := &results[i]
		if r.Transport != "tcp-cubic" || r.Workload != "chat" || r.Profile != tcpCheckLink().Name || r.Lane != LaneWire {
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
	if c.Runs == 0 {
		return nil
	}
	inOrder := sorted(all)
	c.P50, c.P90, c.P99 = Number(quantile(inOrder, 0.5)), Number(quantile(inOrder, 0.9)), Number(quantile(inOrder, 0.99))
	c.P99OfRun = Number(percentile(p99s, 0.5))
	c.CI90, c.CI99 = rangeOf(byRun, 0.9), rangeOf(byRun, 0.99)
	c.Good = c.Failed == 0 && cubicP50.has(c.P50) && cubicP90.meets(c.P90, c.CI90) && (cubicP99.meets(c.P99, c.CI99) || cubicP99.has(c.P99OfRun))
	c.Busy = float64(c.Timing.Late) > busyShare*float64(c.Timing.Packets)
	return &c
}

func (r Range) has(n Number) bool { return r[0] <= n && n <= r[1] }

// meets reports whether the figure, or some of its interval, is in r.
func (r Range) meets(n Number, ci Range) bool {
	return r.has(n) || ci[0] <= r[1] && r[0] <= ci[1] // False for missing ones.
}

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
	return fmt.Sprintf("wire lane: kernel CUBIC over %s, %d runs: p50 %.0f, p90 %.0f [%.0f–%.0f], p99 %.0f [%.0f–%.0f] ms, of half of the runs up to %.0f (known: %v–%v, %v–%v, %v–%v): %s",
		tcpCheckLink().Name, c.Runs, float64(c.P50), float64(c.P90), float64(c.CI90[0]), float64(c.CI90[1]), float64(c.P99), float64(c.CI99[0]), float64(c.CI99[1]), float64(c.P99OfRun),
		cubicP50[0], cubicP50[1], cubicP90[0], cubicP90[1], cubicP99[0], cubicP99[1], verdict)
}
