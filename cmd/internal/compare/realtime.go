package compare

import (
	"context"
	"runtime"
)

// realtimeRunner runs specs on links in memory, by the clock on the wall.
type realtimeRunner struct{}

// NewRealTimeRunner returns a runner for transports whose timers cannot be made virtual.
func NewRealTimeRunner() Runner { return realtimeRunner{} }

func (realtimeRunner) Parallel() int { return connectionsPerCore * runtime.GOMAXPROCS(0) }
func (realtimeRunner) Close() error  { return nil }

func (realtimeRunner) Run(ctx context.Context, spec Spec) Result {
	t, err := TransportNamed(spec.Transport)
	if err != nil {
		res := newResult(spec)
		res.Error = err.Error()
		return res
	}
	spec.Link = spec.Link.checked()
	return playAll(spec, func(spec Spec) Result {
		return Play(ctx, t, newMemoryField(spec.Link, spec.Seed), spec)
	})
}
