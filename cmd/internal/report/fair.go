package report

import (
	"fmt"
	"html/template"

	"udpchat/cmd/internal/compare"
)

// sharing is what the page shows of transports that share a link with a file over the kernel's CUBIC.
type sharing struct {
	Shares, Time template.HTML
	Chat         string // what CUBIC got beside chat; empty: not measured
}

// newSharing draws who was fair over a link, nil if nobody shared one.
func newSharing(f *compare.File, profile string) *sharing {
	const file, chat = "file-beside-tcp", "chat-beside-tcp"
	s := sharing{Shares: template.HTML(shareBars(f, file, profile)), Time: template.HTML(shareTimes(f, file, profile))}
	for _, t := range f.Header.Transports {
		alone := aloneMbit(profile)
		if sum := compare.Find(f.Summary, t.Name, profile, chat); sum != nil && !sum.Beside.Missing() && alone > 0 {
			s.Chat += fmt.Sprintf("Beside chat over %s CUBIC got %s Mbit/s, %.0f %% of what fits on the link. ", t.Name, decimals(sum.Beside, 2), 100*float64(sum.Beside)/alone)
		}
	}
	if s.Shares == "" && s.Chat == "" {
		return nil
	}
	return &s
}

// aloneMbit is how many Mbit/s of payload fit on a link for two: packets of 1,500 bytes with 1,448 of TCP's payload. 0: not
// known.
func aloneMbit(profile string) float64 {
	if profile == compare.FairName {
		profile = compare.SharedName
	}
	link, err := compare.LinkNamed(profile)
	if err != nil {
		return 0
	}
	return float64(link.Up.Rate) / 1e6 * 1448 / 1500
}

// shareBars shows which part of both files each transport had, and which CUBIC beside it. Half is fair.
func shareBars(f *compare.File, workload, profile string) string {
	var all []*compare.Summary
	for _, t := range f.Header.Transports {
		if s := compare.Find(f.Summary, t.Name, profile, workload); s != nil && !s.BesideShare.Missing() {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return ""
	}
	const row, left, right, top = 30.0, 128.0, 92.0, 22.0
	bottom := top + float64(len(all))*row
	p := newPlot(bottom+18, "shares of a link between each transport and the kernel's CUBIC, "+workload)
	width := plotWidth - left - right
	for i, s := range all {
		y := top + float64(i)*row
		theirs := float64(s.BesideShare) / 100
		own := (1 - theirs) * width
		p.text(left-6, y+15, "end", "label", s.Transport)
		p.rect(left, y, own, row-10, "fill "+colourOf(f, s.Transport), "", fmt.Sprintf("%s: %.0f %%", s.Transport, 100*(1-theirs)))
		p.rect(left+own, y, width-own, row-10, "rival", "", fmt.Sprintf("CUBIC beside %s: %.0f %%, %s Mbit/s", s.Transport, 100*theirs, decimals(s.Beside, 2)))
		p.text(left+width+6, y+15, "start", "tick", fmt.Sprintf("CUBIC %.0f %%", 100*theirs))
	}
	p.text(left, top-8, "start", "tick", "the transport")
	p.text(left+width, top-8, "end", "tick", "CUBIC")
	p.line(left+width/2, top-4, left+width/2, bottom, "half")
	p.text(left+width/2, bottom+12, "middle", "tick", "half each")
	return p.svg()
}

// shareTimes shows the first run of each: what both files got in each second.
func shareTimes(f *compare.File, workload, profile string) string {
	var runs []*compare.Result
	for _, t := range f.Header.Transports {
		for i := range f.Runs {
			r := &f.Runs[i]
			if r.Transport == t.Name && r.Workload == workload && r.Profile == profile && r.Beside != nil && len(r.FileByTime) > 0 {
				runs = append(runs, r)
				break
			}
		}
	}
	if len(runs) == 0 {
		return ""
	}
	const strip, gap, label, left = 52.0, 10.0, 16.0, 34.0
	p := newPlot(float64(len(runs))*(strip+gap+label)+24, "Mbit/s of both files in each second, "+workload)
	seconds, most := 0, 1.0
	for _, r := range runs {
		seconds = max(seconds, len(r.FileByTime), len(r.Beside.FileByTime))
		for _, n := range append(append([]uint64{}, r.FileByTime...), r.Beside.FileByTime...) {
			most = max(most, float64(n)*8/1e6)
		}
	}
	x := func(second int) float64 { return left + (plotWidth-left-8)*float64(second)/float64(seconds) }
	top := 0.0
	for _, r := range runs {
		top += label
		base := top + strip
		p.text(left, top-4, "start", "label "+colourOf(f, r.Transport), r.Transport)
		for _, mbit := range []float64{0, most} {
			y := base - strip*mbit/most
			p.line(left, y, plotWidth-8, y, "grid")
			p.text(left-5, y+4, "end", "tick", fmt.Sprintf("%.0f", mbit))
		}
		draw := func(by []uint64, class string) {
			var xs, ys []float64
			for i, n := range by {
				xs, ys = append(xs, x(i)), append(ys, base-strip*float64(n)*8/1e6/most)
			}
			if n := len(by); n > 0 {
				xs, ys = append(xs, x(n)), append(ys, ys[n-1])
			}
			p.steps(xs, ys, class)
		}
		draw(r.Beside.FileByTime, "curve other")
		draw(r.FileByTime, "curve "+colourOf(f, r.Transport))
		top = base + gap
	}
	for second := 0; second < seconds; second += 5 {
		p.text(x(second), top+8, "middle", "tick", fmt.Sprintf("%d s", second))
	}
	return p.svg()
}
