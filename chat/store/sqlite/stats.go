package sqlite

import (
	"sync/atomic"
	"time"
)

// Stats is what an engine has done since Open.
type Stats struct {
	Transactions uint64        // Committed.
	Changes      uint64        // In them, those that nobody waited for any more and those that were refused included.
	Failed       uint64        // Transactions that failed.
	Committing   time.Duration // How long all transactions took together.
	Damaged      uint64        // Reads that met something that is not what was written.
}

type counters struct {
	transactions, changes, failed, damaged atomic.Uint64
	committing                             atomic.Int64
}

func (c *counters) count(batch []*change, err error, took time.Duration) {
	if err != nil {
		c.failed.Add(1)
		return
	}
	c.transactions.Add(1)
	c.changes.Add(uint64(len(batch)))
	c.committing.Add(int64(took))
}

// Stats returns the numbers of this moment. They need not fit together exactly.
func (e *Engine) Stats() Stats {
	c := &e.stats
	return Stats{
		Transactions: c.transactions.Load(), Changes: c.changes.Load(), Failed: c.failed.Load(),
		Committing: time.Duration(c.committing.Load()), Damaged: c.damaged.Load(),
	}
}
