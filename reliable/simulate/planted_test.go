package simulate

import (
	"fmt"
	"strings"
	"testing"

	"udpchat/reliable/internal/planted"
)

// plantedSeedsMax is within how many seeds each planted mistake must be noticed.
const plantedSeedsMax = 200

// A checker that never complains proves nothing: every mistake that can be planted must be noticed.
func TestSimulationNoticesPlantedMistakes(t *testing.T) {
	slow(t)
	bugs := planted.All()
	lines := make([]string, len(bugs))
	share(t, len(bugs), func(t *testing.T, i int) {
		r, seed := hunt(t, bugs[i])
		if r == nil {
			t.Errorf("%v was not noticed in %d seeds", bugs[i], plantedSeedsMax)
			return
		}
		lines[i] = fmt.Sprintf("%-18v seed %3d: %v", bugs[i], seed, firstLine(r.Violation.Error()))
	})
	report(t, fmt.Sprintf("planted mistakes, and by which seed each was noticed:\n%s", strings.Join(lines, "\n")))
}

// hunt returns the first run that notices the mistake, nil if none does.
func hunt(t *testing.T, bug planted.Bug) (*Result, uint64) {
	for seed := range uint64(plantedSeedsMax) {
		if r := simulate(t, NewScenario(seed), bug); r.Violation != nil {
			return r, seed
		}
	}
	return nil, 0
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
