package clean

import "strings"

const (
	ellipsis     = '…'
	lineMark     = '⏎' // Stands where Line found a line break.
	dottedCircle = '◌' // Carries a combining mark that has nothing to sit on.
	replacement  = '\uFFFD'
)

// Line returns s as one line that is safe to print. Line breaks inside s become the mark U+23CE;
// those at its ends disappear. A result longer than lineRunesMax is cut and ends with an ellipsis.
func Line(s string) string {
	lines := splitLines(strings.ToValidUTF8(s, string(replacement)))
	lines = trimEmpty(lines)
	var b strings.Builder
	left := lineRunesMax
	for i, line := range lines {
		if i > 0 {
			left = appendRune(&b, lineMark, left)
		}
		left = appendClean(&b, line, left)
	}
	return cut(b.String(), lineRunesMax)
}

// Text returns s as lines that are each safe to print, without empty ones at the beginning and at
// the end. It returns nil if nothing printable is left. More than textLinesMax lines, or more than
// lineRunesMax characters in all, are cut and end with an ellipsis.
func Text(s string) []string {
	var lines []string
	left := lineRunesMax
	for _, line := range splitLines(strings.ToValidUTF8(s, string(replacement))) {
		var b strings.Builder
		before := left
		left = appendClean(&b, line, left)
		lines = append(lines, cut(b.String(), before))
		if left < 0 {
			break
		}
	}
	lines = trimEmpty(lines)
	if len(lines) == 0 {
		return nil
	}
	if len(lines) > textLinesMax {
		lines = append(lines[:textLinesMax-1:textLinesMax-1], string(ellipsis))
	}
	return lines
}

// Name returns s as the name of a person or a room: what Line makes of it, but line breaks are
// spaces, spaces are trimmed and never follow each other, and at most nameRunesMax characters are
// left. A name with nothing printable in it becomes "?", so that there is always something to see.
func Name(s string) string {
	lines := splitLines(strings.ToValidUTF8(s, string(replacement)))
	var b strings.Builder
	// Spaces count before they are squeezed, hence the generous bound here and the exact one below.
	left := lineRunesMax
	for i, line := range lines {
		if i > 0 {
			left = appendRune(&b, ' ', left)
		}
		left = appendClean(&b, line, left)
	}
	name := cut(strings.Join(strings.Fields(b.String()), " "), nameRunesMax)
	if name == "" {
		return "?"
	}
	return name
}

// splitLines cuts s at every kind of line break Unicode knows; CRLF is one.
func splitLines(s string) []string {
	var lines []string
	start := 0
	for i, r := range s {
		switch r {
		case '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
			if r == '\n' && i > 0 && s[i-1] == '\r' {
				start = i + 1
				continue
			}
			lines = append(lines, s[start:i])
			start = i + len(string(r))
		}
	}
	return append(lines, s[start:])
}

// trimEmpty returns lines without the empty ones at both ends.
func trimEmpty(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// cut returns s if it has at most runesMax characters, and otherwise its beginning and an ellipsis,
// runesMax characters in all. A runesMax of zero or less gives nothing.
func cut(s string, runesMax int) string {
	n, last := 0, 0 // last is where the character begins that the ellipsis would replace
	for i := range s {
		n++
		if n == runesMax {
			last = i
		}
		if n > runesMax {
			if runesMax <= 0 {
				return ""
			}
			return strings.TrimRight(s[:last], " ") + string(ellipsis)
		}
	}
	return s
}
