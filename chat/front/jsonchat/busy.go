package jsonchat

import (
	"context"
	"sync"
)

// busy are places for something that takes memory or disk, of which there are so many, and so many for one account. There
// is no queue for an account's own; for the others' there may be one.
type busy struct {
	places chan struct{} // One for each that is taken.

	mu sync.Mutex
	by map[string]int // How many an account has or waits for; none that has 0. Guarded by mu.
}

func newBusy(most int) *busy {
	return &busy{places: make(chan struct{}, most), by: make(map[string]int)}
}

// claim notes that an account wants a place. It refuses if it has too many.
func (b *busy) claim(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by[name] >= busyPerAccountMax {
		return false
	}
	b.by[name]++
	return true
}

func (b *busy) unclaim(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by[name]--; b.by[name] == 0 {
		delete(b.by, name)
	}
}

// tryEnter takes a place, if there is one. done gives it back.
func (b *busy) tryEnter(name string) (done func(), ok bool) {
	if !b.claim(name) {
		return nil, false
	}
	select {
	case b.places <- struct{}{}:
		return func() { <-b.places; b.unclaim(name) }, true
	default:
		b.unclaim(name)
		return nil, false
	}
}

// enter takes a place, and waits for one until ctx ends. It returns errTooFast at once if the account has too many.
func (b *busy) enter(ctx context.Context, name string) (done func(), err error) {
	if !b.claim(name) {
		return nil, errTooFast
	}
	select {
	case b.places <- struct{}{}:
		return func() { <-b.places; b.unclaim(name) }, nil
	case <-ctx.Done():
		b.unclaim(name)
		return nil, context.Cause(ctx)
	}
}
