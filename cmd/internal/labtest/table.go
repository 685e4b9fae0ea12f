package labtest

import (
	"fmt"
	"io"
	"strings"
)

// What people read: a line for each rule while the run goes on, the failures in full, and the scores.

// WriteProgress writes one result as a line.
func WriteProgress(w io.Writer, r Result) {
	points, max := earned(r)
	score := fmt.Sprintf("%s/%s", trim(points), trim(max))
	if r.Excused {
		score = "-"
	}
	fmt.Fprintf(w, "%-11s %-26s %9s  %s\n", strings.ToUpper(string(r.Verdict)), r.ID, score, r.Rule.Text)
	if r.Note != "" {
		fmt.Fprintf(w, "%-11s %s\n", "", oneLine(r.Note))
	}
}

// trim writes a number of points without needless zeros.
func trim(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
}

// oneLine makes text that may quote a stranger safe to print on one line.
func oneLine(s string) string { return strings.ReplaceAll(escape(s), `\"`, `"`) }

// WriteFailures writes everything about the rules that were not passed: what was expected and what came, the transcript,
// a hint, and how to play only this rule again.
func (r *Report) WriteFailures(w io.Writer) {
	for _, result := range r.Results {
		if result.Verdict == Fail || result.Verdict == NonStrict {
			r.writeFailure(w, result)
		}
	}
	if r.Died != nil {
		fmt.Fprintf(w, "\nThe server ended during %s: %s.\nThe last message it got was\n    %s\n", r.Died.Rule, r.Died.How, r.Died.Message)
	}
}

func (r *Report) writeFailure(w io.Writer, result Result) {
	fmt.Fprintf(w, "\n--- %s: %s\n", strings.ToUpper(string(result.Verdict)), result.ID)
	fmt.Fprintf(w, "rule      %s\n          (%s)\n", result.Rule.Text, result.Where)
	if result.Note != "" {
		fmt.Fprintf(w, "note      %s\n", oneLine(result.Note))
	}
	if f := result.Finding; f != nil {
		f.write(w)
	}
	fmt.Fprintf(w, "hint      %s\n", result.Hint)
	if result.Against != "" {
		fmt.Fprintf(w, "but       %s\n", result.Against)
	}
	fmt.Fprintf(w, "again     %s\n", result.Command)
	fmt.Fprintln(w, "transcript (→ sent, ← received)")
	entries, left := result.Transcript, 0
	if len(entries) > transcriptLinesMax {
		left = len(entries) - transcriptLinesMax
		entries = entries[left:]
		fmt.Fprintf(w, "    … %d earlier entries, see --json or --html\n", left)
	}
	for _, e := range entries {
		fmt.Fprintf(w, "    %s\n", e)
	}
}

// write shows expected and actual line by line, side by side where they fit, with a caret below the first difference.
func (f *Finding) write(w io.Writer) {
	expected, actual := quoteLines(f.Expected), quoteLines(f.Actual)
	wide := len("expected")
	for _, l := range expected {
		wide = max(wide, len([]rune(l)))
	}
	row, column := f.lineOfDiff()
	if wide > sideBySideMax {
		fmt.Fprintf(w, "expected  %s\n", strings.Join(expected, "\n          "))
		fmt.Fprintf(w, "actual    %s\n", strings.Join(actual, "\n          "))
		if row >= 0 {
			fmt.Fprintf(w, "          they differ from byte %d on: line %d, column %d\n", f.DiffAt+1, row+1, column+1)
		}
		return
	}
	fmt.Fprintf(w, "          %-*s   actual\n", wide, "expected")
	for i := range max(len(expected), len(actual)) {
		var e, a string
		if i < len(expected) {
			e = expected[i]
		}
		if i < len(actual) {
			a = actual[i]
		}
		fmt.Fprintf(w, "          %s%s   %s\n", e, strings.Repeat(" ", wide-len([]rune(e))), a)
		if i == row {
			at := len([]rune(escape(lineOf(f.Expected, row)[:min(column, len(lineOf(f.Expected, row)))])))
			fmt.Fprintf(w, "          %s^ first difference\n", strings.Repeat(" ", at))
		}
	}
}

// lineOf returns line i of s, without the others.
func lineOf(s string, i int) string {
	lines := strings.SplitAfter(s, "\n")
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// quoteLines splits s behind its newlines and escapes each line, the newline included.
func quoteLines(s string) []string {
	var lines []string
	for _, l := range strings.SplitAfter(s, "\n") {
		if l != "" {
			lines = append(lines, strings.ReplaceAll(escape(l), `\"`, `"`))
		}
	}
	if len(lines) == 0 {
		return []string{"(nothing)"}
	}
	return lines
}

// lineOfDiff is where the first difference is in what was expected: line and byte in the line; -1 if there is none.
func (f *Finding) lineOfDiff() (row, column int) {
	if f.DiffAt < 0 || f.DiffAt > len(f.Expected) {
		return -1, 0
	}
	before := f.Expected[:f.DiffAt]
	row = strings.Count(before, "\n")
	return row, len(before) - (strings.LastIndex(before, "\n") + 1)
}

// WriteScores writes the score of each group, and the total on the last line.
func (r *Report) WriteScores(w io.Writer) {
	fmt.Fprintf(w, "\n%-13s %10s %7s   %5s %5s %10s %11s %8s\n", "group", "points", "%", "pass", "fail", "non-strict", "unsupported", "skipped")
	for _, g := range r.Grade.Groups {
		percent := "-"
		if g.Max > 0 {
			percent = fmt.Sprintf("%.1f", g.Percent)
		}
		fmt.Fprintf(w, "%-13s %10s %7s   %5d %5d %10d %11d %8d\n", g.Group, trim(g.Earned)+"/"+trim(g.Max), percent,
			g.Verdicts[Pass], g.Verdicts[Fail], g.Verdicts[NonStrict], g.Verdicts[Unsupported], g.Verdicts[Skipped])
	}
	fmt.Fprintf(w, "\n%s over %s, profile %s, dialect %s, %.1f s\n", r.Server, r.Transport, r.Profile, r.Dialect, r.DurationMS/1000)
	if r.Grade.Course != nil && r.Grade.Total.Max > 0 {
		fmt.Fprintf(w, "rules: %s of %s points (%.1f %%)\n", trim(r.Grade.Total.Earned), trim(r.Grade.Total.Max), r.Grade.Total.Percent)
	}
	fmt.Fprintln(w, r.LastLine())
}

// LastLine is the total in one line: the course's grade where there is one, otherwise the points of all rules.
func (r *Report) LastLine() string {
	c := r.Grade.Course
	if c == nil {
		return fmt.Sprintf("score: %s of %s points (%.1f %%)", trim(r.Grade.Total.Earned), trim(r.Grade.Total.Max), r.Grade.Total.Percent)
	}
	kill := "not measured"
	if c.Kill.Max > 0 {
		kill = trim(c.Kill.Earned) + "/" + trim(c.Kill.Max)
	}
	return fmt.Sprintf("grade: %d of %d (%.1f %%): base %s/%d, chat %s/%d, KILL_SERVICE %s",
		c.Grade, c.Max, c.Percent, trim(c.Base.Earned), courseBase, trim(c.Chat.Earned), courseChat, kill)
}
