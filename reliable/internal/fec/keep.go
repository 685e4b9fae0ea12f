package fec

import "time"

// This file decides which groups a Decoder keeps, and for how long.

// enter finds the place of a group that a symbol of it has come for, and makes room for it. It
// returns false if the symbol must be dropped.
func (d *Decoder) enter(now time.Duration, id uint32) bool {
	place, moved := d.history.locate(id)
	switch place {
	case behind:
		d.stats.Late++
		return false
	case astray:
		d.stats.Astray++
		return false
	}
	if moved {
		d.makeRoom()
	}
	d.expire(now)
	return true
}

// open returns the group, a new one if need be, or nil if nothing may be rebuilt in it.
func (d *Decoder) open(now time.Duration, id uint32) *recvGroup {
	if g := d.groups[id]; g != nil {
		if now-g.first <= d.maxAge {
			return g
		}
		d.drop(id)
		d.stats.Aged++
	}
	if d.history.closed(id) {
		return nil
	}
	if d.history.newest-id >= DecoderGroupsMax {
		d.history.close(id)
		return nil
	}
	if d.groups == nil {
		d.groups = make(map[uint32]*recvGroup)
	}
	if len(d.groups) == 0 || int32(id-d.tail) < 0 {
		d.tail = id
	}
	g := &recvGroup{first: now}
	d.groups[id] = g
	d.stats.KeptGroups++
	d.charge(id, groupOverheadBytes)
	return g
}

// charge counts n more bytes kept and evicts the oldest groups, but not id, until the limit holds.
func (d *Decoder) charge(id uint32, n int) {
	d.stats.KeptBytes += n
	for t := d.tail; d.stats.KeptBytes > DecoderBytesMax && t != d.history.newest+1; t++ {
		if t != id && d.groups[t] != nil {
			d.drop(t)
			d.stats.Evicted++
		}
	}
}

// makeRoom evicts the groups that are not among the newest after the window moved. It moves by
// less than 2^31 at a time, so the oldest group kept is less than 2^31 before the first to keep.
func (d *Decoder) makeRoom() {
	oldest := d.history.newest - DecoderGroupsMax + 1
	for len(d.groups) > 0 && int32(d.tail-oldest) < 0 {
		d.drop(d.tail)
		d.stats.Evicted++
	}
}

// expire gives up the groups that have grown too old, as far as they are the oldest by number. A
// group that was overtaken by another may stay a little longer; open looks at the age again.
func (d *Decoder) expire(now time.Duration) {
	for len(d.groups) > 0 && now-d.groups[d.tail].first > d.maxAge {
		d.drop(d.tail)
		d.stats.Aged++
	}
}

// Expire frees the groups that have grown too old. It does nothing before the time Next returns; calling it
// late costs memory and nothing else, as ages are also looked at when a symbol arrives.
func (d *Decoder) Expire(now time.Duration) { d.expire(now) }

// Next returns when Expire has something to do, and false when it has not.
func (d *Decoder) Next() (time.Duration, bool) {
	if len(d.groups) == 0 {
		return 0, false
	}
	// The limit itself is still young enough.
	return d.groups[d.tail].first + d.maxAge + 1, true
}

// Forget gives up all groups and frees everything but the number of the newest: what belongs to it or an older one is
// dropped from now on without looking, be it late or a duplicate. It is for a connection on which nothing has moved for
// so long that nothing of it is still on its way.
func (d *Decoder) Forget() {
	for len(d.groups) > 0 {
		d.drop(d.tail)
		d.stats.Aged++
	}
	d.groups = nil // A map never shrinks.
	d.history.forget()
}

// drop closes a group and frees what is kept of it, if anything is.
func (d *Decoder) drop(id uint32) {
	d.history.close(id)
	g := d.groups[id]
	if g == nil {
		return
	}
	d.stats.KeptBytes -= g.keptBytes()
	d.stats.KeptGroups--
	delete(d.groups, id)
	for len(d.groups) > 0 && d.groups[d.tail] == nil {
		d.tail++
	}
}

// conflict gives up a group whose symbols contradict each other.
func (d *Decoder) conflict(id uint32) {
	d.drop(id)
	d.stats.Conflicts++
}
