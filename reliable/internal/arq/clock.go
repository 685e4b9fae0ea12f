package arq

import kcp "github.com/xtaci/kcp-go/v5"

// A Clock shows the core's own millisecond clock. One serves any number of streams and goroutines.
type Clock struct{ idle *kcp.KCP }

// NewClock returns a clock.
func NewClock() *Clock { return &Clock{idle: kcp.NewKCP(0, nil)} }

// ms is the core's time. The core does not tell it, but one that was never updated answers "when next?" by "now".
func (c *Clock) ms() uint32 { return c.idle.Check() }
