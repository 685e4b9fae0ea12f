package chat

import (
	"context"
	"slices"
)

// follow takes an event of the account's own log. The log is locked.
func (a *account) follow(ev *Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ev.Seq > a.heard {
		a.heard = ev.Seq
		a.notifyLocked()
	}
	if !a.loaded {
		a.backlog = append(a.backlog, ev)
		return
	}
	a.applyLocked(ev)
}

func (a *account) notifyLocked() {
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}

// await waits until the event with that Seq of the account's own log was followed, or nobody follows it here.
func (a *account) await(ctx context.Context, seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.heard < seq && !a.over {
		if a.changed == nil {
			a.changed = make(chan struct{})
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		case <-a.hub.done:
		}
		a.mu.Lock()
		if ctx.Err() != nil || a.hub.isClosed() {
			return
		}
	}
}

func (a *account) applyLocked(ev *Event) {
	switch ev.Kind {
	case KindEntered:
		a.rooms[ev.About] = max(a.rooms[ev.About], ev.Number)
	case KindExited:
		if a.rooms[ev.About] < ev.Number {
			delete(a.rooms, ev.About)
		}
	case KindBlocked, KindUnblocked:
		a.blockLocked(ev.About, ev.Kind == KindBlocked)
		a.hub.people.blockChanged(a.name, ev.About, a.blocked.Load())
	case KindConversation, KindContact:
		if !slices.Contains(a.friends, ev.About) && len(a.friends) < watchMax {
			a.friends = append(a.friends, ev.About)
		}
		for _, d := range a.devices {
			a.hub.people.watch(d, []string{ev.About})
		}
	case KindRevoked:
		if d := a.devices[ev.About]; d != nil {
			d.tell(ev)
		}
	case KindMarked:
		a.marks[ev.About] = max(a.marks[ev.About], ev.Number)
	}
}
