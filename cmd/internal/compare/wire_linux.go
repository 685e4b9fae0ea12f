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
	return Play(ctx, t, &wireField{w}, spec), nil
}
