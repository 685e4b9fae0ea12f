package fec

import "time"

const (
	// budgetFactor is how many bytes of repair symbols a byte sent for the first time pays for.
	budgetFactor = 5
	// budgetRate caps repair symbols in bytes per second, whatever is sent: beyond it a flow is bulk, and bulk is better
	// served by retransmission.
	budgetRate = 128 << 10
	// budgetBurst is how many bytes may be saved up.
	budgetBurst = 48 << 10
)

// A Budget caps what repair symbols may cost. The zero value is empty until the first Earn. Not safe for concurrent use.
type Budget struct {
	earned, rate float64 // what both rules still allow, in bytes
	at           time.Duration
}

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

func (b *Budget) refill(now time.Duration) {
	if b.at == 0 {
		b.rate = budgetBurst
	}
	b.rate = min(b.rate+budgetRate*(now-b.at).Seconds(), budgetBurst)
	b.at = now
}
