package compare

import (
	"fmt"
	"math"
	"time"

	"udpchat/reliable/netem"
)

// Every comparison begins with runs that nothing can go wrong in, to see what the instrument itself adds, and ends with a look
// at whether the links lost what they were told to.

// calibrationName is the profile of those runs: 50 ms, nothing lost, bare datagrams. That of the kernel's TCP in the wire lane
// is tcpCheckName.
const (
	calibrationName = "calibration"
	tcpCheckName    = "calibration-tcp"
)

func isCalibration(profile string) bool { return profile == calibrationName || profile == tcpCheckName }

const calibrationDelay = 50 * time.Millisecond

func calibrationSpec(lane Lane, seed uint64) Spec {
	p := netem.Params{Delay: calibrationDelay}
	return Spec{
		Transport: "plain", Lane: lane, Workload: "chat", Seed: seed, Messages: 100,
		Link: Link{Name: calibrationName, Text: "50 ms, nothing lost", Up: p, Down: p},
	}
}

// A Calibration is what the instrument adds in one lane: latencies of bare datagrams beyond the link's delay, in ms.
type Calibration struct {
	Lane Lane   `json:"lane"`
	P50  Number `json:"harness_p50_ms"`
	P99  Number `json:"harness_p99_ms"`
	Max  Number `json:"harness_max_ms"`
	Lost int    `json:"lost"`
	OK   bool   `json:"ok"`
}

// Harness errors beyond these mean that latencies of this lane cannot be trusted. Virtual time has none at all.
const (
	harnessVirtualMax = 0.0
	harnessRealMax    = 10.0
)

// A LossCheck compares what a link lost with what it was told to. Packets are those of all transports in all lanes.
type LossCheck struct {
	Profile  string `json:"profile"`
	Asked    Number `json:"asked_percent"`
	Measured Number `json:"measured_percent"`
	Packets  uint64 `json:"packets"`
	OK       bool   `json:"ok"`
}

// lossSigmas is how many standard deviations a link may be off: in one of 15,000 comparisons it is without being wrong.
const lossSigmas = 4

// Calibrate looks at the runs of calibration, and at the links whose loss is independent and nothing else.
func Calibrate(results []Result, links []Link) (lanes []Calibration, losses []LossCheck) {
	for i := range results {
		if results[i].Profile == calibrationName {
			lanes = append(lanes, calibrationOf(&results[i]))
		}
	}
	for _, link := range links {
		if asked, ok := link.checked().independentLoss(); ok {
			if c := lossCheckOf(link.Name, asked, results); c.Packets > 0 {
				losses = append(losses, c)
			}
		}
	}
	return lanes, losses
}

func calibrationOf(r *Result) Calibration {
	var extra []float64
	for _, ms := range r.LatencyMs {
		if ms >= 0 {
			extra = append(extra, math.Abs(ms-milliseconds(calibrationDelay)))
		}
	}
	c := Calibration{
		Lane: r.Lane, P50: written(percentile(extra, 0.5)), P99: written(percentile(extra, 0.99)), Max: written(percentile(extra, 1)),
		Lost: r.Sent - r.Delivered,
	}
	limit := Number(harnessRealMax)
	if r.Lane == LaneVirtual {
		limit = harnessVirtualMax
	}
	c.OK = c.Lost == 0 && c.P99 <= limit && r.Error == ""
	return c
}

// independentLoss returns the share the link loses if that is all it does to packets, the same each way.
func (l Link) independentLoss() (share float64, ok bool) {
	for _, p := range []netem.Params{l.Up, l.Down} {
		if p.Rate > 0 || p.Walk != (netem.Walk{}) || p.Burst.Share > 0 || p.Chain.Share > 0 || len(p.Events) > 0 || p.MTU > 0 || p.Duplicate > 0 || len(p.Then) > 0 ||
			len(p.Replay.Moments) > 0 {
			return 0, false
		}
	}
	return l.Up.Loss, l.Up.Loss == l.Down.Loss
}

func lossCheckOf(profile string, asked float64, results []Result) LossCheck {
	var t Traffic
	transports := map[string]bool{}
	for i := range results {
		if r := &results[i]; r.Profile == profile {
			transports[r.Transport] = true
			t.add(r.Wire.Up)
			t.add(r.Wire.Down)
		}
	}
	c := LossCheck{Profile: profile, Asked: written(100 * asked), Packets: t.Packets}
	if t.Packets == 0 {
		return c
	}
	measured := float64(t.Dropped) / float64(t.Packets)
	c.Measured = written(100 * measured)
	// All transports of a run meet the same random numbers, so they are one sample and not several.
	deviation := math.Sqrt(asked * (1 - asked) * float64(len(transports)) / float64(t.Packets))
	c.OK = math.Abs(measured-asked) <= lossSigmas*deviation
	return c
}

// String is the calibration on one line.
func (c Calibration) String() string {
	verdict := "good"
	if !c.OK {
		verdict = "BROKEN: do not trust the latencies of this lane"
	}
	return fmt.Sprintf("%s lane: bare datagrams on a link without loss are off by p50 %.2f, p99 %.2f, max %.2f ms, %d lost: %s",
		c.Lane, float64(c.P50), float64(c.P99), float64(c.Max), c.Lost, verdict)
}
