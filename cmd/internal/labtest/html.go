package labtest

import (
	_ "embed" // For the template.
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed report.html.tmpl
var reportTemplate string

//go:embed style.css
var style string

// WriteHTML writes the report as one self-contained page: the scores, and a section for each rule with what was
// expected, what came, the transcript, a hint and the command that plays it again.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(htmlFuncs()).Parse(reportTemplate)
	if err != nil {
		panic(fmt.Sprintf("BUG: labtest: the report's template: %v", err))
	}
	if err := t.Execute(w, r); err != nil {
		return fmt.Errorf("labtest: writing HTML: %w", err)
	}
	return nil
}

// htmlFuncs are what the templates need beside the values.
func htmlFuncs() template.FuncMap {
	return template.FuncMap{
		"style":   func() template.CSS { return template.CSS(style) }, // Ours, not a stranger's.
		"number":  trim,
		"line":    oneLine,
		"marked":  (*Finding).marked,
		"score":   func(r Result) string { return r.score() },
		"groups":  func(r *Report) []htmlGroup { return r.htmlGroups() },
		"total":   func(r *Report) string { return r.LastLine() },
		"arrow":   func(d string) string { return map[string]string{sent: "→", received: "←", noted: "·"}[d] },
		"seconds": func(ms float64) string { return fmt.Sprintf("%.1f", ms/1000) },
		"when":    func(t time.Time) string { return t.Format("2006-01-02 15:04 MST") },
		"count":   func(v map[Verdict]int, verdict string) int { return v[Verdict(verdict)] },
		"open":    func(r Result) bool { return r.Verdict == Fail || r.Verdict == NonStrict },
	}
}

// score is a rule's points as text; a dash if there were none to earn.
func (r Result) score() string {
	points, max := earned(r)
	if r.Excused {
		return "–"
	}
	return trim(points) + "/" + trim(max)
}

// An htmlGroup is one group of the page.
type htmlGroup struct {
	GroupScore
	Results []Result
}

func (r *Report) htmlGroups() []htmlGroup {
	groups := make([]htmlGroup, 0, len(r.Grade.Groups))
	for _, s := range r.Grade.Groups {
		g := htmlGroup{GroupScore: s}
		for _, result := range r.Results {
			if result.Group == s.Group {
				g.Results = append(g.Results, result)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// A markedText is text before and from the first difference, each line escaped.
type markedText struct{ Same, Other string }

// marked cuts expected and actual at the first difference; without one everything is the same.
func (f *Finding) marked() (both struct{ Expected, Actual markedText }) {
	cut := func(s string) markedText {
		at := len(s)
		if f.DiffAt >= 0 {
			at = min(f.DiffAt, len(s))
		}
		return markedText{Same: escapeLines(s[:at]), Other: escapeLines(s[at:])}
	}
	both.Expected, both.Actual = cut(f.Expected), cut(f.Actual)
	return both
}

// escapeLines escapes s, with a real line break behind every escaped one.
func escapeLines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(escape(s), `\"`, `"`), `\n`, "\\n\n")
}
