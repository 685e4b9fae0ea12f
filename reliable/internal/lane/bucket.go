package lane

import "time"

// A Bucket holds what may leave whatever the model says. The zero value is full.
type Bucket struct {
	used float64 // bytes missing
	at   time.Duration
}

// Level returns how many bytes may leave now.
func (b *Bucket) Level(now, rtt time.Duration) int {
	b.used = max(0, b.used-bucketRate(rtt)*(now-b.at).Seconds())
	b.at = now
	return int(bucketBytes - b.used)
}

// Take takes bytes out of it. The caller has asked for the level.
func (b *Bucket) Take(bytes int) { b.used += float64(bytes) }

// Spare reports whether a repair symbol may leave: it is the first to stay away, so that half of the bucket is kept for
// messages.
func (b *Bucket) Spare(now, rtt time.Duration, bytes int) bool {
	return b.Level(now, rtt)-bytes >= bucketBytes/2
}

// NextAt returns when so many bytes will be there.
func (b *Bucket) NextAt(now, rtt time.Duration, bytes int) time.Duration {
	missing := float64(min(bytes, bucketBytes) - b.Level(now, rtt))
	return now + max(wakeMin, time.Duration(missing/bucketRate(rtt)*float64(time.Second)))
}

func bucketRate(rtt time.Duration) float64 {
	if rtt == 0 {
		rtt = rttUnknown
	}
	return max(refillBytes/rtt.Seconds(), floorRate)
}
