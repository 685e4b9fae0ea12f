package report

import (
	"fmt"
	"slices"

	"udpchat/cmd/internal/compare"
)

// timelineSeconds is how much of a run is shown: enough to see what losses do, little enough to see single messages.
const timelineSeconds = 30

// timeline shows every message of the first run of each transport: when it was to be sent and how long it took, with the losses
// of the link under it. Where one lost packet holds up the messages behind it they lie on a slope.
func timeline(f *compare.File, workload, profile string) string {
	var runs []*compare.Result
	for _, t := range f.Header.Transports {
		for i := range f.Runs {
			if r := &f.Runs[i]; r.Transport == t.Name && r.Workload == workload && r.Profile == profile && len(r.LatencyMs) > 0 {
				runs = append(runs, r)
				break
			}
		}
	}
	if len(runs) == 0 {
		return ""
	}
	const strip, gap, label = 64.0, 12.0, 16.0
	height := plotTop + float64(len(runs))*(strip+gap+label) + 20
	p := newPlot(height, fmt.Sprintf("every message of one run, %s over %s, and the losses under it", workload, profile))
	curves := curvesOf(f, workload, profile)
	low, high := bounds(curves)
	from := runs[0].PlannedMs[0]
	at := func(ms float64) float64 {
		return plotLeft + (plotRight-plotLeft)*(ms-from)/(1000*timelineSeconds)
	}
	top := float64(plotTop)
	for _, r := range runs {
		p.strip(f, r, top+label, strip, around(low*0.9, high, 0, 1), at)
		top += label + strip + gap
	}
	for s := 0.0; s <= timelineSeconds; s += 5 {
		p.text(at(from+1000*s), height-8, "middle", "tick", fmt.Sprintf("%.0f s", s))
	}
	return p.svg()
}

// strip is one transport.
func (p *plot) strip(f *compare.File, r *compare.Result, top, height float64, scale logScale, at func(ms float64) float64) {
	p.text(plotLeft, top-4, "start", "label "+colourOf(f, r.Transport), r.Transport)
	scale.from, scale.to = top+height, top
	ticks := scale.ticks()
	for i, v := range ticks {
		if i == 0 || i == len(ticks)-1 || v == 100 || v == 1000 {
			p.line(plotLeft, scale.at(v), plotRight, scale.at(v), "grid")
			if i == 0 || i == len(ticks)-1 {
				p.text(plotLeft-6, scale.at(v)+4, "end", "tick", ms(v))
			}
		}
	}
	var xs, ys, gone []float64
	for i, planned := range r.PlannedMs {
		x := at(planned)
		switch {
		case x > plotRight:
		case r.LatencyMs[i] < 0:
			gone = append(gone, x)
		default:
			xs, ys = append(xs, x), append(ys, scale.at(r.LatencyMs[i]))
		}
	}
	p.dots(xs, ys, "dots "+colourOf(f, r.Transport))
	p.marks(gone, top, "gone")
	var drops []float64
	for _, ms := range slices.Concat(r.Wire.UpDropsMs, r.Wire.DownDropsMs) {
		if x := at(ms); x >= plotLeft && x <= plotRight {
			drops = append(drops, x)
		}
	}
	p.marks(drops, top+height+2, "drop")
}
