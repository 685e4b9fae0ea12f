// Package origin knows which commit a program was built from.
package origin

import (
	"runtime/debug"
	"strings"
)

// revision is what make says; see Revision.
var revision string

const (
	hashChars = 12
	dirty     = "-dirty"
)

// Revision returns the first 12 characters of the commit the program was built from, empty if nobody knows, and whether there were
// changes that are in no commit. The Go command tells, and where it was told not to look (-buildvcs=false), the makefile does.
func Revision() (commit string, changed bool) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value[:min(len(s.Value), hashChars)]
			case "vcs.modified":
				changed = s.Value == "true"
			}
		}
	}
	if commit == "" {
		commit, changed = strings.CutSuffix(revision, dirty)
	}
	return commit, changed
}
