package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/cmd/internal/labtest"
)

// asksMax is how often a rule is asked again whose verdict was not the expected one: the machine may have been busy. Where all
// answers come, and when a rule is asked again, they may take allComePatience, and someMissPatience where some do not come.
const (
	asksMax          = 2
	allComePatience  = 10 * time.Second
	someMissPatience = 5 * time.Second
)

// gradeOurs runs labtest against a server of our own.
func gradeOurs(t *testing.T, mode string, cfg labtest.Config) *labtest.Report {
	t.Helper()
	profile := labtest.AsGraded
	if mode == "strict" {
		profile = labtest.AsSpecified
	}
	n, err := labServer(t.Context(), profile)
	if err != nil {
		t.Error(err)
		return &labtest.Report{}
	}
	defer n.close()
	cfg.Server = n.addr
	report, err := labtest.Run(context.Background(), cfg)
	if err != nil {
		t.Error(err)
		return &labtest.Report{}
	}
	return report
}

// describeFailures is what the tester says about the rules that were not passed.
func describeFailures(r *labtest.Report) string {
	var b strings.Builder
	r.WriteFailures(&b)
	for _, result := range r.Results {
		if result.Verdict != labtest.Pass {
			fmt.Fprintf(&b, "%s %s: %s\n", result.Verdict, result.ID, result.Note)
		}
	}
	return b.String()
}

// failedRules are those that were not passed.
func failedRules(r *labtest.Report) (ids []string) {
	for _, result := range r.Results {
		if result.Verdict != labtest.Pass {
			ids = append(ids, result.ID)
		}
	}
	return ids
}

// Our server passes everything: as the course's tester wants it in compat mode, as the document wants it in strict mode,
// in both dialects, over all transports.
func TestOurServerPassesEverything(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup // Most of a run is waiting.
	for _, mode := range []string{"compat", "strict"} {
		profile := map[string]string{"compat": labtest.AsGraded, "strict": labtest.AsSpecified}[mode]
		for _, dialect := range []string{labtest.Dialect2017, labtest.Dialect2015} {
			for _, transport := range []string{labtest.TCP, labtest.UDP, labtest.Plain} {
				wg.Go(func() {
					cfg := labtest.Config{Profile: profile, Dialect: dialect, Transport: transport, Timeout: allComePatience}
					if transport != labtest.TCP {
						cfg.LossPercent = 20
					}
					report := gradeOurs(t, mode, cfg)
					if len(report.Results) < 50 {
						t.Errorf("%s over %s, dialect %s: %d rules", mode, transport, dialect, len(report.Results))
					}
					if len(failedRules(report)) > 0 {
						for range asksMax {
							if cfg.Only = failedRules(report); len(cfg.Only) == 0 {
								return
							}
							t.Logf("%s over %s, dialect %s, again: %s", mode, transport, dialect, describeFailures(report))
							report = gradeOurs(t, mode, cfg)
						}
						if len(failedRules(report)) > 0 || len(report.Results) == 0 {
							t.Errorf("%s over %s, dialect %s:\n%s", mode, transport, dialect, describeFailures(report))
						}
						return
					}
					if report.Grade.Total.Percent != 100 {
						t.Errorf("%s over %s, dialect %s: %s", mode, transport, dialect, report.LastLine())
					}
					if c := report.Grade.Course; mode == "compat" && (c == nil || c.Grade != 100 || c.Max != 100) {
						t.Errorf("%s over %s, dialect %s: %s", mode, transport, dialect, report.LastLine())
					}
				})
			}
		}
	}
	wg.Wait()
}

// The other mode fails exactly where the document and the course's tester contradict each other, and says so.
func TestOurServerInTheOtherMode(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][]string{
		"compat": {"errors.join-id", "leave.silent"},
		"strict": {"chat.foreign-id", "graded.join", "leave.notice-self"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			profile := map[string]string{"compat": labtest.AsSpecified, "strict": labtest.AsGraded}[mode]
			cfg := labtest.Config{Profile: profile, Skip: []string{"concurrency", "robustness"}, Timeout: someMissPatience}
			report := gradeOurs(t, mode, cfg)
			for range asksMax {
				if cfg.Only = surprises(report, want); len(cfg.Only) == 0 {
					break
				}
				t.Logf("profile %s, again: %v\n%s", profile, cfg.Only, describeFailures(report))
				cfg.Timeout = allComePatience
				report = gradeOurs(t, mode, cfg)
			}
			if again := surprises(report, want); len(again) > 0 || len(report.Results) == 0 {
				t.Errorf("profile %s: not as expected: %v\n%s", profile, again, describeFailures(report))
			}
		})
	}
}

// surprises are the rules that failed or did not, or do not say what they contradict, other than they should. What comes of
// the scenario is said by the other rules.
func surprises(r *labtest.Report, want []string) (ids []string) {
	for _, result := range r.Results {
		failed := result.Verdict == labtest.Fail
		if result.Group != "scenario" && (failed != slices.Contains(want, result.ID) || failed && result.Against == "") {
			ids = append(ids, result.ID)
		}
	}
	return ids
}
