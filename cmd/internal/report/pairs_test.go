package report

import (
	"strings"
	"testing"

	"udpchat/cmd/internal/compare"
)

// rivals makes up a comparison of chat over lossy-10 in which these transports have these percentiles.
func rivals(t *testing.T, p99 map[string]compare.Range) *compare.File {
	t.Helper()
	f := &compare.File{Header: compare.Header{
		Workloads: []compare.NameText{{Name: "chat"}}, Profiles: []compare.NameText{{Name: "lossy-10"}},
	}}
	for _, tr := range compare.Transports() {
		ci, ok := p99[tr.Info().Name]
		if !ok {
			continue
		}
		f.Header.Transports = append(f.Header.Transports, tr.Info())
		f.Summary = append(f.Summary, compare.Summary{
			Transport: tr.Info().Name, Profile: "lossy-10", Workload: "chat", Sent: 1000, Delivered: 1000, P99: (ci[0] + ci[1]) / 2, CI99: ci,
		})
	}
	return f
}

func TestPairsSayWhereNoDifferenceIsShown(t *testing.T) {
	for want, p99 := range map[string]map[string]compare.Range{
		"":                                       {"kcp": {200, 300}},
		"All differ in p99":                      {"kcp": {200, 300}, "quic": {301, 400}, "udpchat": {60, 70}},
		"No difference shown in p99 between any": {"kcp": {200, 300}, "quic": {250, 400}},
		"between kcp and quic, udpchat. All other pairs differ.": {"kcp": {200, 300}, "quic": {290, 400}, "udpchat": {60, 210}},
		"between tcp-cubic and kcp; quic and udpchat. ": {
			"tcp-cubic": {700, 800}, "kcp": {750, 760}, "quic": {50, 70}, "udpchat": {60, 80},
		},
	} {
		if got := pairs(rivals(t, p99), "chat", "lossy-10"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%v: %q, want %q", p99, got, want)
		}
	}
}

// The first line says where ours loses as plainly as where it wins.
func TestVerdictNamesWhatWasLost(t *testing.T) {
	for want, ours := range map[string]compare.Range{
		"better than the best of the others on 1 of 1 links; most over lossy-10: 65 ms against 250 ms of kcp; no": {60, 70},
		"on 0 of 1 links; no difference is shown on 1; it is worse on 0.":                                         {190, 210},
		"it is worse on 1, most over lossy-10: 350 ms against 250 ms of kcp.":                                     {301, 399},
	} {
		if got := Verdict(rivals(t, map[string]compare.Range{"kcp": {200, 300}, "udpchat": ours})); !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", ours, got, want)
		}
	}
}
