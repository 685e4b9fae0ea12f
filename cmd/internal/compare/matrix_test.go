package compare

import (
	"strings"
	"testing"

	"udpchat/cmd/internal/compare/wirelane"
)

// Most kernels come with CUBIC and Reno; BBR is a module that nobody may have loaded.
func TestATransportThatTheKernelLacksIsLeftOut(t *testing.T) {
	kernel := wirelane.Kernel{CongestionControl: []string{"reno", "cubic"}}
	m := Matrix{Transports: []string{"tcp-cubic", "tcp-bbr", "kcp"}, Workloads: []string{"chat", "file-beside-tcp"}, Links: []Link{lossy(0.1)}, Runs: 2}
	for _, lane := range []Lane{"", LaneWire} {
		m.Lane = lane
		specs, skipped, err := m.Specs(map[Lane]Runner{LaneWire: &WireRunner{kernel: kernel}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range specs {
			if s.Transport == "tcp-bbr" {
				t.Errorf("%s would run", s.Transport)
			}
		}
		if len(specs) != 1+2*2*2 || len(skipped) != 2 || !strings.Contains(skipped[0].Why, "no congestion control bbr (as root: modprobe tcp_bbr)") {
			t.Errorf("%d runs, skipped %+v", len(specs), skipped)
		}
	}
}

func TestRecordedFiguresSayHowManyRunsTheyHave(t *testing.T) {
	recorded, err := NewRecordedRunner()
	if err != nil {
		t.Fatal(err)
	}
	link, err := LinkNamed("lossy-10")
	if err != nil {
		t.Fatal(err)
	}
	m := Matrix{Transports: []string{"tcp-cubic"}, Workloads: []string{"chat"}, Links: []Link{link}, Runs: 1000}
	specs, skipped, err := m.Specs(map[Lane]Runner{LaneRecorded: recorded})
	if err != nil {
		t.Fatal(err)
	}
	if len(specs) < 10 || len(skipped) != 1 || !strings.Contains(skipped[0].Why, "over lossy-10 only") {
		t.Errorf("%d runs, skipped %+v", len(specs), skipped)
	}
}
