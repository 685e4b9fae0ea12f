package stage

import (
	"fmt"
	"strconv"
	"strings"
)

// quote writes bytes as lines of a transcript.
func quote(b []byte) string {
	var out strings.Builder
	for rest := string(b); rest != ""; {
		line, after, ended := strings.Cut(rest, "\n")
		rest = after
		line = strconv.Quote(line)
		line = strings.ReplaceAll(line[1:len(line)-1], `\"`, `"`)
		if strings.HasSuffix(line, " ") {
			line = line[:len(line)-1] + `\x20`
		}
		mark := "|"
		if !ended {
			mark = "/"
		}
		out.WriteString(strings.TrimRight(mark+" "+line, " ") + "\n")
	}
	return out.String()
}

// unquote is the reverse.
func (p *player) unquote(lines string) string {
	var out strings.Builder
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.TrimPrefix(line[1:], " "), `"`, `\"`) + `"`)
		if err != nil {
			p.t.Fatalf("line %q: %v", line, err)
		}
		out.WriteString(text)
		if line[0] == '|' {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// FirstDifference shows where two transcripts part, with a little around it.
func FirstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	around := func(lines []string) string {
		return strings.Join(lines[max(0, min(i, len(lines))-4):min(len(lines), i+8)], "\n")
	}
	return fmt.Sprintf("first different line: %d\n--- got\n%s\n--- want\n%s", i+1, around(g), around(w))
}
