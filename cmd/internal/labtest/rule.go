package labtest

import "slices"

// Transports.
const (
	TCP   = "tcp"
	UDP   = "udp"   // Reliable UDP.
	Plain = "plain" // Plain datagrams, one message each.
)

// Profiles.
const (
	AsGraded    = "as-graded"    // What the course's own tester wanted.
	AsSpecified = "as-specified" // The document to the letter.
)

// Dialects of requests.
const (
	Dialect2017 = "2017" // One space behind every colon.
	Dialect2015 = "2015" // None in JOIN and DISCONNECT, one in LEAVE and CHAT.
)

// All is every profile or every transport, for lists.
const All = "all"

// A Rule is one sentence of the protocol that can be checked from outside.
type Rule struct {
	ID     string `json:"id"`
	Group  string `json:"group"`
	Points int    `json:"points"`
	Text   string `json:"text"`  // The rule, one sentence.
	Where  string `json:"where"` // Where it comes from.
	Hint   string `json:"hint"`  // What usually is wrong with a server that fails.

	// Against is what the other profile wants instead, and why a server cannot pass both; empty for most.
	Against string `json:"against,omitempty"`

	Profiles   []string `json:"profiles,omitempty"`   // In which the rule applies; empty: all.
	Transports []string `json:"transports,omitempty"` // Over which it applies; empty: all.

	needs []string // Rules without which this one cannot be played.
}

// applies reports whether the rule is part of a run.
func (r Rule) applies(profile, transport string) bool {
	return (len(r.Profiles) == 0 || profile == All || slices.Contains(r.Profiles, profile)) &&
		(len(r.Transports) == 0 || transport == All || slices.Contains(r.Transports, transport))
}

// Groups, in the order in which they are shown.
const (
	groupGraded      = "scenario" // The course's tester's.
	groupBase        = "base"
	groupJoin        = "join"
	groupLeave       = "leave"
	groupMessaging   = "messaging"
	groupRooms       = "rooms"
	groupClients     = "clients"
	groupDisconnect  = "disconnect"
	groupErrors      = "errors"
	groupUDP         = "udp"
	groupConcurrency = "concurrency"
	groupRobustness  = "robustness"
	groupKill        = "kill"
)

// Groups returns the names of all groups in the order in which they are shown.
func Groups() []string {
	return []string{
		groupGraded, groupBase, groupJoin, groupMessaging, groupLeave, groupRooms, groupClients, groupDisconnect,
		groupUDP, groupConcurrency, groupErrors, groupRobustness, groupKill,
	}
}

// An act is what is played at one go: usually one rule, sometimes several that one conversation decides.
type act struct {
	rules []Rule
	play  func(*player)
	risk  int // What it may do to a server: see the constants.
}

// How likely a weak server does not survive an act. Acts are played from the harmless to the harmful, whatever their
// group, so that what one breaks is not missing for another.
const (
	harmless = iota // Good manners: whole messages that make sense, each waiting for its answer.
	unusual         // What the document allows and few clients do.
	wrong           // What a server should refuse, and much at once.
	rude            // What breaks servers.
	deadly          // KILL_SERVICE.
)

// risky sets the risk of acts that have none of their own.
func risky(risk int, acts ...act) []act {
	for i := range acts {
		acts[i].risk = max(acts[i].risk, risk)
	}
	return acts
}

// one makes an act of one rule.
func one(r Rule, play func(*player)) act { return act{rules: []Rule{r}, play: play} }

// group puts acts into a group.
func group(name string, acts ...act) []act {
	for _, a := range acts {
		for i := range a.rules {
			a.rules[i].Group = name
		}
	}
	return acts
}

// A Verdict is what became of a rule.
type Verdict string

// Verdicts.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"
	NonStrict   Verdict = "non-strict"  // It works, but not as written: half the points.
	Unsupported Verdict = "unsupported" // The server does without something it may do without, or says no.
	Skipped     Verdict = "skipped"     // Not played, see the reason.
)

// An Outcome is what a rule's play found.
type Outcome struct {
	Verdict  Verdict  `json:"verdict"`
	Note     string   `json:"note,omitempty"` // Why it was skipped, or what is lax, in one sentence.
	Finding  *Finding `json:"finding,omitempty"`
	Excused  bool     `json:"excused,omitempty"` // Skipped without fault of this part of the server: no points to lose.
	Passed   int      `json:"checks_passed,omitempty"`
	Checks   int      `json:"checks,omitempty"` // For rules that count their checks; otherwise 0.
	Duration float64  `json:"duration_ms"`

	entries int // Of the transcript, up to the finding; 0: all.
}

// A Finding is what was expected and what came.
type Finding struct {
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	// DiffAt is the first byte at which the two differ, -1 if they are not to be compared byte by byte.
	DiffAt int `json:"diff_at"`
}

// compareBytes makes a finding of two texts that should be the same.
func compareBytes(expected, actual string) *Finding {
	f := &Finding{Expected: shorten(expected), Actual: shorten(actual)}
	for f.DiffAt < min(len(f.Expected), len(f.Actual)) && f.Expected[f.DiffAt] == f.Actual[f.DiffAt] {
		f.DiffAt++
	}
	return f
}

// describe makes a finding of two descriptions.
func describe(expected, actual string) *Finding {
	return &Finding{Expected: shorten(expected), Actual: shorten(actual), DiffAt: -1}
}

func shorten(s string) string {
	if len(s) <= findingBytesMax {
		return s
	}
	return s[:findingBytesMax] + "…"
}
