package compare

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"udpchat/cmd/internal/compare/wirelane"
	"udpchat/reliable/netem"
)

// A TCPCheck is what the wire lane makes of something known: the kernel's CUBIC on a link of 50 ms one way that loses
// 10 % each way. A lane that gets that wrong is broken, whatever else it says.
type TCPCheck struct {
	Runs   int             `json:"runs"`
	Sent   int             `json:"sent"`
	P50Ms  float64         `json:"p50_ms"`
	P90Ms  float64         `json:"p90_ms"`
	P99Ms  float64         `json:"p99_ms"`
	Timing wirelane.Timing `json:"wire_timing"`
	Failed int             `json:"failed"` // runs that ended with an error
	// Good: all three percentiles are where they belong. Busy: the machine was held up so often that they need not be.
	Good bool `json:"good"`
	Busy bool `json:"busy"`
}

// Where the percentiles belong, in milliseconds.
const (
	tcpCheckRuns          = 32
	cubicP50Max              = 53
	cubicP90Min, cubicP90Max = 200, 320
	cubicP99Min, cubicP99Max = 450, 950
	busyShare                = 0.002 // of packets that were written late
)

// CheckTCP takes half a minute. Progress, if not nil, hears of each run that is over, one call at a time.
func CheckTCP(ctx context.Context, r *WireRunner, seed uint64, progress func(done, of int)) TCPCheck {
	p := netem.Params{Delay: 50 * time.Millisecond, Loss: 0.1}
	spec := Spec{Transport: "tcp-cubic", Workload: "chat", Link: Link{Name: "lossy-10", Up: p, Down: p}, Messages: messagesWire}
	results := make([]Result, tcpCheckRuns)
	var mu sync.Mutex
	var wg sync.WaitGroup
	done := 0
	for i := range results {
		wg.Go(func() {
			run := spec
			run.Seed, run.Run = seed+uint64(i), i
			results[i] = r.Run(ctx, run)
			mu.Lock()
			defer mu.Unlock()
			if done++; progress != nil {
				progress(done, tcpCheckRuns)
			}
		})
	}
	wg.Wait()
	return tcpCheckOf(results)
}

// tcpCheckOf judges runs. What did not arrive took for ever.
func tcpCheckOf(results []Result) TCPCheck {
	c := TCPCheck{Runs: len(results)}
	var all []float64
	for _, r := range results {
		if r.Error != "" {
			c.Failed++
		}
		for _, ms := range r.LatencyMs {
			if ms < 0 {
				ms = math.MaxFloat64
			}
			all = append(all, ms)
		}
		if r.Timing != nil {
			c.Timing.Add(*r.Timing)
		}
	}
	slices.Sort(all)
	if c.Sent = len(all); c.Sent == 0 {
		return c
	}
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1))] }
	c.P50Ms, c.P90Ms, c.P99Ms = at(0.5), at(0.9), at(0.99)
	c.Good = c.Failed == 0 && c.P50Ms <= cubicP50Max && c.P90Ms >= cubicP90Min && c.P90Ms <= cubicP90Max &&
		c.P99Ms >= cubicP99Min && c.P99Ms <= cubicP99Max
	c.Busy = float64(c.Timing.Late) > busyShare*float64(c.Timing.Packets)
	return c
}

func (c TCPCheck) String() string {
	verdict := "as it should be"
	switch {
	case c.Good:
	case c.Busy:
		verdict = "not where it belongs, but the machine was too slow to tell"
	default:
		verdict = "NOT where it belongs: do not believe this lane"
	}
	return fmt.Sprintf("kernel CUBIC, 50 ms one way, 10 %% loss, %d runs: p50 %.0f (up to %d), p90 %.0f (%d to %d), p99 %.0f ms (%d to %d): %s; %v",
		c.Runs, c.P50Ms, cubicP50Max, c.P90Ms, cubicP90Min, cubicP90Max, c.P99Ms, cubicP99Min, cubicP99Max, verdict, c.Timing)
}
