package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"udpchat/cmd/internal/compare/wirelane"
)

// WireRunner runs specs in the wire lane.
type WireRunner struct {
	lane   *wirelane.Lane
	kernel wirelane.Kernel
	tell   func(Spec, Glimpse)
}

func (r *WireRunner) watch(f func(Spec, Glimpse)) { r.tell = f }

// NewWireRunner returns a runner, or an error that says in one line why there is no wire lane here.
func NewWireRunner(ctx context.Context) (*WireRunner, error) {
	lane := wirelane.New()
	wire, err := lane.Check(ctx)
	if err != nil {
		return nil, err
	}
	return &WireRunner{lane: lane, kernel: wire.Kernel}, nil
}

// Kernel returns what is under the sockets.
func (r *WireRunner) Kernel() wirelane.Kernel { return r.kernel }

// Lacks says that the kernel has not got the transport's congestion control, empty if it has.
func (r *WireRunner) Lacks(i Info) string {
	name, ok := strings.CutPrefix(i.Name, "tcp-")
	if !ok || !i.Kernel || len(r.kernel.CongestionControl) == 0 || slices.Contains(r.kernel.CongestionControl, name) {
		return ""
	}
	return noCongestionControl(name)
}

// noCongestionControl is what there is to say about one that the kernel lacks.
func noCongestionControl(name string) string {
	return fmt.Sprintf("this kernel has no congestion control %s (as root: modprobe tcp_%s)", name, name)
}

// Parallel is how many runs go on at once; of files, which keep the machine busy, fewer do.
func (r *WireRunner) Parallel() int { return r.lane.Slots() }

// Close does nothing: every run has ended when Run returns.
func (r *WireRunner) Close() error { return nil }

// Run plays one run in a process of its own, or, where every message is a connection of its own, in as many.
func (r *WireRunner) Run(ctx context.Context, spec Spec) Result {
	var timing wirelane.Timing
	res := playAll(spec.forWire(), func(spec Spec) Result {
		one := r.play(ctx, spec)
		if one.Timing != nil {
			timing.Add(*one.Timing)
		}
		return one
	})
	res.Timing = &timing
	return res
}

func (r *WireRunner) play(ctx context.Context, spec Spec) Result {
	var res Result
	work, err := WorkloadNamed(spec.Workload)
	if err == nil {
		// The job itself ends before its limit, so that what a hanging run has is not lost.
		order := wirelane.Order{
			Job: wirePlayJob, Args: spec, Profile: spec.Link.Profile(), Seed: spec.Seed, Limit: spec.lasts(work) + connectMax + cutOffAfter,
		}
		if work.File || work.Beside != "" {
			order.Weight = fileWeight
		}
		if r.tell != nil && !work.Cold {
			order.Note = func(note json.RawMessage) {
				var g Glimpse
				if json.Unmarshal(note, &g) == nil { // Nothing depends on it.
					r.tell(spec, g)
				}
			}
		}
		var wire wirelane.Wire
		if wire, err = r.lane.Run(ctx, order, &res); err == nil {
			res.Timing = &wire.Timing
		}
	}
	if err != nil {
		return unplayed(spec, err)
	}
	return res
}

// wirePlayJob is the name of the job in the child.
const wirePlayJob = "play"

// forWire sets what a run on a wire is like if the spec does not say it: it takes its time.
func (s Spec) forWire() Spec {
	s.Lane = LaneWire
	if s.Messages == 0 {
		s.Messages = messagesWire
		if w, err := WorkloadNamed(s.Workload); err == nil && w.Cold {
			s.Messages = messagesCold
		}
	}
	return s.withDefaults()
}

// lasts is how long a run takes once it is connected.
func (s Spec) lasts(w Workload) time.Duration {
	last := time.Duration(0)
	if plan := w.Plan(s.Seed, s.Messages); len(plan) > 0 {
		last = plan[len(plan)-1] + s.Wait
	}
	if w.File || w.Beside != "" {
		last = max(last, s.Duration)
	}
	return s.Lead + last
}

// String says what the runs were made on.
func (r *WireRunner) String() string {
	return fmt.Sprintf("Linux %s, congestion control available: %v", r.kernel.Release, r.kernel.CongestionControl)
}
