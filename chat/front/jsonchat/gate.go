package jsonchat

import "context"

// A gate lets one through at a time, who may do things that block.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// enter waits for the gate, at most until ctx ends.
func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }
