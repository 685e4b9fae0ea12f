package chat

import (
	"maps"
	"slices"
	"sync"
)

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

// blockLocked changes whom the account has blocked. Readers have the old set or the new one.
func (a *account) blockLocked(peer string, on bool) {
	if a.blocks(peer) == on {
		return
	}
	var set map[string]struct{}
	if old := a.blocked.Load(); old != nil {
		set = maps.Clone(*old)
	} else {
		set = make(map[string]struct{})
	}
	if on {
		a.hub.blockings.add(peer, 1) // Before it is in force: whoever looks there first must not miss it.
		set[peer] = struct{}{}
	} else {
		a.hub.blockings.add(peer, -1)
		delete(set, peer)
	}
	if len(set) == 0 {
		a.blocked.Store(nil)
		return
	}
	a.blocked.Store(&set)
}

// blocks reports whether the account has blocked peer.
func (a *account) blocks(peer string) bool {
	set := a.blocked.Load()
	if set == nil {
		return false
	}
	_, ok := (*set)[peer]
	return ok
}

// wants reports whether the account is to see an event: nothing of those it has blocked, but what
// the room's topic is.
func (a *account) wants(ev *Event) bool {
	return a.blocked.Load() == nil || ev.Kind == KindTopic || ev.Account == a.name || !a.blocks(ev.Account)
}

// Shunned reports whether somebody on this Hub who would be told of what is said in a log has blocked the device's account, and so
// is not told what that says.
func (d *Device) Shunned(log string) bool {
	name := d.account.name
	if !d.hub.blockings.someBlock(name) {
		return false
	}
	r := d.hub.opened(log)
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.feed != nil && slices.ContainsFunc(r.feed.attached, func(a *attachment) bool { return a.device.account.blocks(name) })
}
