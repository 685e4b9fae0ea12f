package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnreadable means that there is no file of settings under that name, or that it cannot be read.
var ErrUnreadable = errors.New("cannot read the file")

// A Problem is one key or value that cannot be used.
type Problem struct {
	Key    string
	Value  string // Printable; long values are cut.
	Source string // "flag --student-id", "environment UDPCHAT_STUDENT_ID", "file PATH".
	Detail string // What is wrong; empty if Want says it.
	Want   string // What is allowed.
}

// String is the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s = %s (%s)", p.Key, p.Value, p.Source)
	if p.Detail != "" {
		fmt.Fprintf(&b, ": %s", p.Detail)
	}
	if p.Want != "" {
		fmt.Fprintf(&b, ": must be %s", p.Want)
	}
	return b.String()
}

// Error is everything that is wrong with a configuration, so that one run finds all of it.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	if len(lines) == 1 {
		return "config: " + lines[0]
	}
	return fmt.Sprintf("config: %d problems\n  %s", len(lines), strings.Join(lines, "\n  "))
}

const valueShownMax = 80 // Bytes of a bad value that an error shows; the rest is cut.

// shown is a bad value as an error prints it: quoted, so that no control character gets to the terminal.
func shown(v any) string {
	s := fmt.Sprint(v)
	if len(s) > valueShownMax {
		s = s[:valueShownMax] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// nearest is the known name that text is a misspelling of, or "".
func nearest(text string, known []string) string {
	best, bestDistance := "", 3 // Two edits are a typing mistake, three are another word.
	for _, k := range known {
		if d := distance(text, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the edit distance of two names (inserted, deleted and changed bytes).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
