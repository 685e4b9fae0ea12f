package fec

import "math/bits"

// place says where a group number lies in relation to the history.
type place uint8

const (
	// inside: the group is among the HistoryGroups newest; the history knows it.
	inside place = iota
	// behind: the group is older than the history. Nothing is known about it.
	behind
	// astray: the number is too far ahead to be believed without a second one like it.
	astray
)

// history remembers which source symbols of the newest groups have been seen or rebuilt, and which
// groups are closed, which means that nothing will be rebuilt in them any more. Group numbers are
// compared by serial number arithmetic (RFC 1982), so they may wrap.
type history struct {
	newest  uint32 // highest group seen; meaningless until started
	floor   uint32 // lowest group that may still be inside; meaningless until hasFloor
	started bool
	known   *known // nil while idle

	hasFloor bool   // a history was forgotten
	hasStray bool   // stray is set
	stray    uint32 // the last group number that was too far ahead
}

// known is the large part of a history.
type known struct {
	seen   [HistoryGroups]uint32 // by group number; a bit for each source symbol
	closed [HistoryGroups / 64]uint64
}

// locate returns the place of group id and moves the window forward if it must. The second result
// reports whether it did.
func (h *history) locate(id uint32) (place, bool) {
	if !h.started {
		h.start(id)
		return inside, false
	}
	ahead := int32(id - h.newest)
	switch {
	case ahead <= -HistoryGroups, h.hasFloor && int32(id-h.floor) < 0:
		return behind, false
	case ahead > jumpGroupsMax && !h.confirmed(id):
		h.stray, h.hasStray = id, true
		return astray, false
	}
	if h.known == nil {
		h.known = new(known)
	}
	h.hasStray = false
	if ahead <= 0 {
		return inside, false
	}
	h.advance(uint32(ahead))
	return inside, true
}

// start begins a history with its first group. Groups before it may still arrive: they were
// overtaken.
func (h *history) start(id uint32) {
	h.started, h.newest, h.known = true, id, new(known)
}

// confirmed reports whether the last far-off group number was near id.
func (h *history) confirmed(id uint32) bool {
	d := int32(id - h.stray)
	return h.hasStray && -confirmGroupsMax < d && d < confirmGroupsMax
}

// advance makes room for n newer groups.
func (h *history) advance(n uint32) {
	if n >= HistoryGroups {
		*h.known = known{}
	} else {
		for id := h.newest + 1; id != h.newest+n+1; id++ {
			h.known.seen[id%HistoryGroups] = 0
			h.known.closed[id%HistoryGroups/64] &^= 1 << (id % 64)
		}
	}
	h.newest += n
	if h.hasFloor && h.newest-h.floor >= HistoryGroups {
		h.hasFloor = false // The window has left it behind.
	}
}

// forget frees the memory. From now on every group up to the newest is behind.
func (h *history) forget() {
	h.known, h.hasStray = nil, false
	if h.started {
		h.floor, h.hasFloor = h.newest+1, true
	}
}

// seen returns the bits of the source symbols of group id that were seen or rebuilt.
func (h *history) seen(id uint32) uint32 { return h.known.seen[id%HistoryGroups] }

// mark remembers source symbols, one bit each.
func (h *history) mark(id, symbols uint32) { h.known.seen[id%HistoryGroups] |= symbols }

// closed reports whether nothing will be rebuilt in group id any more.
func (h *history) closed(id uint32) bool {
	return h.known.closed[id%HistoryGroups/64]&(1<<(id%64)) != 0
}

// close remembers that nothing will be rebuilt in group id any more. A group the window has left
// behind needs no remembering.
func (h *history) close(id uint32) {
	if h.newest-id < HistoryGroups {
		h.known.closed[id%HistoryGroups/64] |= 1 << (id % 64)
	}
}

// all returns the bits of all source symbols of a group of k.
func all(k int) uint32 { return uint32(1<<k - 1) }

// has returns how many of the first k source symbols are in symbols.
func has(symbols uint32, k int) int { return bits.OnesCount32(symbols & all(k)) }
