package labtest

import (
	"math"
	"slices"
)

// A Score is points earned of points there were.
type Score struct {
	Earned  float64 `json:"earned"`
	Max     float64 `json:"max"`
	Percent float64 `json:"percent"` // 0 if there were none.
}

// A GroupScore is the score of one group and how its rules ended.
type GroupScore struct {
	Group string `json:"group"`
	Score
	Verdicts map[Verdict]int `json:"verdicts"`
}

// A Grade is all of a report in numbers.
type Grade struct {
	Total  Score        `json:"total"` // Over all groups but the course's scenario, whose points are others.
	Groups []GroupScore `json:"groups"`
	Course *Course      `json:"course,omitempty"` // With profile as-graded, unless the scenario was left out.
}

// A Course is the grade on the scale of the course's tester: 20 for the base, 70 for the chat, 10 for KILL_SERVICE.
type Course struct {
	Base    Score   `json:"base"` // Of 75 points.
	Chat    Score   `json:"chat"` // Of 1,755.
	Kill    Score   `json:"kill"` // Of 25; Max is 0 if it was not measured.
	Grade   int     `json:"grade"`
	Max     int     `json:"max"` // 100, or what was measured of it.
	Percent float64 `json:"percent"`
}

// The course's points and what they weigh.
const (
	courseBase, courseBaseWeight = 75, 20
	courseChat, courseChatWeight = 1755, 70
	courseKill, courseKillWeight = 25, 10
	coursePerCheck               = 5 // Points of the chat.
)

// earned is how many of a rule's points its outcome is worth.
func earned(r Result) (points, max float64) {
	max = float64(r.Points)
	switch {
	case r.Excused:
		return 0, 0
	case r.Checks > 0:
		return max * float64(r.Passed) / float64(r.Checks), max
	case r.Verdict == Pass:
		return max, max
	case r.Verdict == NonStrict:
		return max / 2, max
	}
	return 0, max
}

func (s *Score) add(points, max float64) {
	s.Earned += points
	s.Max += max
}

// percent is computed once all points are there; rounded, so that sums of fractions are not shown as 99.999.
func (s *Score) finish() {
	s.Earned = math.Round(s.Earned*100) / 100
	if s.Max > 0 {
		s.Percent = math.Round(1000*s.Earned/s.Max) / 10
	}
}

// grade adds up results.
func grade(results []Result) Grade {
	var g Grade
	for _, name := range Groups() {
		s := GroupScore{Group: name, Verdicts: make(map[Verdict]int)}
		for _, r := range results {
			if r.Group == name {
				s.add(earned(r))
				s.Verdicts[r.Verdict]++
			}
		}
		if len(s.Verdicts) == 0 {
			continue
		}
		if name != groupGraded {
			g.Total.add(s.Earned, s.Max)
		}
		s.finish()
		g.Groups = append(g.Groups, s)
	}
	g.Total.finish()
	g.Course = course(results)
	return g
}

// course is the grade on the course's scale, nil without the whole scenario.
func course(results []Result) *Course {
	var c Course
	played := 0
	for _, r := range results {
		if r.Group != groupGraded {
			continue
		}
		played++
		points, max := earned(r)
		switch {
		case slices.Contains(courseBaseRules(), r.ID):
			c.Base.add(points, max)
		case r.ID == ruleGradedKill:
			c.Kill.add(points, max)
		default:
			c.Chat.add(points, max)
		}
	}
	if played == 0 || math.Round(c.Base.Max) != courseBase || math.Round(c.Chat.Max) != courseChat {
		return nil
	}
	sum := c.Base.Earned/courseBase*courseBaseWeight + c.Chat.Earned/courseChat*courseChatWeight
	c.Max = courseBaseWeight + courseChatWeight
	if c.Kill.Max > 0 {
		sum += c.Kill.Earned / courseKill * courseKillWeight
		c.Max += courseKillWeight
	}
	for _, s := range []*Score{&c.Base, &c.Chat, &c.Kill} {
		s.finish()
	}
	c.Grade = int(math.Round(sum))
	c.Percent = math.Round(1000*sum/float64(c.Max)) / 10
	return &c
}
