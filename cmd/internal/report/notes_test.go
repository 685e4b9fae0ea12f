package report

import (
	"strings"
	"testing"
	"time"

	"udpchat/cmd/internal/compare"
)

func TestReadersLearnThatOneSidedChatIsHardOnTCP(t *testing.T) {
	for _, tt := range []struct {
		transport, workload string
		dropped             uint64
		want                bool
	}{
		{"tcp-cubic", "chat", 10, true},
		{"tcp-cubic", "talk", 10, false},
		{"tcp-cubic", "chat", 0, false},
		{"kcp", "chat", 10, false},
	} {
		run := compare.Result{
			Transport: tt.transport, Workload: tt.workload, Profile: "lossy-10", Lane: compare.LaneWire, Sent: 1, Delivered: 1,
			PlannedMs: []float64{0}, LatencyMs: []float64{51},
			Wire: compare.Wire{Up: compare.Traffic{Packets: 100, Bytes: 20_000, Dropped: tt.dropped}},
		}
		f := compare.NewFile(compare.Matrix{Transports: []string{tt.transport}}, nil, []compare.Result{run}, false, time.Unix(0, 0))
		if got := strings.Contains(strings.Join(Notes(f), "\n"), "--workload talk"); got != tt.want {
			t.Errorf("%+v: told %v", tt, got)
		}
	}
}
