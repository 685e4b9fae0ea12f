package report

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"udpchat/cmd/internal/compare"
)

// longRun is as much as anybody will ever see of a run.
func longRun(name string) (compare.Spec, compare.Result) {
	s := compare.Spec{Transport: name, Workload: "chat", Messages: 100_000, Seed: 1}
	r := compare.Result{Transport: name, Sent: 100_000, Delivered: 100_000}
	r.Wire.Up.Dropped = 12_345_678
	for range 1000 {
		r.LatencyMs = append(r.LatencyMs, 123_456)
	}
	return s, r
}

// A line that is wider than the terminal wraps, and the next drawing would not be where the last one was.
func TestProgressFitsIntoItsTerminal(t *testing.T) {
	for _, columns := range []int{200, 80, 40, 1} {
		spec, result := longRun("udpchat-economy")
		var out strings.Builder
		now := time.Unix(0, 0)
		p := NewProgress(&out, func() int { return columns }, []compare.Spec{spec, {Transport: "kcp", Workload: "chat"}}, now)
		p.Note(spec, result, now.Add(time.Second))
		p.Tick(now.Add(2 * time.Second))
		p.End(now.Add(3 * time.Second))
		drawings := strings.Split(out.String(), "\x1b[4A")
		if len(drawings) != 3 {
			t.Fatalf("drawn %d times: %q", len(drawings), out.String())
		}
		for _, d := range drawings {
			lines := strings.Split(strings.TrimRight(d, "\n"), "\n")
			if len(lines) != 4 { // A head, two transports, and how far it is.
				t.Errorf("%d lines: %q", len(lines), d)
			}
			for _, line := range lines {
				line = strings.TrimPrefix(line, "\r\x1b[2K")
				if n := utf8.RuneCountInString(line); n > columns {
					t.Errorf("%d columns of %d: %q", n, columns, line)
				}
				if columns == 80 && strings.HasPrefix(line, "udpchat") && !strings.HasSuffix(line, " 100000/100000  123456 12345678") {
					t.Errorf("it is cut: %q", line)
				}
			}
		}
	}
}

// Runs on a wire take most of a minute: one sees what becomes of them before they end, and nothing counts twice then.
func TestProgressShowsRunsThatAreUnderWay(t *testing.T) {
	spec := compare.Spec{Transport: "tcp-cubic", Workload: "chat", Messages: 300, Seed: 1}
	var out strings.Builder
	now := time.Unix(0, 0)
	p := NewProgress(&out, func() int { return 80 }, []compare.Spec{spec}, now)
	last := func() string {
		all := strings.Split(out.String(), "tcp-cubic")
		return strings.Join(strings.Fields(strings.Split(all[len(all)-1], "\n")[0]), " ")
	}
	glimpse := compare.Glimpse{At: 15 * time.Second, Sent: 140, Delivered: 138, Dropped: 30, LatencyMs: make([]float64, 138)}
	p.Glimpse(spec, glimpse, now.Add(time.Second))
	if got := last(); !strings.HasSuffix(got, " 15/31 138/140 0 30") {
		t.Errorf("on the way: %s", got)
	}
	p.Note(spec, compare.Result{Sent: 300, Delivered: 299, LatencyMs: make([]float64, 300), Wire: compare.Wire{Down: compare.Traffic{Dropped: 60}}}, now.Add(40*time.Second))
	if got := last(); !strings.HasSuffix(got, " 31/31 299/300 0 60") {
		t.Errorf("at the end: %s", got)
	}
}

func TestProgressIsPlainWhereNobodySits(t *testing.T) {
	spec, result := longRun("kcp")
	var out strings.Builder
	now := time.Unix(0, 0)
	p := NewProgress(&out, nil, []compare.Spec{spec, spec}, now)
	p.Note(spec, result, now.Add(time.Second))
	p.Tick(now.Add(7 * time.Second))
	p.Note(spec, result, now.Add(8*time.Second))
	p.End(now.Add(9 * time.Second))
	if got := out.String(); got != "1 of 2 runs, 7s\n2 of 2 runs, 9s\n\n" {
		t.Errorf("got %q", got)
	}
}
