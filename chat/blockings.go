package chat

import "sync"

// blockings counts for everybody how many accounts with devices on this Hub have blocked them: almost
// always none, and then nobody need be asked when something of them is delivered. Its lock is one of the innermost.
type blockings struct {
	mu sync.RWMutex
	by map[string]int // By who is blocked; never 0. Guarded by mu.
}

func (b *blockings) add(peer string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = make(map[string]int)
	}
	if b.by[peer] += n; b.by[peer] == 0 {
		delete(b.by, peer)
	}
}

// someBlock reports whether some account has blocked that one.
func (b *blockings) someBlock(account string) bool {
	if account == "" {
		return false
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.by[account] > 0
}
