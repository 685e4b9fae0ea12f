package fec

import "time"

const (
	// budgetFactor is how many bytes of repair symbols a byte sent for the first time pays for.
	budgetFactor = 9
	// budgetRate caps repair symbols in bytes per second, whatever is sent: beyond it a flow is bulk, and bulk is better
	// served by retransmission.
	budgetRate = 128 << 10
	// budgetBurst is how many bytes may be saved up.
	budgetBurst = 48 << 10
	// budgetShare: where the rate is known at which the path delivers, one part in so many of it.
	budgetShare = 3
	// budgetRepairMin is what may be saved up on the slowest path: one full repair symbol.
	budgetRepairMin = RepairBytesMax
)

// A Budget caps what repair symbols may cost. The zero value is empty until the first Earn, and knows no rate. Not safe for
// concurrent use.
type Budget struct {
	earned, rate float64 // what both rules still allow, in bytes
	at           time.Duration
	delivered    float64 // bytes per second; 0: not known
}

// SetRate tells the rate at which the path delivers, in bytes per second; 0: not known.
func (b *Budget) SetRate(delivered float64) { b.delivered = delivered }

// Earn takes note of n bytes sent for the first time.
func (b *Budget) Earn(now time.Duration, n int) {
	b.refill(now)
	b.earned = min(b.earned+budgetFactor*float64(n), budgetBurst)
}

// Spend reports whether a repair symbol of n bytes may leave now, and pays for it.
func (b *Budget) Spend(now time.Duration, n int) bool {
	b.refill(now)
	if float64(n) > min(b.earned, b.rate) {
		return false
	}
	b.earned -= float64(n)
	b.rate -= float64(n)
	return true
}

// limits returns what the second rule allows per second, and how much of it may be saved up: half a second's worth.
func (b *Budget) limits() (rate, burst float64) {
	if b.delivered == 0 {
		return budgetRate, budgetBurst
	}
	rate = min(budgetRate, b.delivered/budgetShare)
	return rate, min(max(rate/2, budgetRepairMin), budgetBurst)
}

func (b *Budget) refill(now time.Duration) {
	rate, burst := b.limits()
	if b.at == 0 {
		b.rate = burst
	}
	b.rate = min(b.rate+rate*(now-b.at).Seconds(), burst)
	b.at = now
}
