package chat

import "sync/atomic"

// Stats is what a Hub has and has done. Numbers of things done only rise.
type Stats struct {
	Rooms   int // Rooms ever made, empty ones included.
	Users   int // Users connected now.
	Members int // Users in rooms now, counted once for each room.

	Devices  int // Devices logged in now.
	Accounts int // Accounts with a device logged in now.
	Attached int // Devices attached to logs now, counted once for each log.
	Logs     int // Logs that are no rooms and are open now.

	Joined, Left, Said uint64 // Events delivered, counted once each, whatever the members.
	Deliveries         uint64 // Calls of Receive.

	// Refused counts refusals by code.
	Refused map[Code]uint64

	// Entries of a log that were not delivered, counted by why. Both mean damage or a bug.
	DroppedBadRecord uint64 // Cannot be decoded.
	DroppedOldSeq    uint64 // The engine handed it back twice, or out of order.
	DroppedRepeat    uint64 // It has the id of an earlier one; also those left out of what was read.
}

// counters are the parts of Stats that are counted while they happen.
type counters struct {
	members          atomic.Int64
	events           [kindCount]atomic.Uint64
	devices          atomic.Int64
	attached         atomic.Int64
	deliveries       atomic.Uint64
	refused          [codeCount]atomic.Uint64
	droppedBadRecord atomic.Uint64
	droppedOldSeq    atomic.Uint64
	droppedRepeat    atomic.Uint64
}

// Stats returns the numbers of this moment. They need not fit together exactly.
func (h *Hub) Stats() Stats {
	h.mu.RLock()
	rooms, logs, accounts := len(h.rooms), len(h.logs), len(h.accounts)
	h.mu.RUnlock()
	c := &h.stats
	s := Stats{
		Rooms:            rooms,
		Users:            h.users.len(),
		Members:          int(c.members.Load()),
		Devices:          int(c.devices.Load()),
		Accounts:         accounts,
		Attached:         int(c.attached.Load()),
		Logs:             logs,
		Joined:           c.events[KindJoined].Load(),
		Left:             c.events[KindLeft].Load(),
		Said:             c.events[KindSaid].Load(),
		Deliveries:       c.deliveries.Load(),
		Refused:          make(map[Code]uint64),
		DroppedBadRecord: c.droppedBadRecord.Load(),
		DroppedOldSeq:    c.droppedOldSeq.Load(),
		DroppedRepeat:    c.droppedRepeat.Load(),
	}
	for code := range c.refused {
		if n := c.refused[code].Load(); n > 0 {
			s.Refused[Code(code)] = n
		}
	}
	return s
}
