package compare

import (
	"context"
	"encoding/json"
	"fmt"

	"udpchat/cmd/internal/compare/wirelane"
)

// Main does what this process was started for by another one of this program, if it was, and does not return then.
// Programs that use a WireRunner call it before anything else.
func Main() {
	wirelane.Main(map[string]wirelane.Job{wirePlayJob: wirePlay})
}

// wirePlay plays a spec at the two ends of a wire.
func wirePlay(ctx context.Context, w *wirelane.World, args json.RawMessage) (any, error) {
	var spec Spec
	if err := json.Unmarshal(args, &spec); err != nil {
		return nil, fmt.Errorf("compare: reading a spec: %w", err)
	}
	t, err := TransportNamed(spec.Transport)
	if err != nil {
		return nil, err
	}
	field := &wireField{w, wirePort}
	work, err := WorkloadNamed(spec.Workload)
	if err != nil {
		return nil, err
	}
	watched := &watchedWireField{field}
	if work.Beside == "" {
		return Play(ctx, t, watched, spec), nil
	}
	other, err := TransportNamed(work.Beside)
	if err != nil {
		return nil, err
	}
	beside := spec.withDefaults() // Its duration is that of this workload, not of a file alone.
	beside.Transport, beside.Workload = work.Beside, "file"
	got := make(chan Result, 1)
	go func() { got <- Play(ctx, other, &wireField{w, besidePort}, beside) }() // Ends with ctx; waited for below.
	res := Play(ctx, t, watched, spec)
	res.Beside = new(<-got)
	res.Split, res.Beside.Split = nil, nil // The wire cannot tell them apart.
	return res, nil
}
