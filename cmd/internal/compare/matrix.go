package compare

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// A Matrix is everything a comparison runs: every workload over every link by every transport, so many times. Run r has the
// seed Seed+r, the same for all transports and links.
type Matrix struct {
	Transports []string
	Workloads  []string
	Links      []Link
	// Lane is where all runs happen that can happen there; the others go where their transport can. Empty: the best lane
	// of each transport.
	Lane Lane
	Runs int
	// Messages of a run; 0 is the default of the lane.
	Messages int
	Seed     uint64
	// Extras adds runs for the pictures of a report, see extras.go.
	Extras bool
	// Repeat is how the comparison can be repeated, as a command line.
	Repeat string
}

// Skipped is a part of a matrix that cannot run, and why.
type Skipped struct {
	Transport string `json:"transport"`
	Workload  string `json:"workload"`
	Why       string `json:"why"`
}

// Specs returns the runs, with those of calibration first, and what had to be left out. Lanes are those there are runners for.
func (m Matrix) Specs(lanes map[Lane]Runner) (specs []Spec, skipped []Skipped, err error) {
	used := map[Lane]bool{}
	for run := range m.Runs {
		for _, link := range m.Links {
			for _, workload := range m.Workloads {
				w, err := WorkloadNamed(workload)
				if err != nil {
					return nil, nil, err
				}
				for _, name := range m.Transports {
					t, err := TransportNamed(name)
					if err != nil {
						return nil, nil, err
					}
					lane, why := m.laneOf(t.Info(), w, lanes)
					if why != "" {
						if skip := (Skipped{name, workload, why}); run == 0 && !contains(skipped, skip) {
							skipped = append(skipped, skip)
						}
						continue
					}
					spec := Spec{
						Transport: name, Lane: lane, Workload: workload, Link: link, Seed: m.Seed + uint64(run), Run: run,
						Messages: messagesOf(lane, w, m.Messages),
					}
					if r, ok := lanes[lane].(interface{ Has(Spec) bool }); ok && !r.Has(spec) {
						before := spec
						before.Run--
						if run == 0 || r.Has(before) { // It is said once.
							skipped = append(skipped, Skipped{name, workload, notRecorded(link, run)})
						}
						continue
					}
					used[lane] = true
					specs = append(specs, spec)
				}
			}
		}
	}
	var all []Spec
	for _, lane := range []Lane{LaneVirtual, LaneRealTime, LaneWire} {
		if used[lane] {
			all = append(all, calibrationSpec(lane, m.Seed))
		}
	}
	if wantsTCPCheck(specs) {
		all = append(all, tcpCheckSpecs(m.Seed)...)
	}
	return append(append(all, specs...), m.extraSpecs(lanes)...), skipped, nil
}

func notRecorded(l Link, runs int) string {
	if runs > 0 {
		return fmt.Sprintf("there is no wire lane here, and over %s only %d runs are recorded", l.Name, runs)
	}
	return "there is no wire lane here, and " + l.Name + " is not among the recorded figures"
}

func contains(all []Skipped, one Skipped) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// WantsWire reports whether there is anything to run in the wire lane, which takes a moment to find.
func (m Matrix) WantsWire() bool {
	return m.Lane == LaneWire || slices.ContainsFunc(m.Transports, func(name string) bool {
		t, err := TransportNamed(name)
		return err == nil && t.Info().Lanes[0] == LaneWire
	}) || slices.ContainsFunc(m.Workloads, func(name string) bool {
		w, err := WorkloadNamed(name)
		return err == nil && w.needsWire()
	})
}

// laneOf returns where a transport runs, or why it cannot.
func (m Matrix) laneOf(i Info, w Workload, lanes map[Lane]Runner) (lane Lane, why string) {
	if i.Bare && w.File {
		return "", "bare datagrams have nothing that says how fast a file may be sent"
	}
	if i.Bare && w.Relay {
		return "", "the relay protocol needs a stream"
	}
	if w.needsWire() {
		if lanes[LaneWire] == nil || !i.In(LaneWire) {
			return "", "it takes the wire lane, which is not to be had here"
		}
		return LaneWire, lacks(lanes[LaneWire], i)
	}
	if m.Lane != "" && i.In(m.Lane) && lanes[m.Lane] != nil {
		return m.Lane, lacks(lanes[m.Lane], i)
	}
	for _, lane := range i.Lanes {
		if lanes[lane] != nil {
			return lane, lacks(lanes[lane], i)
		}
	}
	return "", fmt.Sprintf("it runs in the %s lane only, which is not to be had here", i.Lanes[0])
}

// lacks says what a runner has not got that the transport needs, empty if nothing.
func lacks(r Runner, i Info) string {
	if r, ok := r.(interface{ Lacks(Info) string }); ok {
		return r.Lacks(i)
	}
	return ""
}

// messagesOf is how many messages a run has; a recorded one has what it has.
func messagesOf(lane Lane, w Workload, messages int) int {
	switch {
	case messages > 0:
		return messages
	case w.Cold:
		return messagesCold
	case lane == LaneVirtual:
		return messagesVirtual
	default:
		return messagesWire
	}
}

// An Observer is told of runs as they end, one call at a time, in no particular order.
type Observer func(Spec, Result)

// RunAll runs specs in their lanes, as many at once as each lane allows, one lane after the other. It returns the results
// in the order of specs. If ctx ends, those of runs that had not ended are missing, and the error is ctx's.
func RunAll(ctx context.Context, lanes map[Lane]Runner, specs []Spec, observe Observer) ([]Result, error) {
	results := make([]*Result, len(specs))
	var observing sync.Mutex
	for _, lane := range []Lane{LaneVirtual, LaneRealTime, LaneWire, LaneRecorded} {
		runner := lanes[lane]
		if runner == nil {
			continue
		}
		slots := make(chan struct{}, runner.Parallel())
		var wg sync.WaitGroup
		for i, spec := range specs {
			if spec.Lane != lane {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				break
			}
			// Owns one run; ends with it, which ctx bounds.
			wg.Go(func() {
				defer func() { <-slots }()
				res := runner.Run(ctx, spec)
				if ctx.Err() != nil {
					return // It is not whole.
				}
				observing.Lock()
				defer observing.Unlock()
				results[i] = &res
				if observe != nil {
					observe(spec, res)
				}
			})
		}
		wg.Wait()
	}
	var all []Result
	for _, r := range results {
		if r != nil {
			all = append(all, *r)
		}
	}
	return all, ctx.Err()
}
