package report

import (
	"strings"

	"udpchat/cmd/internal/compare"
)

// pairs says of which transports on a link no difference was shown, each compared with each: their runs had the same seeds, and the
// intervals of what the workload is about overlap. Empty: there are not two.
func pairs(f *compare.File, workload, profile string) string {
	head := headlineOf(f, workload)
	var names []string
	var ranges []compare.Range
	for _, t := range f.Header.Transports {
		s := compare.Find(f.Summary, t.Name, profile, workload)
		if s == nil {
			continue
		}
		if value, ci := head.of(s); !value.Missing() {
			names, ranges = append(names, t.Name), append(ranges, ci)
		}
	}
	var alike []string
	count, all := 0, len(names)*(len(names)-1)/2
	for i, name := range names {
		var others []string
		for j := i + 1; j < len(names); j++ {
			if !ranges[i].Differ(ranges[j]) {
				others = append(others, names[j])
			}
		}
		if n := len(others); n > 0 {
			count += n
			alike = append(alike, name+" and "+strings.Join(others, ", "))
		}
	}
	switch {
	case all == 0:
		return ""
	case count == 0:
		return "All differ in " + head.short + ": no two intervals overlap."
	case count == all:
		return "No difference shown in " + head.short + " between any two of them."
	}
	return "No difference shown in " + head.short + " between " + strings.Join(alike, "; ") + ". All other pairs differ."
}
