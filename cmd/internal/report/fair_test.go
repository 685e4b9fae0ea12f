package report

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"udpchat/cmd/internal/compare"
)

// shared makes up files beside CUBIC: one that takes nearly all, one that shares.
func shared(profile string) (runs []compare.Result) {
	for transport, mbit := range map[string]uint64{"kcp": 9, "udpchat": 4} {
		file := func(mbit uint64) compare.Result {
			r := compare.Result{
				Transport: transport, Profile: profile, Workload: "file-beside-tcp", Lane: compare.LaneWire, FileSeconds: 30, FileBytes: mbit * 30e6 / 8,
			}
			for range 30 {
				r.FileByTime = append(r.FileByTime, mbit*1e6/8)
			}
			return r
		}
		r := file(mbit)
		r.Beside = new(file(9 - mbit + 1))
		runs = append(runs, r)
	}
	chat := compare.Result{Transport: "udpchat", Profile: profile, Workload: "chat-beside-tcp", Lane: compare.LaneWire, Beside: runs[0].Beside}
	return append(runs, chat)
}

// What each transport leaves to TCP is on the page: from runs of its own, and where somebody asked for the workload.
func TestPageShowsWhoIsFair(t *testing.T) {
	f := figures(t)
	if strings.Contains(draw(t, f), "Who is fair") {
		t.Error("the page says who is fair without having seen it")
	}
	f.Runs = append(f.Runs, shared(compare.FairName)...)
	f.Summary = compare.Summarise(f.Runs)
	page := draw(t, f)
	for _, want := range []string{
		"Who is fair to TCP", `kcp: 90 %</title>`, `CUBIC beside kcp: 10 %, 1\.00 Mbit/s`, `udpchat: 40 %</title>`, `CUBIC 60 %`, `Beside chat over udpchat CUBIC got \d\.00 Mbit/s`,
	} {
		if !regexp.MustCompile(want).MatchString(page) {
			t.Errorf("the page does not say %q", want)
		}
	}
	f = figures(t)
	f.Header.Workloads = append(f.Header.Workloads, compare.NameText{Name: "file-beside-tcp"})
	f.Runs = append(f.Runs, shared("lossy-10")...)
	f.Summary = compare.Summarise(f.Runs)
	if page := draw(t, f); !strings.Contains(page, "CUBIC 60 %") || strings.Contains(page, "Who is fair") {
		t.Error("the workload that was asked for has no picture, or one of runs that are not there")
	}
}

// A report has runs that show who is fair if there is a wire.
func TestExtrasShareALink(t *testing.T) {
	link, err := compare.LinkNamed("lossy-0")
	if err != nil {
		t.Fatal(err)
	}
	m := compare.Matrix{
		Transports: []string{"tcp-cubic", "plain", "udpchat"}, Workloads: []string{"chat"}, Links: []compare.Link{link}, Runs: 1, Extras: true,
	}
	count := func(lanes map[compare.Lane]compare.Runner) map[string]int {
		specs, _, err := m.Specs(lanes)
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, s := range specs {
			if s.Link.Name == compare.FairName && s.Lane == compare.LaneWire && s.Link.Up.Queue == 100*time.Millisecond {
				n[s.Transport+" "+s.Workload]++
			}
		}
		return n
	}
	recorded, err := compare.NewRecordedRunner()
	if err != nil {
		t.Fatal(err)
	}
	if n := count(map[compare.Lane]compare.Runner{compare.LaneVirtual: recorded}); len(n) != 0 {
		t.Errorf("without a wire: %v", n)
	}
	n := count(map[compare.Lane]compare.Runner{compare.LaneWire: recorded})
	if len(n) != 3 || n["tcp-cubic file-beside-tcp"] == 0 || n["udpchat file-beside-tcp"] == 0 || n["udpchat chat-beside-tcp"] == 0 {
		t.Errorf("with a wire: %v", n)
	}
}
