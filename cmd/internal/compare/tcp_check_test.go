package compare

import (
	"strings"
	"testing"

	"udpchat/cmd/internal/compare/wirelane"
)

// latencies makes a run of 1,000 messages with these percentiles.
func latencies(p50, p90, p99 float64) Result {
	var r Result
	for i := range 1000 {
		ms := p50
		if i >= 900 {
			ms = p90
		}
		if i >= 985 {
			ms = p99
		}
		if i >= 550 && i < 900 {
			ms = (p50 + p90) / 2
		}
		if i >= 890 && i < 900 {
			ms = p90
		}
		r.LatencyMs = append(r.LatencyMs, ms)
	}
	r.Timing = &wirelane.Timing{Packets: 1000}
	return r
}

func TestTCPCheckJudges(t *testing.T) {
	good := latencies(51, 250, 700)
	failed, lost, late := good, good, latencies(51, 250, 1700)
	failed.Error = "cut off"
	lost.LatencyMs = append([]float64(nil), good.LatencyMs...)
	for i := range 20 {
		lost.LatencyMs[i] = -1
	}
	late.Timing = &wirelane.Timing{Packets: 1000, Late: 100}
	for name, tt := range map[string]struct {
		r    Result
		want string
	}{
		"good":           {good, "as it should be"},
		"slow median":    {latencies(56, 250, 700), "do not believe"},
		"too good a p90": {latencies(51, 120, 700), "do not believe"},
		"bad tail":       {latencies(51, 250, 1700), "do not believe"},
		"bad and busy":   {late, "too slow to tell"},
		"failed":         {failed, "do not believe"},
		"lost":           {lost, "do not believe"},
		"nothing":        {Result{}, "do not believe"},
	} {
		if got := tcpCheckOf([]Result{tt.r}).String(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %q", name, got, tt.want)
		}
	}
}
