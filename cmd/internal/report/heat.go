package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"udpchat/cmd/internal/compare"
)

// heatMap shows by how much the 99th percentile is above the physical limit, for each loss and round trip; empty if the runs
// are not there.
func heatMap(f *compare.File, transport string) string {
	losses, trips := compare.HeatAxes()
	const left, top, cellHeight = 62.0, 34.0, 26.0
	cellWidth := (plotWidth - left - 4) / float64(len(trips))
	p := newPlot(top+cellHeight*float64(len(losses))+6, "p99 above the physical limit by loss and round trip, "+transport)
	p.text(0, 12, "start", "label "+colourOf(f, transport), transport)
	found := false
	for j, trip := range trips {
		p.text(left+cellWidth*(float64(j)+0.5), top-6, "middle", "tick", fmt.Sprintf("%d ms", trip))
	}
	for i, loss := range losses {
		y := top + cellHeight*float64(i)
		p.text(left-6, y+17, "end", "tick", fmt.Sprintf("%d %%", loss))
		for j, trip := range trips {
			s := compare.Find(f.Summary, transport, compare.HeatName(loss, trip), "chat")
			if s == nil || s.P99.Missing() {
				continue
			}
			found = true
			extra := max(float64(s.P99)-float64(trip)/2, 0)
			x := left + cellWidth*float64(j)
			p.rect(x+1, y+1, cellWidth-2, cellHeight-2, "heat", fmt.Sprintf("fill-opacity:%.2f", heat(extra)),
				fmt.Sprintf("%s, %d %% loss, round trip %d ms: p99 %s ms", transport, loss, trip, number(s.P99)))
			p.text(x+cellWidth/2, y+17, "middle", "", "+"+number(compare.Number(math.Round(extra))))
		}
	}
	if !found {
		return ""
	}
	return p.svg()
}

// heat maps what is above the limit, in ms, to a depth of colour: none up to 5 ms, all from 3 s.
func heat(extra float64) float64 {
	if math.IsInf(extra, 0) {
		return 0.85
	}
	return 0.85 * min(max(math.Log(max(extra, 1)/5)/math.Log(3000.0/5), 0), 1)
}

// beginnings is a table: how long a first message takes over a new connection, and how soon messages are back after an
// outage, in ms. Empty if the runs are not there.
func beginnings(f *compare.File) (rows []row) {
	for _, t := range f.Header.Transports {
		cold := compare.Find(f.Summary, t.Name, compare.ColdName, "connect")
		if cold == nil {
			continue
		}
		r := row{Name: t.Name, Cells: []cell{{Text: number(cold.P50)}, {Text: number(cold.P90)}, {Text: number(cold.Max)}}}
		back := comebacks(f, t.Name)
		text := []string{"–", "–"}
		if n := len(back); n > 0 {
			slices.Sort(back)
			text = []string{number(compare.Number(back[n/2])), number(compare.Number(back[n-1]))}
		}
		rows = append(rows, row{r.Name, append(r.Cells, cell{Text: text[0]}, cell{Text: text[1]})})
	}
	return rows
}

// comebacks returns, for each outage of a run, how long after its end the first message arrived.
func comebacks(f *compare.File, transport string) (all []float64) {
	for i := range f.Runs {
		r := &f.Runs[i]
		if r.Transport != transport || r.Profile != compare.OutageName || len(r.PlannedMs) == 0 {
			continue
		}
		last := time.Duration(r.PlannedMs[len(r.PlannedMs)-1]) * time.Millisecond
		_, ends := compare.Outages(last)
		for _, end := range ends {
			if end > last {
				continue
			}
			first := math.Inf(1)
			over := float64(end) / float64(time.Millisecond)
			for k, planned := range r.PlannedMs {
				if ms := r.LatencyMs[k]; ms >= 0 && planned+ms >= over {
					first = min(first, planned+ms-over)
				}
			}
			all = append(all, first)
		}
	}
	return all
}
