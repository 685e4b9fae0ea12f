package chat

import (
	"context"
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
	if a := h.people.beginRoster(r.name); a != nil {
		accounts, err := h.roster(ctx, r.name)
		if err != nil {
			h.log.Warn("devices are not told who is in a room", "room", r.ref, "err", err)
		}
		h.people.endRoster(r.name, a, accounts, err == nil)
	}
	h.people.catchUp(r.name, d)
}
