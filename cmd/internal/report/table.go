package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"udpchat/cmd/internal/compare"
)

// Table writes a comparison for a terminal: for each workload the 99th percentile (or the goodput) with transports down and
// profiles across, then everything about each profile, then what to know before believing it.
func Table(out io.Writer, f *compare.File) {
	w := new(strings.Builder)
	defer func() { _, _ = io.WriteString(out, printable(w.String())) }() // Whoever reads it sees that it is missing.
	h := &f.Header
	for _, workload := range h.Workloads {
		if len(h.Profiles) > 1 {
			overview(w, f, workload)
		}
		for _, p := range h.Profiles {
			detail(w, f, workload, p)
		}
	}
	fmt.Fprintln(w, Verdict(f))
	if price := Price(f); price != "" {
		fmt.Fprintln(w, price)
	}
	for _, line := range Notes(f) {
		fmt.Fprintln(w, line)
	}
}

// printable takes out what could steer a terminal: names and errors may come from a file that somebody made.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, s)
}

// headline is the figure that a workload is about.
type headline struct {
	title string
	short string
	more  bool // is better
	of    func(*compare.Summary) (value compare.Number, ci compare.Range)
}

func headlineOf(f *compare.File, workload string) headline {
	switch {
	case workload == "file", workload == "file-beside-tcp":
		return headline{"goodput, Mbit/s, [95 % interval]", "goodput", true, func(s *compare.Summary) (compare.Number, compare.Range) {
			return s.Goodput, s.CIGoodput
		}}
	case enoughForP99(f, workload):
		return headline{"p99 of the latency in ms, [95 % interval]", "p99", false, func(s *compare.Summary) (compare.Number, compare.Range) {
			return s.P99, s.CI99
		}}
	default:
		return headline{"median latency in ms, [95 % interval]; too few messages for more", "p50", false, func(s *compare.Summary) (compare.Number, compare.Range) {
			return s.P50, s.CI50
		}}
	}
}

// onlyFile reports whether the workload sends a file and no messages.
func onlyFile(workload string) bool {
	w, err := compare.WorkloadNamed(workload)
	return err == nil && w.File && w.Burst == 0
}

func enoughForP99(f *compare.File, workload string) bool {
	for i := range f.Summary {
		if s := &f.Summary[i]; s.Workload == workload && !s.P99.Missing() {
			return true
		}
	}
	return false
}

func overview(w io.Writer, f *compare.File, workload compare.NameText) {
	head := headlineOf(f, workload.Name)
	fmt.Fprintf(w, "%s (%s): %s\n\n", workload.Name, workload.Text, head.title)
	rows := [][]string{{""}}
	for _, p := range f.Header.Profiles {
		rows[0] = append(rows[0], p.Name)
	}
	for _, t := range f.Header.Transports {
		row := []string{t.Name}
		for _, p := range f.Header.Profiles {
			cell := "–"
			if s := compare.Find(f.Summary, t.Name, p.Name, workload.Name); s != nil {
				value, ci := head.of(s)
				cell = number(value) + spread(ci)
				if isBest(f, head, p.Name, workload.Name, s) {
					cell = "*" + cell
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	grid(w, rows)
	fmt.Fprintln(w)
}

// isBest reports whether no other transport is better and every one that is as good cannot be told apart. Bare datagrams
// that lose messages do not compete.
func isBest(f *compare.File, head headline, profile, workload string, s *compare.Summary) bool {
	mine, _ := head.of(s)
	if mine.Missing() || math.IsInf(float64(mine), 0) || s.Undelivered() > 0 && !head.more {
		return false
	}
	for i := range f.Summary {
		o := &f.Summary[i]
		if o.Profile != profile || o.Workload != workload || o.Undelivered() > 0 && !head.more {
			continue
		}
		theirs, _ := head.of(o)
		if head.more && theirs > mine || !head.more && theirs < mine {
			return false
		}
	}
	return true
}

// detail is everything about one profile and workload.
func detail(w io.Writer, f *compare.File, workload, profile compare.NameText) {
	rows := detailRows(f, workload.Name, profile.Name)
	if len(rows) == 1 {
		return
	}
	unit := ", latency in ms"
	if onlyFile(workload.Name) {
		unit = ""
	}
	fmt.Fprintf(w, "%s over %s (%s)%s\n\n", workload.Name, profile.Name, profile.Text, unit)
	grid(w, rows)
	if text := pairs(f, workload.Name, profile.Name); text != "" {
		fmt.Fprintf(w, "\n  %s\n", text)
	}
	fmt.Fprintln(w)
}

// A column is a figure of a summary.
type column struct {
	head string
	text func(*compare.Summary) string
}

// columnsOf returns what is worth saying about a workload: a file alone has no messages, messages alone no goodput.
func columnsOf(workload string) []column {
	messages := []column{
		{"p50", func(s *compare.Summary) string { return number(s.P50) }},
		{"p90", func(s *compare.Summary) string { return number(s.P90) }},
		{"p99", func(s *compare.Summary) string { return number(s.P99) }},
		{"95 %", func(s *compare.Summary) string { return strings.TrimSpace(spread(s.CI99)) }},
		{"p99.9", func(s *compare.Summary) string { return number(s.P999) }},
		{"max", func(s *compare.Summary) string { return number(s.Max) }},
		{"undelivered", func(s *compare.Summary) string { return fmt.Sprintf("%d/%d", s.Undelivered(), s.Sent) }},
	}
	w, _ := compare.WorkloadNamed(workload) // One that this program does not know has no figures of its own.
	all := []column{{"lane", func(s *compare.Summary) string { return string(s.Lane) }}}
	if !w.File || w.Burst > 0 {
		all = append(all, messages...)
	}
	all = append(all, column{"bytes/byte", func(s *compare.Summary) string { return decimals(s.WirePerUseful, 2) }})
	if w.File {
		all = append(all, column{"Mbit/s", func(s *compare.Summary) string { return decimals(s.Goodput, 2) + spread(s.CIGoodput) }})
	} else {
		all = append(all, column{"packets/msg", func(s *compare.Summary) string { return decimals(s.PacketsPerMessage, 2) }})
	}
	if w.Beside != "" {
		all = append(all, column{"beside", func(s *compare.Summary) string { return decimals(s.Beside, 2) }},
			column{"its share", func(s *compare.Summary) string { return decimals(s.BesideShare, 0) + " %" }})
	}
	return append(all, column{"lost", func(s *compare.Summary) string { return decimals(s.Dropped, 1) + " %" }})
}

// detailRows is the table of one profile and workload, with its head.
func detailRows(f *compare.File, workload, profile string) [][]string {
	columns := columnsOf(workload)
	rows := [][]string{{""}}
	for _, c := range columns {
		rows[0] = append(rows[0], c.head)
	}
	for _, t := range f.Header.Transports {
		if s := compare.Find(f.Summary, t.Name, profile, workload); s != nil {
			row := []string{t.Name}
			for _, c := range columns {
				row = append(row, c.text(s))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// OneTable writes one workload with a row for each transport and link: what a transport is judged by, without anything
// to explain it.
func OneTable(w io.Writer, f *compare.File, workload string) {
	columns := columnsOf(workload)
	rows := [][]string{{"link", "transport"}}
	for _, c := range columns {
		rows[0] = append(rows[0], c.head)
	}
	for _, p := range f.Header.Profiles {
		name := p.Name
		for _, t := range f.Header.Transports {
			if s := compare.Find(f.Summary, t.Name, p.Name, workload); s != nil {
				row := []string{name, t.Name}
				for _, c := range columns {
					row = append(row, c.text(s))
				}
				rows, name = append(rows, row), ""
			}
		}
	}
	grid(w, rows)
}

// grid writes rows with the first column to the left and the others to the right.
func grid(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString("  " + cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// number is a latency or another figure with three digits that count; a dash if there is none.
func number(n compare.Number) string {
	f := float64(n)
	switch {
	case math.IsNaN(f):
		return "–"
	case math.IsInf(f, 0):
		return "never"
	case f < 10 && f != math.Trunc(f):
		return fmt.Sprintf("%.2f", f)
	case f < 100 && f != math.Trunc(f):
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.0f", f)
	}
}

func decimals(n compare.Number, places int) string {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return number(n)
	}
	return fmt.Sprintf("%.*f", places, float64(n))
}

func spread(r compare.Range) string {
	if r[0].Missing() {
		return ""
	}
	return fmt.Sprintf(" [%s–%s]", number(r[0]), number(r[1]))
}
