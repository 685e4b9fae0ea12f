package fec

import "time"

const (
	// pressureMin is the smallest share of its copies a message is left with while queues build up again and again.
	pressureMin = 1.0 / 32
	// pressureRecovery is how long it takes from there to all of them when none does.
	pressureRecovery = 60 * time.Second
)

// A Pressure remembers that queues have built up, maybe from our copies: then there are fewer for a while, even when the
// queue is gone. Each time halves them, time brings them back. The zero value knows of no queue.
type Pressure struct {
	relief float64 // 1 - share of the copies that may leave
	at     time.Duration
	halved time.Duration // when the last queue was noticed
}

// Share returns the share of copies that may leave now.
func (p *Pressure) Share(now time.Duration, path Path) float64 {
	p.relief = max(0, p.relief-float64(now-p.at)/float64(pressureRecovery))
	p.at = now
	if path.congestion() > 0 && (p.halved == 0 || now-p.halved > path.RTT) {
		p.halved = now
		p.relief = min((1+p.relief)/2, 1-pressureMin)
	}
	return 1 - p.relief
}
