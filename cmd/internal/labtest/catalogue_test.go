package labtest

import (
	"slices"
	"strings"
	"testing"
)

// Every rule can be named, found, understood and earned, and needs only rules that are there and are played before it.
func TestRulesAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range Rules() {
		switch {
		case seen[r.ID]:
			t.Errorf("%s is there twice", r.ID)
		case !slices.Contains(Groups(), r.Group):
			t.Errorf("%s is in no group: %q", r.ID, r.Group)
		case r.Points < 1 || r.Text == "" || r.Where == "" || r.Hint == "":
			t.Errorf("%s lacks something: %+v", r.ID, r)
		case !strings.HasSuffix(r.Text, ".") || !strings.HasSuffix(r.Hint, "."):
			t.Errorf("%s: text and hint are sentences", r.ID)
		}
		for _, need := range r.needs {
			if !seen[need] {
				t.Errorf("%s needs %s, which is not played before it", r.ID, need)
			}
		}
		seen[r.ID] = true
	}
}

// The scenario's points are those of the course: 1,275 up to DISCONNECT, as a published log of its tester says.
func TestScenarioHasThePointsOfTheCourse(t *testing.T) {
	base, chat, before, kill := 0, 0, 0, 0
	for _, r := range Rules() {
		switch {
		case r.Group != groupGraded:
		case slices.Contains(courseBaseRules(), r.ID):
			base += r.Points
		case r.ID == ruleGradedKill:
			kill += r.Points
		default:
			chat += r.Points
			if !strings.HasPrefix(r.ID, "graded.disconnect") && r.ID != "graded.again" {
				before += r.Points
			}
		}
	}
	before -= 2 * coursePerCheck // graded.nothing has two checks after DISCONNECT.
	if base != courseBase || chat != courseChat || kill != courseKill || before != 1275 {
		t.Errorf("base %d, chat %d (%d before DISCONNECT), kill %d", base, chat, before, kill)
	}
}

func TestGradeOfResults(t *testing.T) {
	result := func(group string, points int, v Verdict) Result {
		return Result{Rule: Rule{ID: group, Group: group, Points: points}, Outcome: Outcome{Verdict: v}}
	}
	excused := result(groupKill, 8, Skipped)
	excused.Excused = true
	g := grade([]Result{
		result(groupBase, 4, Pass), result(groupBase, 4, Fail), result(groupJoin, 5, NonStrict), result(groupJoin, 1, Skipped),
		result(groupErrors, 2, Unsupported), excused,
	})
	if g.Total.Earned != 6.5 || g.Total.Max != 16 || g.Total.Percent != 40.6 || g.Course != nil {
		t.Errorf("%+v", g)
	}
	if len(g.Groups) != 4 || g.Groups[1].Earned != 2.5 || g.Groups[3].Max != 0 {
		t.Errorf("%+v", g.Groups)
	}
}

func TestEscapeShowsEverythingOnOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\r\t\\\"":       `a\nb\r\t\\\"`,
		"\x00\x1b[31m\xff":   `\x00\x1b[31m\xff`,
		"größer \u202e 🙂":    `größer \u{202e} 🙂`,
		"\u0085\u200b\ufeff": `\u{85}\u{200b}\u{feff}`,
	} {
		if got := escape(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
