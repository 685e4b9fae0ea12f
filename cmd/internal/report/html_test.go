package report

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"udpchat/cmd/internal/compare"
)

// figures makes up a comparison: two transports, two links, two workloads.
func figures(t *testing.T) *compare.File {
	t.Helper()
	m := compare.Matrix{
		Transports: []string{"kcp", "udpchat"}, Workloads: []string{"chat", "file"}, Runs: 2, Seed: 1, Repeat: "udpchat compare <&>",
	}
	for _, name := range []string{"lossy-0", "lossy-10"} {
		link, err := compare.LinkNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		m.Links = append(m.Links, link)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var runs []compare.Result
	for _, link := range m.Links {
		for i, transport := range m.Transports {
			for run := range m.Runs {
				r := compare.Result{
					Transport: transport, Profile: link.Name, Workload: "chat", Lane: compare.LaneVirtual, Run: run, Seed: uint64(1 + run),
					Sent: 600, Split: &compare.Split{Payload: 120_000, Headers: 9000, Acks: 5000},
					Wire: compare.Wire{Up: compare.Traffic{Packets: 700, Bytes: 134_000, Dropped: 60}, UpDropsMs: []float64{1200, 3400}},
				}
				for n := range r.Sent {
					ms := 50 + math.Round(random.ExpFloat64()*float64(100-90*i))
					if n == 17 && transport == "kcp" {
						ms = -1
					} else {
						r.Delivered++
					}
					r.PlannedMs, r.LatencyMs = append(r.PlannedMs, float64(1000+100*n)), append(r.LatencyMs, ms)
				}
				runs = append(runs, r, compare.Result{
					Transport: transport, Profile: link.Name, Workload: "file", Lane: compare.LaneVirtual, Run: run,
					FileBytes: uint64(1e6 * (1 + i)), FileSeconds: 10, Wire: r.Wire,
				})
			}
		}
	}
	return compare.NewFile(m, nil, runs, false, time.Unix(0, 0))
}

func draw(t *testing.T, f *compare.File) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page must not ask anybody for anything: it is read on trains.
func TestPageNeedsNothingElse(t *testing.T) {
	page := draw(t, figures(t))
	for _, bad := range []string{"http:", "https:", "<script", "src=", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
		t.Error("the page contains what is not a number")
	}
	if n := strings.Count(page, "<svg"); n != strings.Count(page, "</svg>") || n < 8 {
		t.Errorf("%d pictures", n)
	}
	if !strings.Contains(page, "udpchat compare &lt;&amp;&gt;") {
		t.Error("the command is not there, or not escaped")
	}
}

// Figures written to a file and read again give the same page.
func TestPageIsTheSameFromAFile(t *testing.T) {
	f := figures(t)
	if draw(t, f) != draw(t, reread(t, f)) {
		t.Error("the pages differ")
	}
}

func reread(t *testing.T, f *compare.File) *compare.File {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := compare.ReadFile(&b)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// What the calibration says has fewer digits in a file than in memory: it must not be rounded in two ways.
func TestCalibrationIsTheSameFromAFile(t *testing.T) {
	link, err := compare.LinkNamed("lossy-10")
	if err != nil {
		t.Fatal(err)
	}
	for thousandths := range 100 {
		late := 50 + float64(thousandths)/1000
		runs := []compare.Result{
			{Transport: "plain", Workload: "chat", Profile: "calibration", Lane: compare.LaneWire, Sent: 1, Delivered: 1, PlannedMs: []float64{0}, LatencyMs: []float64{late}},
			{Transport: "plain", Workload: "chat", Profile: "lossy-10", Wire: compare.Wire{Up: compare.Traffic{Packets: 1_000_000, Dropped: 100_000 + 3*uint64(thousandths)}}},
		}
		f := compare.NewFile(compare.Matrix{Transports: []string{"plain"}, Links: []compare.Link{link}}, nil, runs, false, time.Unix(0, 0))
		if got, want := strings.Join(Notes(reread(t, f)), "\n"), strings.Join(Notes(f), "\n"); got != want {
			t.Fatalf("from the file\n%s\nat once\n%s", got, want)
		}
	}
}

// Names come from a file that somebody may have made: they must not become markup.
func TestPageEscapesNames(t *testing.T) {
	f := figures(t)
	const evil = `<img onerror=x>`
	f.Header.Transports[0].Name = evil
	for i := range f.Runs {
		if f.Runs[i].Transport == "kcp" {
			f.Runs[i].Transport = evil
		}
	}
	f.Summary = compare.Summarise(f.Runs)
	if page := draw(t, f); strings.Contains(page, "<img") {
		t.Error("a name became markup")
	}
}

func TestTableMarksTheBestAndSaysWhatIsMissing(t *testing.T) {
	var b bytes.Buffer
	Table(&b, figures(t))
	for _, want := range []string{
		`(?m)^  kcp +\d+ \[\d+–\d+\] +\d+ \[`, `(?m)^  udpchat +\*\d+ \[`, // Kcp lost a message: it is not the best.
		`(?m)^  kcp .* –  never +2/1200 `, // 1,200 messages are too few for p99.9, one never came.
		`(?m)^  kcp +virtual +\d\.\d\d +0\.80 `, `(?m)^  udpchat +\*1\.60`,
		`repeat: udpchat compare <&>`,
	} {
		if !regexp.MustCompile(want).MatchString(b.String()) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}

func TestLogScaleRoundsOutwards(t *testing.T) {
	s := around(45, 830, 0, 100)
	if s.low != 20 || s.high != 1000 || s.at(s.low) != 0 || math.Abs(s.at(s.high)-100) > 1e-9 || s.at(5) != 0 || s.at(1e6) != s.at(s.high) {
		t.Errorf("got %+v", s)
	}
}

// A link may drop thousands of packets in a run: the page shows where, and does not grow with them.
func TestPageDoesNotGrowWithLosses(t *testing.T) {
	f := figures(t)
	small := len(draw(t, f))
	for i := range f.Runs {
		for ms := range 20_000 {
			f.Runs[i].Wire.UpDropsMs = append(f.Runs[i].Wire.UpDropsMs, 1000+float64(ms))
			f.Runs[i].Wire.DownDropsMs = append(f.Runs[i].Wire.DownDropsMs, 1000.5+float64(ms))
		}
	}
	if grown := len(draw(t, f)) - small; grown > 100_000 {
		t.Errorf("%d bytes more", grown)
	}
}

// However much was compared, the page stays one that can be sent and opened; the tables are all there.
func TestPageOfManyLinksHasFewerPictures(t *testing.T) {
	f := figures(t)
	profiles, runs, sums := f.Header.Profiles, f.Runs, f.Summary
	for i := range 40 {
		for _, p := range profiles {
			f.Header.Profiles = append(f.Header.Profiles, compare.NameText{Name: fmt.Sprint(p.Name, "-", i), Text: p.Text})
		}
		for _, r := range runs {
			r.Profile = fmt.Sprint(r.Profile, "-", i)
			f.Runs = append(f.Runs, r)
		}
		for _, s := range sums {
			s.Profile = fmt.Sprint(s.Profile, "-", i)
			f.Summary = append(f.Summary, s)
		}
	}
	page := draw(t, f)
	if len(page) > 1_500_000 {
		t.Errorf("%d bytes", len(page))
	}
	if got, want := strings.Count(page, "<details"), 2*2*41; got != want {
		t.Errorf("%d links of %d", got, want)
	}
	if !strings.Contains(page, "These are many links") || strings.Contains(draw(t, figures(t)), "These are many links") {
		t.Error("the reader is not told, or told in vain")
	}
}
