package compare

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// realtimeRunner runs specs on links in memory, by the clock on the wall.
type realtimeRunner struct{ tell func(Spec, Glimpse) }

// NewRealTimeRunner returns a runner for transports whose timers cannot be made virtual.
func NewRealTimeRunner() Runner { return new(realtimeRunner) }

func (*realtimeRunner) Parallel() int                 { return connectionsPerCore * runtime.GOMAXPROCS(0) }
func (*realtimeRunner) Close() error                  { return nil }
func (r *realtimeRunner) watch(f func(Spec, Glimpse)) { r.tell = f }

func (r *realtimeRunner) Run(ctx context.Context, spec Spec) Result {
	t, err := TransportNamed(spec.Transport)
	if err != nil {
		return unplayed(spec, err)
	}
	spec.Link = spec.Link.checked()
	return playAll(spec, func(spec Spec) Result {
		return cutOff(ctx, spec, func(ctx context.Context) Result {
			field := newMemoryField(spec.Link, spec.Seed)
			if r.tell == nil {
				return Play(ctx, t, field, spec)
			}
			return Play(ctx, t, &watchedMemoryField{field, func(g Glimpse) { r.tell(spec, g) }}, spec)
		})
	})
}

// cutOff has play run for as long as the spec may take, or until ctx ends, and a little longer to say what it has. What hangs
// then is left behind: there is no process of its own to kill, but it keeps nobody waiting.
func cutOff(ctx context.Context, spec Spec, play func(context.Context) Result) Result {
	work, _ := WorkloadNamed(spec.Workload) // Play says so if there is none.
	ctx, cancel := context.WithTimeout(ctx, spec.withDefaults().lasts(work)+connectMax+cutOffAfter)
	defer cancel()
	played := make(chan Result, 1)
	go func() { played <- play(ctx) }()
	select {
	case res := <-played:
		return res
	case <-ctx.Done():
	}
	late := time.NewTimer(cutOffAfter)
	defer late.Stop()
	select {
	case res := <-played:
		return res
	case <-late.C:
		return unplayed(spec, fmt.Errorf("cut off: %v after its time it still hangs", cutOffAfter))
	}
}
