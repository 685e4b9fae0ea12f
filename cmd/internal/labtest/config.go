package labtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config says what to test and how. It is copied; a zero field means its default.
type Config struct {
	Server    string // HOST:PORT.
	Transport string // TCP (default), UDP or Plain.
	Profile   string // AsGraded (default) or AsSpecified.
	Dialect   string // Dialect2017 (default) or Dialect2015.

	Only []string // IDs or groups of the rules to play; empty: all.
	Skip []string // IDs or groups of rules not to play.

	// LossPercent is what the bad link loses in each direction, in the rules about it. 0: they are skipped.
	LossPercent float64

	// Timeout is how long an answer may take before it counts as missing. Default TimeoutDefault.
	Timeout time.Duration

	// Progress is called with each result, in order, on the goroutine of Run. Nil: nobody wants to know.
	Progress func(Result)

	// Hasty leaves out the waiting for what must not come: for a run whose verdicts nobody reads.
	Hasty bool

	// For tests, which have many runs to make.
	quietFor time.Duration // Instead of quietTime; 0: quietTime.
	cutStep  int           // Messages are cut at every so many bytes; 0: at every one.
}

// withDefaults fills in the defaults and reports what is wrong.
func (c Config) withDefaults() (Config, error) {
	orElse := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	orElse(&c.Transport, TCP)
	orElse(&c.Profile, AsGraded)
	orElse(&c.Dialect, Dialect2017)
	if c.Timeout == 0 {
		c.Timeout = TimeoutDefault
	}
	switch {
	case !slices.Contains([]string{TCP, UDP, Plain}, c.Transport) && c.Transport != All:
		return c, fmt.Errorf("labtest: transport %q: want %s, %s or %s", c.Transport, TCP, UDP, Plain)
	case c.Profile != AsGraded && c.Profile != AsSpecified && c.Profile != All:
		return c, fmt.Errorf("labtest: profile %q: want %s or %s", c.Profile, AsGraded, AsSpecified)
	case c.Dialect != Dialect2017 && c.Dialect != Dialect2015:
		return c, fmt.Errorf("labtest: dialect %q: want %s or %s", c.Dialect, Dialect2017, Dialect2015)
	case c.Timeout < timeoutMin || c.Timeout > timeoutMax:
		return c, fmt.Errorf("labtest: timeout %v: want %v to %v", c.Timeout, timeoutMin, timeoutMax)
	case c.LossPercent < 0 || c.LossPercent > 60:
		return c, errors.New("labtest: loss: want 0 to 60 per cent")
	}
	for _, name := range slices.Concat(c.Only, c.Skip) {
		if err := checkName(name); err != nil {
			return c, err
		}
	}
	if len(c.Only) > 0 && !slices.ContainsFunc(Rules(), c.wants) {
		return c, fmt.Errorf("labtest: %s: not with profile %s over %s", strings.Join(c.Only, ", "), c.Profile, c.Transport)
	}
	return c, nil
}

// wants reports whether a rule is part of the run.
func (c Config) wants(r Rule) bool {
	named := func(names []string) bool { return slices.Contains(names, r.ID) || slices.Contains(names, r.Group) }
	return r.applies(c.Profile, c.Transport) && (len(c.Only) == 0 || named(c.Only)) && !named(c.Skip)
}

// quiet is how long nothing must come until nothing comes.
func (c Config) quiet() time.Duration {
	if c.Hasty {
		return 5 * time.Millisecond
	}
	if c.quietFor > 0 {
		return c.quietFor
	}
	return quietTime
}

// checkName reports whether there is a rule or a group of that name.
func checkName(name string) error {
	if slices.Contains(Groups(), name) {
		return nil
	}
	for _, r := range Rules() {
		if r.ID == name {
			return nil
		}
	}
	return &UnknownRuleError{Name: name}
}

// An UnknownRuleError says that a name is none of a rule or a group.
type UnknownRuleError struct{ Name string }

func (e *UnknownRuleError) Error() string {
	return fmt.Sprintf("labtest: there is no rule or group %q", e.Name)
}
