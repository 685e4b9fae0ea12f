package labtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Report is what one run found.
type Report struct {
	Server      string    `json:"server"`
	Transport   string    `json:"transport"`
	Profile     string    `json:"profile"`
	Dialect     string    `json:"dialect"`
	Only        []string  `json:"only,omitempty"`
	Skip        []string  `json:"skip,omitempty"`
	LossPercent float64   `json:"loss_percent"`
	Began       time.Time `json:"began"`
	DurationMS  float64   `json:"duration_ms"`
	Grade       Grade     `json:"grade"`
	Died        *Death    `json:"died,omitempty"` // The server's end, if it was not asked for.
	Results     []Result  `json:"results"`
}

// A Death says when a server stopped to answer without having been asked to.
type Death struct {
	Rule    string `json:"rule"`    // The last rule played,
	Message string `json:"message"` // and the last message sent in it.
	How     string `json:"how"`
	group   string
	risk    int
}

// Failed reports whether some rule failed, or could not be played because of another that did.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Results, Result.failed)
}

// failed reports whether the rule failed, or could not be played because of another that did.
func (r Result) failed() bool { return r.Verdict == Fail || r.Verdict == Skipped && !r.Excused }

// Command is the command line that plays only this rule again.
func (r *Report) Command(rule string) string {
	words := []string{"udpchat labtest", shellWord(r.Server), "--profile " + r.Profile}
	if r.Transport != TCP {
		words = append(words, "--transport "+r.Transport)
	}
	if r.Dialect != Dialect2017 {
		words = append(words, "--dialect "+r.Dialect)
	}
	if strings.HasPrefix(rule, "udp.loss") {
		words = append(words, fmt.Sprintf("--loss %g", r.LossPercent))
	}
	return strings.Join(append(words, "--only "+rule), " ")
}

// shellWord quotes s if a shell would take it for more than one word.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".:-_[]%", c))
	}) || s == "" {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
