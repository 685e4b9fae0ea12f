package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io"

	"udpchat/cmd/internal/compare"
)

// colours is how many transports can be told apart by colour; the page's style sheet has as many.
const colours = 9

// colourOf is the class of a transport's lines: by its place in the header, so that it is the same in all pictures.
func colourOf(f *compare.File, transport string) string {
	for i, t := range f.Header.Transports {
		if t.Name == transport {
			return fmt.Sprintf("c%d", i%colours)
		}
	}
	return "c0"
}

// HTML writes a comparison as one page that needs nothing else: no script, no outside address, pictures inline, light or dark
// as the reader's system is. The same figures give the same page, byte for byte.
func HTML(w io.Writer, f *compare.File) error {
	var b bytes.Buffer
	for pictures := allPictures; pictures <= fewestPictures; pictures++ {
		b.Reset()
		if err := pageTemplate.Execute(&b, newPage(f, pictures)); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if b.Len() <= pageBytesMax {
			break
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// pageBytesMax is how long a page may be, to be sent by mail and to open at once on a phone. Of a comparison that needs more, fewer
// links have pictures.
const pageBytesMax = 1_500_000

// pictures is how many a page has.
type pictures int

const (
	allPictures    pictures = iota
	fewTimelines            // every message only for the links that are shown open
	fewestPictures          // pictures only for those
)

// of keeps of a link's pictures those it is to have.
func (p pictures) of(l *linkPart) {
	if l.Open {
		return
	}
	if p >= fewTimelines {
		l.Time = ""
	}
	if p >= fewestPictures {
		l.CDF, l.Tail, l.Split, l.Goodput, l.Fair = "", "", "", "", nil
	}
}

// note tells the reader what is missing.
func (p pictures) note() string {
	switch p {
	case fewTimelines:
		return "These are many links: every message of a run is shown only for the ones that are open below."
	case fewestPictures:
		return "These are many links: there are pictures only for the ones that are open below."
	}
	return ""
}

// page is what the template shows.
type page struct {
	Fewer       string
	Verdict     string
	Price       string
	Broken      bool
	Header      *compare.Header
	Legend      []legendEntry
	Sections    []section
	Heat        []template.HTML
	Beginnings  []row
	Fair        *sharing
	Notes       []string
	Interrupted bool
}

type legendEntry struct{ Name, Class, Text string }

// section is a workload.
type section struct {
	Name, Text, Title string
	Head              []string
	Rows              []row
	Links             []linkPart
}

type row struct {
	Name  string
	Cells []cell
}

type cell struct {
	Text, Spread string
	Best         bool
}

// linkPart is a link within a section.
type linkPart struct {
	Name, Text      string
	Open            bool
	Head            []string
	Rows            []row
	Pairs           string
	CDF, Tail, Time template.HTML
	Split, Goodput  template.HTML
	Fair            *sharing
}

func newPage(f *compare.File, some pictures) *page {
	p := &page{
		Fewer:   some.note(),
		Verdict: Verdict(f), Price: Price(f), Broken: f.Broken(), Header: &f.Header, Notes: Notes(f), Interrupted: f.Header.Interrupted,
	}
	for _, t := range f.Header.Transports {
		p.Legend = append(p.Legend, legendEntry{t.Name, colourOf(f, t.Name), t.Text})
	}
	for _, t := range f.Header.Transports {
		if svg := heatMap(f, t.Name); svg != "" {
			p.Heat = append(p.Heat, template.HTML(svg))
		}
	}
	p.Beginnings = beginnings(f)
	p.Fair = newSharing(f, compare.FairName)
	for _, w := range f.Header.Workloads {
		p.Sections = append(p.Sections, newSection(f, w, some))
	}
	return p
}

func newSection(f *compare.File, w compare.NameText, some pictures) section {
	head := headlineOf(f, w.Name)
	s := section{Name: w.Name, Text: w.Text, Title: head.title}
	for _, p := range f.Header.Profiles {
		s.Head = append(s.Head, p.Name)
	}
	for _, t := range f.Header.Transports {
		r := row{Name: t.Name}
		some := false
		for _, p := range f.Header.Profiles {
			c := cell{Text: "–"}
			if sum := compare.Find(f.Summary, t.Name, p.Name, w.Name); sum != nil {
				value, ci := head.of(sum)
				c = cell{Text: number(value), Spread: spread(ci), Best: isBest(f, head, p.Name, w.Name, sum)}
				some = true
			}
			r.Cells = append(r.Cells, c)
		}
		if some {
			s.Rows = append(s.Rows, r)
		}
	}
	show := showcase(f)
	for _, p := range f.Header.Profiles {
		if l, ok := newLinkPart(f, w.Name, p); ok {
			l.Open = p.Name == show
			some.of(&l)
			s.Links = append(s.Links, l)
		}
	}
	return s
}

// showcase is the link that is shown open: one with a tenth lost if there is one.
func showcase(f *compare.File) string {
	for _, p := range f.Header.Profiles {
		if p.Name == "lossy-10" {
			return p.Name
		}
	}
	if n := len(f.Header.Profiles); n > 0 {
		return f.Header.Profiles[n-1].Name
	}
	return ""
}

// newLinkPart draws what happened on a link; false: nothing.
func newLinkPart(f *compare.File, workload string, p compare.NameText) (l linkPart, ok bool) {
	rows := detailRows(f, workload, p.Name)
	if len(rows) < 2 {
		return l, false
	}
	l = linkPart{Name: p.Name, Text: p.Text, Head: rows[0][1:], Pairs: pairs(f, workload, p.Name)}
	for _, r := range rows[1:] {
		line := row{Name: r[0]}
		for _, text := range r[1:] {
			line.Cells = append(line.Cells, cell{Text: text})
		}
		l.Rows = append(l.Rows, line)
	}
	if curves := curvesOf(f, workload, p.Name); len(curves) > 0 && !onlyFile(workload) {
		l.CDF = template.HTML(cdfPlot(curves, "share of messages that had arrived, "+workload+" over "+p.Name))
		l.Tail = template.HTML(tailPlot(curves, "share of messages that took longer, "+workload+" over "+p.Name))
	}
	if workload != "connect" {
		l.Time = template.HTML(timeline(f, workload, p.Name))
	}
	l.Split = template.HTML(splitBars(f, workload, p.Name))
	l.Goodput = template.HTML(goodputBars(f, workload, p.Name))
	if workload == "file-beside-tcp" {
		l.Fair = newSharing(f, p.Name)
	}
	return l, true
}
