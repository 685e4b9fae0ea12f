package report

import (
	"math"
	"slices"

	"udpchat/cmd/internal/compare"
)

// A curve is what one transport did on one link.
type curve struct {
	name     string
	colour   string // class of its lines
	inOrder  []float64
	messages int
}

// curvesOf returns the curves of a workload and profile, in the order of the transports.
func curvesOf(f *compare.File, workload, profile string) (all []curve) {
	for _, t := range f.Header.Transports {
		c := curve{name: t.Name, colour: colourOf(f, t.Name)}
		for i := range f.Runs {
			r := &f.Runs[i]
			if r.Transport != t.Name || r.Workload != workload || r.Profile != profile {
				continue
			}
			c.messages += r.Sent
			for _, v := range r.LatencyMs {
				if v >= 0 {
					c.inOrder = append(c.inOrder, v)
				}
			}
		}
		if c.messages > 0 {
			slices.Sort(c.inOrder)
			all = append(all, c)
		}
	}
	return all
}

// bounds returns the smallest and largest latency.
func bounds(curves []curve) (low, high float64) {
	low, high = math.Inf(1), 1
	for _, c := range curves {
		if n := len(c.inOrder); n > 0 {
			low, high = min(low, c.inOrder[0]), max(high, c.inOrder[n-1])
		}
	}
	if math.IsInf(low, 1) {
		low = 1
	}
	return low, high
}

// Where the axes of the curves are.
const (
	plotLeft, plotRight = 52, plotWidth - 10
	plotTop             = 12
)

// cdfPlot is the share of messages that had arrived after so long.
func cdfPlot(curves []curve, title string) string {
	const bottom = 200
	p := newPlot(bottom+38, title)
	low, high := bounds(curves)
	x := around(low*0.9, high, plotLeft, plotRight)
	y := func(share float64) float64 { return bottom - share*(bottom-plotTop) }
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		p.line(plotLeft, y(share), plotRight, y(share), "grid")
		p.text(plotLeft-6, y(share)+4, "end", "tick", number(compare.Number(100*share))+" %")
	}
	p.latencyAxis(x, bottom)
	for _, c := range curves {
		p.staircase(c, x, func(beyond float64) float64 { return y(1 - beyond) })
	}
	return p.svg()
}

// tailPlot is the share of messages that took longer, by powers of ten.
func tailPlot(curves []curve, title string) string {
	const bottom = 200
	p := newPlot(bottom+38, title)
	low, high := bounds(curves)
	x := around(low*0.9, high, plotLeft, plotRight)
	y := logScale{0.0001, 1, bottom, plotTop}
	for share := 1.0; share > 0.00009; share /= 10 {
		p.line(plotLeft, y.at(share), plotRight, y.at(share), "grid")
		p.text(plotLeft-6, y.at(share)+4, "end", "tick", ms(math.Round(share*1e6)/1e4)+" %")
	}
	p.latencyAxis(x, bottom)
	for _, c := range curves {
		p.staircase(c, x, y.at)
	}
	return p.svg()
}

// latencyAxis draws the axis of latencies.
func (p *plot) latencyAxis(x logScale, bottom float64) {
	for _, v := range x.ticks() {
		p.line(x.at(v), plotTop, x.at(v), bottom, "grid")
		p.text(x.at(v), bottom+16, "middle", "tick", ms(v))
	}
	p.text(plotRight, bottom+33, "end", "tick", "latency, ms (logarithmic)")
}

// staircase draws the curve of c; y is where the share of messages is that took longer.
func (p *plot) staircase(c curve, x logScale, y func(beyond float64) float64) {
	xs, ys := []float64{x.from}, []float64{y(1)}
	add := func(px, py float64) {
		if n := len(xs) - 1; math.Abs(px-xs[n]) < 0.5 && math.Abs(py-ys[n]) < 0.5 {
			return
		}
		xs, ys = append(xs, px), append(ys, py)
	}
	n := float64(c.messages)
	for i, v := range c.inOrder {
		if i+1 < len(c.inOrder) && c.inOrder[i+1] == v {
			continue
		}
		add(x.at(v), y((n-float64(i+1))/n))
	}
	if len(c.inOrder) < c.messages { // The rest never arrived: the line goes on at that height.
		add(x.to, y((n-float64(len(c.inOrder)))/n))
	}
	p.steps(xs, ys, "curve "+c.colour)
}
