package labtest

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteList writes all rules that cfg would play, in the order in which they are played.
func WriteList(w io.Writer, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tGROUP\tPOINTS\tPROFILES\tTRANSPORTS\tRULE")
	orAll := func(names []string) string {
		if len(names) == 0 {
			return "all"
		}
		return strings.Join(names, ", ")
	}
	n, points := 0, 0
	for _, r := range Rules() {
		if !cfg.wants(r) {
			continue
		}
		n++
		if r.Group != groupGraded {
			points += r.Points
		}
		fmt.Fprintf(tw, "%s\t%s\t%d\t%s\t%s\t%s\n", r.ID, r.Group, r.Points, orAll(r.Profiles), orAll(r.Transports), r.Text)
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("labtest: writing the list: %w", err)
	}
	_, err = fmt.Fprintf(w, "\n%d rules; %d points beside those of the course's scenario\n", n, points)
	return err
}

// WriteSent writes what was sent in the report, rule by rule: a dry run is a run against a server that answers all.
func (r *Report) WriteSent(w io.Writer) {
	told := ""
	for _, result := range r.Results {
		fmt.Fprintf(w, "\n%s: %s\n", result.ID, result.Rule.Text)
		var b strings.Builder
		for _, e := range result.Transcript {
			if e.Direction == sent {
				fmt.Fprintf(&b, "    %-10s → \"%s\"\n", e.Socket, e.Text)
			}
		}
		switch {
		case b.Len() == 0:
			fmt.Fprintf(w, "    (nothing: %s)\n", oneLine(orElse(result.Note, "only connections")))
		case b.String() == told:
			fmt.Fprintln(w, "    (the same conversation)")
		default:
			io.WriteString(w, b.String())
			told = b.String()
		}
	}
}
