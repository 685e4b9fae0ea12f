package labtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The file format of JUnit, as build servers read it: a suite for each group, a case for each rule.

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit's XML. Rules that could not be played because of another that failed count as
// failed, others as skipped; so do those that a server may do without. What works, but not as written, passes.
func (r *Report) WriteJUnit(w io.Writer) error {
	seconds := func(ms float64) string { return fmt.Sprintf("%.3f", ms/1000) }
	all := junitSuites{Name: "labtest " + r.Server + " " + r.Transport + " " + r.Profile + " " + r.Dialect, Time: seconds(r.DurationMS)}
	for _, group := range Groups() {
		s := junitSuite{Name: group, Timestamp: r.Began.UTC().Format(time.RFC3339)}
		ms := 0.0
		for _, result := range r.Results {
			if result.Group != group {
				continue
			}
			c := result.junit()
			c.Time, c.Class = seconds(result.Duration), "labtest."+group
			ms += result.Duration
			s.Tests++
			if c.Failure != nil {
				s.Failures++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
			s.Cases = append(s.Cases, c)
		}
		if s.Tests == 0 {
			continue
		}
		s.Time = seconds(ms)
		all.Tests, all.Failures, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped
		all.Suites = append(all.Suites, s)
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	}
	if err != nil {
		return fmt.Errorf("labtest: writing JUnit: %w", err)
	}
	return nil
}

// junit is the case of one rule.
func (r Result) junit() junitCase {
	c := junitCase{Name: r.ID}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.Rule.Text, oneLine(r.Note))
	if r.Finding != nil {
		fmt.Fprintf(&b, "expected: %s\nactual:   %s\n", escape(r.Finding.Expected), escape(r.Finding.Actual))
	}
	switch {
	case r.failed():
		fmt.Fprintf(&b, "hint: %s\n", r.Hint)
		for _, e := range r.Transcript {
			fmt.Fprintln(&b, e)
		}
		c.Failure = &junitMessage{Message: r.Rule.Text, Text: b.String()}
	case r.Verdict == Skipped || r.Verdict == Unsupported:
		c.Skipped = &junitMessage{Message: oneLine(r.Note)}
	case r.Verdict == NonStrict:
		c.Output = b.String()
	}
	return c
}
