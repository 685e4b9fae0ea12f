package report

import (
	"fmt"

	"udpchat/cmd/internal/compare"
)

// splitBars shows what the bytes on the wire were for, for every byte that was delivered.
func splitBars(f *compare.File, workload, profile string) string {
	type bar struct {
		s     *compare.Summary
		scale float64 // of a byte of the split
	}
	var bars []bar
	longest := 1.0
	for _, t := range f.Header.Transports {
		s := compare.Find(f.Summary, t.Name, profile, workload)
		if s == nil || s.Split == nil || s.WirePerUseful.Missing() || s.Split.Total() == 0 {
			continue
		}
		bars = append(bars, bar{s, float64(s.WirePerUseful) / float64(s.Split.Total())})
		longest = max(longest, float64(s.WirePerUseful))
	}
	if len(bars) == 0 {
		return ""
	}
	const row, left = 30.0, 128.0
	p := newPlot(float64(len(bars))*row+14, "what the bytes on the wire were for, "+workload+" over "+profile)
	for i, b := range bars {
		y := float64(i)*row + 6
		p.text(left-6, y+15, "end", "label", b.s.Transport)
		x := left
		for _, part := range []struct {
			name  string
			bytes uint64
			class string
		}{
			{"payload", b.s.Split.Payload, "payload"}, {"headers", b.s.Split.Headers, "headers"}, {"acknowledgements", b.s.Split.Acks, "acks"},
			{"retransmissions", b.s.Split.Retransmits, "again"}, {"parity and copies", b.s.Split.Parity, "parity"},
		} {
			bytes := float64(part.bytes) * b.scale
			w := (plotWidth - left - 46) * bytes / longest
			p.rect(x, y, w, row-10, "part "+part.class, "", fmt.Sprintf("%s, %s: %.2f bytes", b.s.Transport, part.name, bytes))
			x += w
		}
		p.text(x+5, y+15, "start", "tick", decimals(b.s.WirePerUseful, 2))
	}
	return p.svg()
}

// goodputBars shows how fast files went.
func goodputBars(f *compare.File, workload, profile string) string {
	var all []*compare.Summary
	fastest := 0.0
	for _, t := range f.Header.Transports {
		if s := compare.Find(f.Summary, t.Name, profile, workload); s != nil && !s.Goodput.Missing() {
			all = append(all, s)
			fastest = max(fastest, float64(s.Goodput))
		}
	}
	if fastest == 0 {
		return ""
	}
	const row, left = 30.0, 128.0
	p := newPlot(float64(len(all))*row+14, "goodput of "+workload+" over "+profile)
	for i, s := range all {
		y := float64(i)*row + 6
		w := (plotWidth - left - 70) * float64(s.Goodput) / fastest
		p.text(left-6, y+15, "end", "label", s.Transport)
		p.rect(left, y, w, row-10, "fill "+colourOf(f, s.Transport), "", fmt.Sprintf("%s: %.2f Mbit/s", s.Transport, float64(s.Goodput)))
		p.text(left+w+5, y+15, "start", "tick", decimals(s.Goodput, 2)+" Mbit/s")
	}
	return p.svg()
}
