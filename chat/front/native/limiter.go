package native

import (
	"net/netip"
	"sync"
	"time"
)

// A bucket lets requests through at a rate, and some more at once. Not safe for concurrent use.
type bucket struct {
	tokens float64
	last   time.Time // When tokens was right; the zero time: never used, so full.
}

// A pace is how many requests a second may pass in the long run, and how many at once. A rate below 0 is no limit.
type pace struct {
	rate  float64
	burst int
}

// times returns the pace of n.
func (p pace) times(n int) pace { return pace{p.rate * float64(n), p.burst * n} }

// fill brings b up to now.
func (b *bucket) fill(now time.Time, p pace) {
	if b.last.IsZero() {
		b.tokens = float64(p.burst)
	} else if passed := now.Sub(b.last).Seconds(); passed > 0 {
		b.tokens = min(b.tokens+passed*p.rate, float64(p.burst))
	}
	b.last = now
}

// take takes n requests and returns 0, or returns how long to wait until they may pass.
func (b *bucket) take(now time.Time, p pace, n int) time.Duration {
	if p.rate < 0 {
		return 0
	}
	b.fill(now, p)
	price := float64(min(n, p.burst)) // Never more than there can be.
	if b.tokens >= price {
		b.tokens -= price
		return 0
	}
	return max(time.Duration((price-b.tokens)/p.rate*float64(time.Second)), time.Millisecond)
}

// A limiter has a bucket for each of many keys. Safe for concurrent use.
type limiter[K comparable] struct {
	pace pace // Constant.

	mu      sync.Mutex
	buckets map[K]*bucket // Guarded by mu.
	rest    bucket        // Of those for whom there was no room. Guarded by mu.
	swept   time.Time     // Guarded by mu.
}

func newLimiter[K comparable](p pace) *limiter[K] {
	return &limiter[K]{pace: p, buckets: make(map[K]*bucket)}
}

// take is bucket.take for the key.
func (l *limiter[K]) take(now time.Time, key K, n int) time.Duration {
	if l.pace.rate < 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil && len(l.buckets) >= limitedMax {
		l.sweep(now)
	}
	switch {
	case b != nil:
	case len(l.buckets) >= limitedMax:
		b = &l.rest
	default:
		b = new(bucket)
		l.buckets[key] = b
	}
	return b.take(now, l.pace, n)
}

// sweep forgets full buckets, for which forgetting changes nothing. The lock is held.
func (l *limiter[K]) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepInterval {
		return
	}
	l.swept = now
	for key, b := range l.buckets {
		if b.fill(now, l.pace); b.tokens >= float64(l.pace.burst) {
			delete(l.buckets, key)
		}
	}
}

// network returns the network an address counts for, and false if it is exempt: loopback, and what is no IP address.
func network(addr netip.Addr) (netip.Prefix, bool) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || addr.IsLoopback() {
		return netip.Prefix{}, false
	}
	bits := networkBits6
	if addr.Is4() {
		bits = networkBits4
	}
	p, err := addr.Prefix(bits)
	return p, err == nil // It is: the lengths are right for their families.
}
