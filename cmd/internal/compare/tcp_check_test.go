package compare

import (
	"slices"
	"strings"
	"testing"

	"udpchat/cmd/internal/compare/wirelane"
)

// cubicRun makes a run of 1,000 messages with these percentiles.
func cubicRun(p50, p90, p99 float64) Result {
	r := Result{Transport: "tcp-cubic", Workload: "talk", Profile: tcpCheckName, Lane: LaneWire, Timing: &wirelane.Timing{Packets: 1000}}
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
	all := func(r Result) []Result { return slices.Repeat([]Result{r}, tcpCheckRuns) }
	with := func(odd Result) []Result { return append(slices.Repeat([]Result{good}, tcpCheckRuns-1), odd) }
	for name, tt := range map[string]struct {
		runs []Result
		want string
	}{
		"good":           {all(good), "good"},
		"slow median":    {all(cubicRun(56, 250, 700)), "BROKEN"},
		"too good a p90": {all(cubicRun(51, 120, 700)), "BROKEN"},
		"bad tail":       {all(cubicRun(51, 250, 1700)), "BROKEN"},
		"no tail":        {all(cubicRun(51, 250, 300)), "BROKEN"},
		"one bad tail":   {with(cubicRun(51, 250, 9000)), "good"},
		"bad and busy":   {all(busy), "too slow to tell"},
		"failed":         {with(failed), "BROKEN"},
		"lost":           {all(lost), "BROKEN"},
	} {
		if got := tcpCheckIn(tt.runs); got.Broken() != (tt.want == "BROKEN") || !strings.Contains(got.String(), tt.want) {
			t.Errorf("%s: %v, want %q", name, got, tt.want)
		}
	}
}

func TestTCPCheckWantsAllOfItsOwnRuns(t *testing.T) {
	other := cubicRun(51, 250, 700)
	other.Profile = "lossy-10"
	if got := tcpCheckIn(slices.Repeat([]Result{other}, tcpCheckRuns)); got != nil {
		t.Errorf("checked %v", got)
	}
	if got := tcpCheckIn(slices.Repeat([]Result{cubicRun(51, 250, 700)}, tcpCheckRuns-1)); got != nil {
		t.Errorf("checked %v", got)
	}
}

func TestLongComparisonsInTheWireLaneCheckItsTCP(t *testing.T) {
	link, err := LinkNamed("lossy-5")
	if err != nil {
		t.Fatal(err)
	}
	m := Matrix{Transports: []string{"tcp-cubic", "kcp"}, Workloads: []string{"chat"}, Links: []Link{link}, Seed: 7}
	lanes := map[Lane]Runner{LaneWire: new(WireRunner), LaneVirtual: (*virtualRunner)(nil)}
	for runs, want := range map[int]int{1: 0, tcpCheckRuns - 1: 0, tcpCheckRuns: tcpCheckRuns} {
		m.Runs = runs
		specs, _, err := m.Specs(lanes)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, s := range specs {
			if s.Link.Name == tcpCheckName {
				got++
			}
		}
		if got != want {
			t.Errorf("%d runs have %d of the check, want %d", runs, got, want)
		}
	}
}
