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
	w        io.Writer
	terminal bool
	start    time.Time
	total    int

	mu    sync.Mutex
	names []string               // guarded by mu, as is all below
	by    map[string]*contestant //
	ended int
	drawn int       // lines on the terminal
	next  time.Time // when to draw again
}

// A contestant is how far a transport is.
type contestant struct {
	runs, ended     int
	sent, delivered int
	dropped         uint64
	latencies       []float64
	failed          int
}

// How often progress is drawn.
const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// NewProgress returns the progress of specs, on a terminal or elsewhere.
func NewProgress(w io.Writer, terminal bool, specs []compare.Spec, now time.Time) *Progress {
	p := &Progress{w: w, terminal: terminal, start: now, total: len(specs), by: map[string]*contestant{}, next: now.Add(lineEvery)}
	if terminal {
		p.next = now
	}
	for _, s := range specs {
		if p.by[s.Transport] == nil {
			p.by[s.Transport] = new(contestant)
			p.names = append(p.names, s.Transport)
		}
		p.by[s.Transport].runs++
	}
	return p
}

// Note takes the end of a run.
func (p *Progress) Note(spec compare.Spec, r compare.Result, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.by[spec.Transport]
	c.ended++
	p.ended++
	c.sent += r.Sent
	c.delivered += r.Delivered
	c.dropped += r.Wire.Up.Dropped + r.Wire.Down.Dropped
	c.latencies = append(c.latencies, r.LatencyMs...)
	if r.Error != "" {
		c.failed++
	}
	switch {
	case now.Before(p.next):
	case p.terminal:
		p.next = now.Add(drawEvery)
		p.drawLocked(now)
	default:
		p.next = now.Add(lineEvery)
		fmt.Fprintf(p.w, "%d of %d runs, %v\n", p.ended, p.total, now.Sub(p.start).Round(time.Second))
	}
}

// Tick draws if it is time: between the ends of runs, which may be far from each other.
func (p *Progress) Tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal && !now.Before(p.next) {
		p.next = now.Add(drawEvery)
		p.drawLocked(now)
	}
}

// End draws for the last time.
func (p *Progress) End(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		p.drawLocked(now)
	}
	fmt.Fprintf(p.w, "%d of %d runs, %v\n\n", p.ended, p.total, now.Sub(p.start).Round(100*time.Millisecond))
}

func (p *Progress) drawLocked(now time.Time) {
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	for _, name := range p.names {
		c := p.by[name]
		line := fmt.Sprintf("%-16s %s %3d/%-3d %7d/%-7d delivered  p99 %6s ms  %d lost on the link", name, bar(c.ended, c.runs), c.ended, c.runs,
			c.delivered, c.sent, liveP99(c.latencies), c.dropped)
		if c.failed > 0 {
			line += fmt.Sprintf("  %d failed", c.failed)
		}
		fmt.Fprintf(&b, "\r\x1b[2K%s\n", line)
	}
	fmt.Fprintf(&b, "\r\x1b[2K%v\n", now.Sub(p.start).Round(100*time.Millisecond))
	p.drawn = len(p.names) + 1
	io.WriteString(p.w, b.String()) // A terminal that is gone has nobody to tell.
}

const barCells = 20

func bar(part, whole int) string {
	full := 0
	if whole > 0 {
		full = barCells * part / whole
	}
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

// liveP99 is of the latest messages: enough for a glance.
func liveP99(latencies []float64) string {
	all := slices.Clone(latencies[max(0, len(latencies)-5000):])
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
