package account

import (
	"net/netip"
	"sync"
	"time"
)

// A purpose is what networks have a budget for.
type purpose uint8

const (
	registering purpose = iota // New accounts and guests.
	guessing                   // Wrong passwords.
	purposes
)

// budget returns how many at once, and how long it takes until there is another.
func (p purpose) budget() (burst int, every time.Duration) {
	if p == registering {
		return registrationsBurst, registrationEvery
	}
	return wrongsBurst, wrongEvery
}

// spenders remembers what networks have used of their budgets.
type spenders struct {
	mu sync.Mutex
	// For each network until when its budgets are used up, if it spent nothing more: a budget is empty when that is burst
	// times every ahead. Guarded by mu.
	debts *recent[netip.Prefix, [purposes]time.Time]
}

func (s *spenders) init() { s.debts = newRecent[netip.Prefix, [purposes]time.Time](spendersMax) }

// spend takes one out of the budget of addr's network, or returns how long it takes until there is one.
func (s *spenders) spend(now time.Time, addr netip.Addr, p purpose) time.Duration {
	return s.look(now, addr, p, true)
}

// left returns 0 if there is something in the budget, or how long it takes until there is.
func (s *spenders) left(now time.Time, addr netip.Addr, p purpose) time.Duration {
	return s.look(now, addr, p, false)
}

func (s *spenders) look(now time.Time, addr netip.Addr, p purpose, spend bool) time.Duration {
	if !addr.IsValid() || addr.Unmap().IsLoopback() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	net := network(addr)
	debts := s.debts.peek(net)
	if spend {
		debts = s.debts.use(net, func(*[purposes]time.Time) bool { return false })
	}
	if debts == nil {
		return 0
	}
	burst, every := p.budget()
	until := debts[p]
	if until.Before(now) {
		until = now
	}
	if wait := until.Add(every).Sub(now.Add(time.Duration(burst) * every)); wait > 0 {
		return wait
	}
	if spend {
		debts[p] = until.Add(every)
	}
	return 0
}
