package message

import (
	"fmt"
	"sync/atomic"
)

// A Budget bounds the memory that many streams use for messages under way. Streams take from it what they are about to
// allocate and give it back when they drop it; nothing ever waits. nil is a budget without bounds.
type Budget struct {
	bytesMax int64 // Constant after NewBudget.
	held     atomic.Int64
	refused  atomic.Uint64
}

// BudgetStats are a Budget's figures at one moment.
type BudgetStats struct {
	HeldBytes    int64  // Taken and not given back.
	HeldBytesMax int64  // The most that may be taken.
	Refused      uint64 // How often Acquire said no.
}

// NewBudget returns a budget of bytesMax bytes; 0 means BudgetBytesDefault. A message longer than a stream's buffer needs
// one and a half times its length while it is received.
func NewBudget(bytesMax int64) *Budget {
	if bytesMax <= 0 {
		bytesMax = BudgetBytesDefault
	}
	return &Budget{bytesMax: bytesMax}
}

// Acquire takes n bytes and reports whether they were left. It does not block.
func (b *Budget) Acquire(n int) bool {
	if n < 0 {
		panic(fmt.Sprintf("BUG: message: %d bytes acquired", n))
	}
	if b == nil {
		return true
	}
	for {
		held := b.held.Load()
		if int64(n) > b.bytesMax-held {
			b.refused.Add(1)
			return false
		}
		if b.held.CompareAndSwap(held, held+int64(n)) {
			return true
		}
	}
}

// Release gives n bytes back that Acquire has taken.
func (b *Budget) Release(n int) {
	if n < 0 {
		panic(fmt.Sprintf("BUG: message: %d bytes released", n))
	}
	if b == nil {
		return
	}
	if b.held.Add(-int64(n)) < 0 {
		panic("BUG: message: more bytes released than acquired")
	}
}

// Stats returns the figures of now.
func (b *Budget) Stats() BudgetStats {
	if b == nil {
		return BudgetStats{}
	}
	return BudgetStats{HeldBytes: b.held.Load(), HeldBytesMax: b.bytesMax, Refused: b.refused.Load()}
}
