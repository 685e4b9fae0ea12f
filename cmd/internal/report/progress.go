package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"udpchat/cmd/internal/compare"
)

// A Progress shows a comparison while it runs: on a terminal one line for each transport that is drawn again and again,
// elsewhere a line now and then. Its methods are safe for concurrent use.
type Progress struct {
	w       io.Writer
	columns func() int
	start   time.Time
	total   int

	mu    sync.Mutex
	names []string               // guarded by mu, as is all below
	by    map[string]*contestant //
	ended int
	drawn int       // lines on the terminal
	next  time.Time // when to draw again
}

// A contestant is how far a transport is.
type contestant struct {
	planned time.Duration // of all its runs
	done    standing      // of those that have ended
	running map[runKey]standing
	failed  int
}

// standing is what has come of runs so far.
type standing struct {
	elapsed         time.Duration
	sent, delivered int
	dropped         uint64
	latencies       []float64
}

func (s *standing) add(o standing) {
	s.elapsed += o.elapsed
	s.sent += o.sent
	s.delivered += o.delivered
	s.dropped += o.dropped
	s.latencies = append(s.latencies, o.latencies...)
}

type runKey struct {
	link, workload string
	lane           compare.Lane
	run            int
}

func keyOf(s compare.Spec) runKey { return runKey{s.Link.Name, s.Workload, s.Lane, s.Run} }

// How often progress is drawn.
const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// calibrations is the name under which those runs are shown: they are nobody's.
const calibrations = "calibration"

func contestantOf(s compare.Spec) string {
	if s.Calibrates() {
		return calibrations
	}
	return s.Transport
}

// NewProgress returns the progress of specs. Columns says how wide the terminal is just now; nil: w is none.
func NewProgress(w io.Writer, columns func() int, specs []compare.Spec, now time.Time) *Progress {
	p := &Progress{w: w, columns: columns, start: now, total: len(specs), by: map[string]*contestant{}, next: now.Add(lineEvery)}
	if columns != nil {
		p.next = now
	}
	for _, s := range specs {
		name := contestantOf(s)
		if p.by[name] == nil {
			p.by[name] = &contestant{running: map[runKey]standing{}}
			p.names = append(p.names, name)
		}
		p.by[name].planned += s.Planned()
	}
	return p
}

// Note takes the end of a run.
func (p *Progress) Note(spec compare.Spec, r compare.Result, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.by[contestantOf(spec)]
	delete(c.running, keyOf(spec))
	p.ended++
	c.done.add(standing{
		elapsed: spec.Planned(), sent: r.Sent, delivered: r.Delivered, dropped: r.Wire.Up.Dropped + r.Wire.Down.Dropped, latencies: r.LatencyMs,
	})
	if r.Error != "" {
		c.failed++
	}
	p.showLocked(now)
}

// Glimpse takes how far a run is that is under way.
func (p *Progress) Glimpse(spec compare.Spec, g compare.Glimpse, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[contestantOf(spec)].running[keyOf(spec)] = standing{
		elapsed: min(g.At, spec.Planned()), sent: g.Sent, delivered: g.Delivered, dropped: g.Dropped, latencies: g.LatencyMs,
	}
	p.showLocked(now)
}

// Tick draws if it is time: between the ends of runs, which may be far from each other.
func (p *Progress) Tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.showLocked(now)
}

// End draws for the last time.
func (p *Progress) End(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.columns == nil {
		fmt.Fprintf(p.w, "%s\n\n", p.runsLocked(now, 100*time.Millisecond))
		return
	}
	p.drawLocked(now)
	fmt.Fprintln(p.w)
}

func (p *Progress) showLocked(now time.Time) {
	switch {
	case now.Before(p.next):
	case p.columns != nil:
		p.next = now.Add(drawEvery)
		p.drawLocked(now)
	default:
		p.next = now.Add(lineEvery)
		fmt.Fprintln(p.w, p.runsLocked(now, time.Second))
	}
}

func (p *Progress) runsLocked(now time.Time, grain time.Duration) string {
	return fmt.Sprintf("%d of %d runs, %v", p.ended, p.total, now.Sub(p.start).Round(grain))
}

// progressLine fits into a terminal of 80 columns: the name, a bar, seconds of conversation, messages, p99, packets.
const progressLine = "%-15s %s %11s %15s %7s %8s"

func (p *Progress) drawLocked(now time.Time) {
	lines := []string{fmt.Sprintf(progressLine, "", strings.Repeat(" ", barCells), "seconds", "delivered/sent", "p99 ms", "lost")}
	for _, name := range p.names {
		c := p.by[name]
		sum := c.done
		sum.latencies = latest(sum.latencies)
		for _, running := range c.running {
			sum.add(running)
		}
		line := fmt.Sprintf(progressLine, name, bar(sum.elapsed, c.planned), fmt.Sprintf("%.0f/%.0f", sum.elapsed.Seconds(), c.planned.Seconds()),
			fmt.Sprintf("%d/%d", sum.delivered, sum.sent), liveP99(sum.latencies), fmt.Sprint(sum.dropped))
		if c.failed > 0 {
			line += fmt.Sprintf("  %d failed", c.failed)
		}
		lines = append(lines, line)
	}
	lines = append(lines, p.runsLocked(now, 100*time.Millisecond))
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	width := p.columns()
	for _, line := range lines {
		fmt.Fprintf(&b, "\r\x1b[2K%s\n", cutTo(line, width)) // A line that wraps would be two, and the next drawing in the wrong place.
	}
	p.drawn = len(lines)
	io.WriteString(p.w, b.String()) // A terminal that is gone has nobody to tell.
}

// cutTo is what fits of a line; all its runes are one column wide.
func cutTo(line string, columns int) string {
	runes := []rune(line)
	return string(runes[:min(len(runes), max(columns, 1))])
}

const barCells = 8

func bar(part, whole time.Duration) string {
	full := 0
	if whole > 0 {
		full = int(barCells * min(part, whole) / whole)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

// latest are so many that a glance is true, and no more; it is a copy.
func latest(latencies []float64) []float64 {
	return slices.Clone(latencies[max(0, len(latencies)-5000):])
}

// liveP99 is of all, which it puts in order.
func liveP99(all []float64) string {
	if len(all) < 100 {
		return "–"
	}
	for i, ms := range all {
		if ms < 0 {
			all[i] = math.Inf(1)
		}
	}
	slices.Sort(all)
	return number(compare.Number(all[len(all)*99/100]))
}
