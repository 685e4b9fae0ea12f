package compare

import (
	"slices"
	"strings"
	"testing"

	"udpchat/cmd/internal/compare/wirelane"
)

// cubicRun makes a run of 1,000 messages with these percentiles.
func cubicRun(p50, p90, p99 float64) Result {
	r := Result{Transport: "tcp-cubic", Workload: "chat", Profile: "lossy-10", Lane: LaneWire, Timing: &wirelane.Timing{Packets: 1000}}
	for i := range 1000 {
		switch {
		case i < 800:
			r.LatencyMs = append(r.LatencyMs, p50)
		case i < 980:
			r.LatencyMs = append(r.LatencyMs, p90)
		default:
			r.LatencyMs = append(r.LatencyMs, p99)
		}
	}
	return r
}

func TestTCPCheckJudges(t *testing.T) {
	good := cubicRun(51, 250, 700)
	failed, lost, busy := good, good, cubicRun(51, 250, 1700)
	failed.Error = "cut off"
	lost.LatencyMs = slices.Clone(good.LatencyMs)
	for i := range 20 {
		lost.LatencyMs[i] = -1
	}
	busy.Timing = &wirelane.Timing{Packets: 1000, Late: 100}
	for name, tt := range map[string]struct {
		runs []Result
		want string
	}{
		"good":            {[]Result{good, good}, "good"},
		"slow median":     {[]Result{cubicRun(56, 250, 700), cubicRun(56, 250, 700)}, "BROKEN"},
		"too good a p90":  {[]Result{cubicRun(51, 120, 700), cubicRun(51, 120, 700)}, "BROKEN"},
		"bad tail":        {[]Result{cubicRun(51, 250, 1700), cubicRun(51, 250, 1800)}, "BROKEN"},
		"one bad tail":    {[]Result{good, good, cubicRun(51, 250, 9000)}, "good"},                                                          // It may be chance.
		"bad tails":       {slices.Concat(slices.Repeat([]Result{good}, 15), slices.Repeat([]Result{cubicRun(51, 250, 5000)}, 14)), "good"}, // Half have none.
		"bad and busy":    {[]Result{busy, busy}, "too slow to tell"},
		"failed":          {[]Result{good, failed}, "BROKEN"},
		"lost":            {[]Result{lost, lost}, "BROKEN"},
		"one run, a good": {[]Result{good}, "good"},
	} {
		if got := tcpCheckIn(tt.runs); got.Broken() != (tt.want == "BROKEN") || !strings.Contains(got.String(), tt.want) {
			t.Errorf("%s: %v, want %q", name, got, tt.want)
		}
	}
}

func TestTCPCheckWantsItsOwnRuns(t *testing.T) {
	other := cubicRun(51, 250, 700)
	other.Profile = "lossy-5"
	recorded := cubicRun(51, 250, 700)
	recorded.Lane = LaneRecorded
	if got := tcpCheckIn([]Result{other, recorded}); got != nil {
		t.Errorf("checked %v", got)
	}
}
