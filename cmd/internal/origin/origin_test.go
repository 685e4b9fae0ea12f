package origin

import "testing"

func TestTheMakefileTellsWhereTheGoCommandDoesNot(t *testing.T) {
	defer func(was string) { revision = was }(revision)
	for said, want := range map[string]struct {
		commit  string
		changed bool
	}{"": {"", false}, "0123456789ab": {"0123456789ab", false}, "0123456789ab-dirty": {"0123456789ab", true}} {
		revision = said
		if commit, changed := Revision(); commit != want.commit || changed != want.changed { // Tests know of no commit.
			t.Errorf("%q: got %q, %v", said, commit, changed)
		}
	}
}
