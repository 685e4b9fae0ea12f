package report

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Every picture is so wide, in its own units; the page makes it as wide as there is room. Text of 12 units is readable on a
// phone then.
const plotWidth = 480

// A plot is a picture under construction: an SVG element without outside references. What it is given is in its own units,
// x to the right and y down.
type plot struct {
	b      strings.Builder
	height float64
	title  string
}

// newPlot begins a picture. The title is for those who cannot see it.
func newPlot(height float64, title string) *plot { return &plot{height: height, title: title} }

// svg ends it.
func (p *plot) svg() string {
	return fmt.Sprintf(`<svg viewBox="0 0 %d %s" role="img" aria-label="%s">%s</svg>`, plotWidth, coord(p.height), html.EscapeString(p.title), p.b.String())
}

// coord writes a coordinate as short as a picture needs it.
func coord(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// text writes s; anchor is start, middle or end.
func (p *plot) text(x, y float64, anchor, class, s string) {
	fmt.Fprintf(&p.b, `<text x="%s" y="%s" text-anchor="%s" class="%s">%s</text>`, coord(x), coord(y), anchor, class, html.EscapeString(s))
}

// line draws a straight line.
func (p *plot) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&p.b, `<path d="M%s %sL%s %s" class="%s"/>`, coord(x1), coord(y1), coord(x2), coord(y2), class)
}

// rect fills a rectangle, which says what it is when pointed at.
func (p *plot) rect(x, y, w, h float64, class, style, tip string) {
	fmt.Fprintf(&p.b, `<rect x="%s" y="%s" width="%s" height="%s" class="%s"`, coord(x), coord(y), coord(max(w, 0)), coord(h), class)
	if style != "" {
		fmt.Fprintf(&p.b, ` style="%s"`, style)
	}
	fmt.Fprintf(&p.b, `><title>%s</title></rect>`, html.EscapeString(tip))
}

// steps draws a line through points, first along x and then along y.
func (p *plot) steps(xs, ys []float64, class string) {
	if len(xs) == 0 {
		return
	}
	p.b.WriteString(`<path d="M` + coord(xs[0]) + " " + coord(ys[0]))
	for i := 1; i < len(xs); i++ {
		p.b.WriteString("H" + coord(xs[i]) + "V" + coord(ys[i]))
	}
	p.b.WriteString(`" class="` + class + `"/>`)
}

// dots draws points, small and round by their class. One path for all of them keeps the page short.
func (p *plot) dots(xs, ys []float64, class string) {
	if len(xs) == 0 {
		return
	}
	p.b.WriteString(`<path d="`)
	for i := range xs {
		p.b.WriteString("M" + coord(xs[i]) + " " + coord(ys[i]) + "h0")
	}
	p.b.WriteString(`" class="` + class + `"/>`)
}

// marks draws a short upright line at each of xs, from y down. Lines nobody could tell apart are one: a link may drop thousands of
// packets, and a page should not grow with them.
func (p *plot) marks(xs []float64, y float64, class string) {
	slices.Sort(xs)
	last := math.Inf(-1)
	var path strings.Builder
	for _, x := range xs {
		if x-last < markApart {
			continue
		}
		last = x
		path.WriteString("M" + coord(x) + " " + coord(y) + "v5")
	}
	if path.Len() > 0 {
		p.b.WriteString(`<path d="` + path.String() + `" class="` + class + `"/>`)
	}
}

// markApart is how far marks must be from each other.
const markApart = 0.5

// A logScale maps values to a stretch of a picture by their logarithm.
type logScale struct{ low, high, from, to float64 }

// at returns where v is; what is beyond the ends is at the ends.
func (s logScale) at(v float64) float64 {
	v = min(max(v, s.low), s.high)
	return s.from + (s.to-s.from)*math.Log(v/s.low)/math.Log(s.high/s.low)
}

// ticks returns 1, 2 and 5 times powers of ten between the ends.
func (s logScale) ticks() (all []float64) {
	for decade := math.Pow(10, math.Floor(math.Log10(s.low))); decade <= s.high; decade *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := m * decade; v >= s.low*0.999 && v <= s.high*1.001 {
				all = append(all, v)
			}
		}
	}
	return all
}

// around returns a scale for values from low to high, rounded outwards to a tick.
func around(low, high, from, to float64) logScale {
	if !(low > 0) {
		low = 1
	}
	high = max(high, low*2)
	s := logScale{math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high))), from, to}
	for _, v := range s.ticks() {
		if v <= low*1.001 {
			s.low = v
		}
	}
	for _, v := range (logScale{s.low, s.high, 0, 1}).ticks() {
		if v >= high*0.999 {
			s.high = v
			break
		}
	}
	if s.high <= s.low {
		s.high = 10 * s.low
	}
	return s
}

// ms is a latency at an axis.
func ms(v float64) string {
	if v >= 1000 {
		return strconv.FormatFloat(v/1000, 'f', -1, 64) + " s"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
