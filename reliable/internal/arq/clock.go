package arq

import (
	"sync"

	kcp "github.com/xtaci/kcp-go/v5"
)

// A Clock shows the core's own millisecond clock, and lends buffers for symbols. One serves any number of streams and
// goroutines.
type Clock struct {
	idle    *kcp.KCP
	symbols sync.Pool // of *[]byte
}

// NewClock returns a clock.
func NewClock() *Clock { return &Clock{idle: kcp.NewKCP(0, nil)} }

// ms is the core's time. The core does not tell it, but one that was never updated answers "when next?" by "now".
func (c *Clock) ms() uint32 { return c.idle.Check() }

// borrow returns a buffer that giveBack takes back.
func (c *Clock) borrow() *[]byte {
	if b, ok := c.symbols.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

func (c *Clock) giveBack(b *[]byte) { c.symbols.Put(b) }
