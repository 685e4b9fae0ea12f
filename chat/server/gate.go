package server

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// network returns the network that addr counts for, and false if it is exempt from limits: loopback, and addresses that
// are no IP addresses.
func network(addr netip.Addr) (netip.Prefix, bool) {
	addr = addr.Unmap()
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

// A gate limits how many new sessions a second come from one network. Each listener has its own, because datagrams may
// carry forged addresses: whoever forges them must not use up what the victim may open over TCP. It belongs to the
// goroutine that accepts.
type gate struct {
	limit    rate.Limit
	burst    int
	networks map[netip.Prefix]*rate.Limiter
	rest     *rate.Limiter // Shared by networks for which there is no room.
	swept    time.Time
}

func newGate(cfg Config) *gate {
	g := &gate{limit: rate.Limit(cfg.AcceptPerSecond), burst: cfg.AcceptBurst}
	if cfg.AcceptPerSecond < 0 || cfg.AcceptBurst < 0 {
		g.limit = rate.Inf
	}
	g.networks = make(map[netip.Prefix]*rate.Limiter)
	g.rest = rate.NewLimiter(g.limit, g.burst)
	return g
}

// admit reports whether a session from the network n may begin now, and counts it.
func (g *gate) admit(now time.Time, n netip.Prefix) bool {
	if g.limit == rate.Inf {
		return true
	}
	g.sweep(now)
	l := g.networks[n]
	if l == nil {
		if len(g.networks) >= networksMax {
			return g.rest.AllowN(now, 1)
		}
		l = rate.NewLimiter(g.limit, g.burst)
		g.networks[n] = l
	}
	return l.AllowN(now, 1)
}

// sweep forgets networks that have their whole allowance back, for which forgetting changes nothing.
func (g *gate) sweep(now time.Time) {
	every := sweepInterval
	if len(g.networks) >= networksMax {
		every = sweepIntervalFull
	}
	if now.Sub(g.swept) < every {
		return
	}
	g.swept = now
	for n, l := range g.networks {
		if l.TokensAt(now) >= float64(g.burst) {
			delete(g.networks, n)
		}
	}
}
