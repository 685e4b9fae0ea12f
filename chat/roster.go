package chat

import (
	"context"
	"slices"
	"strings"
)

// roster returns the members of a room.
func (h *Hub) roster(ctx context.Context, room string) ([]string, error) {
	prefix := rosterPrefix(room)
	entries, err := h.cfg.Engine.List(ctx, rosterBucket, prefix)
	if err != nil {
		return nil, err
	}
	accounts := make([]string, len(entries))
	for i, entry := range entries {
		accounts[i] = strings.TrimPrefix(entry.Key, prefix)
	}
	return accounts, nil
}

// A roster is who is a member of a room, as far as the attached devices are told about their presence: in
// a room with more than presenceRoomMax members nobody is. It is guarded by the room's mu.
type roster struct {
	known    bool
	tooLarge bool
	accounts []string
}

// change follows a KindJoined or KindLeft.
func (t *roster) change(ev *Event) {
	i := slices.Index(t.accounts, ev.Account)
	switch {
	case !t.known || t.tooLarge:
	case ev.Kind == KindLeft && i >= 0:
		t.accounts = slices.Delete(t.accounts, i, i+1)
	case ev.Kind == KindJoined && i < 0:
		t.set(append(t.accounts, ev.Account))
	}
}

func (t *roster) set(accounts []string) {
	t.known, t.accounts = true, accounts
	if len(accounts) > presenceRoomMax {
		t.tooLarge, t.accounts = true, nil
	}
}

// watch has the attached devices told about somebody who has come into the room.
func (f *feed) watch(ev *Event) {
	if ev.Kind != KindJoined || !f.roster.known || f.roster.tooLarge {
		return
	}
	for _, at := range f.attached {
		at.device.hub.people.watch(at.device, []string{ev.Account})
	}
}

// watchRoom has a device that has just attached told about those who are in the log.
func (d *Device) watchRoom(ctx context.Context, r *room) {
	h := d.hub
	if d.watchAll {
		return
	}
	if isInnerLog(r.name) {
		if peer, ok := DirectPeer(r.name, d.account.name); ok {
			h.people.watch(d, []string{peer})
		}
		return
	}
	r.mu.Lock()
	known := r.feed == nil || r.feed.roster.known
	r.mu.Unlock()
	if !known {
		accounts, err := h.roster(ctx, r.name)
		if err != nil {
			h.log.Warn("a device is not told who is in a room", "room", r.ref, "err", err)
			return
		}
		r.mu.Lock()
		if r.feed != nil && !r.feed.roster.known {
			r.feed.roster.set(accounts)
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	var accounts []string
	if r.feed != nil {
		accounts = slices.Clone(r.feed.roster.accounts)
	}
	r.mu.Unlock()
	h.people.watch(d, accounts)
}
