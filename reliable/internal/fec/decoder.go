package fec

import "time"

// Outcome is what became of a repair symbol.
type Outcome uint8

const (
	// Useless: nothing was missing any more, or the symbol is a duplicate.
	Useless Outcome = iota
	// Stored: too few symbols yet. The Decoder has kept a copy.
	Stored
	// Recovered: source symbols were rebuilt and handed to out, at least one.
	Recovered
	// Late: the group is too old, was evicted, or its number is too far off to be believed.
	Late
	// Bad: k, r, index or length cannot be, or contradict what came before in the group.
	Bad
)

// String returns the name of the outcome in lower case.
func (o Outcome) String() string {
	switch o {
	case Useless:
		return "useless"
	case Stored:
		return "stored"
	case Recovered:
		return "recovered"
	case Late:
		return "late"
	case Bad:
		return "bad"
	}
	return "unknown"
}

// Decoder drops duplicates and rebuilds missing source symbols. Not safe for concurrent use.
type Decoder struct {
	codecs *Codecs       // constant after NewDecoder
	maxAge time.Duration // see SetMaxAge

	history history
	groups  map[uint32]*recvGroup // kept for rebuilding; nil while idle; all among the DecoderGroupsMax newest
	tail    uint32                // the oldest in groups; meaningless while groups is empty
	stats   DecoderStats
}

// NewDecoder returns a Decoder for one connection. A nil codecs means its own.
func NewDecoder(codecs *Codecs) *Decoder {
	if codecs == nil {
		codecs = new(Codecs)
	}
	return &Decoder{codecs: codecs, maxAge: MaxAgeDefault}
}

// Newest returns the number of the newest group seen, 0 before the first.
func (d *Decoder) Newest() uint32 { return d.history.newest }

// SetMaxAge sets the age limit: in a group whose first symbol was seen longer ago than this
// nothing is rebuilt. It should be about one retransmission timeout, because the layer above
// answers a rebuilt packet with the timestamp in it, and an old one ruins the sender's estimate of
// the round trip. It is clipped to 0…MaxAgeMax.
func (d *Decoder) SetMaxAge(age time.Duration) { d.maxAge = max(0, min(age, MaxAgeMax)) }

// Stats returns the counters. It does not block.
func (d *Decoder) Stats() DecoderStats { return d.stats }

// Source takes a source symbol. It reports whether the symbol is fresh: if not, it was seen or
// rebuilt before, or cannot be believed, and the caller drops it. If the symbol is fresh the
// caller uses it, and the symbol may besides complete its group: out is then called for each
// symbol rebuilt, lowest index first, before Source returns. The bytes given to out are valid only
// during the call; sym is not kept. out must not call the Decoder.
func (d *Decoder) Source(now time.Duration, group uint32, index uint8, sym []byte, out func(sym []byte)) (fresh bool) {
	if index >= SourceMax || len(sym) == 0 || len(sym) > SymbolBytesMax {
		d.stats.Bad++
		return false
	}
	if !d.enter(now, group) {
		return false
	}
	if d.history.seen(group)&(1<<index) != 0 {
		d.stats.Duplicate++
		return false
	}
	d.history.mark(group, 1<<index)
	d.stats.Fresh++
	if g := d.open(now, group); g != nil {
		n, ok := g.addSource(index, sym)
		if !ok {
			d.conflict(group)
			return true
		}
		d.charge(group, n)
		d.solve(group, g, out)
	}
	return true
}

// Repair takes repair symbol index of r in a group of k source symbols. If the group can be
// rebuilt with it, out is called for each source symbol that was missing, lowest index first,
// before Repair returns; see Source for the rules of out.
func (d *Decoder) Repair(now time.Duration, group uint32, k, r, index uint8, sym []byte, out func(sym []byte)) Outcome {
	if !plausible(k, r, index, len(sym)) {
		d.stats.Bad++
		return Bad
	}
	if !d.enter(now, group) {
		return Late
	}
	seen := d.history.seen(group)
	switch {
	case seen&^all(int(k)) != 0: // A source symbol with a higher index has been seen.
		d.stats.Bad++
		return Bad
	case seen == all(int(k)):
		d.drop(group)
		d.stats.Useless++
		return Useless
	case d.history.closed(group):
		d.stats.Late++
		return Late
	}
	g := d.open(now, group)
	if g == nil {
		d.stats.Late++
		return Late
	}
	return d.repair(group, g, int(k), index, sym, out)
}

// plausible reports whether a repair symbol's numbers can be at all.
func plausible(k, r, index uint8, n int) bool {
	switch {
	case k == 0 || k > SourceMax || r == 0 || r > RepairMax || index >= r:
		return false
	case k == 1:
		return n > 0 && n <= SymbolBytesMax
	default:
		return n > lengthBytes && n <= RepairBytesMax
	}
}

// repair takes a plausible repair symbol of an open group in which something is missing.
func (d *Decoder) repair(id uint32, g *recvGroup, k int, index uint8, sym []byte, out func([]byte)) Outcome {
	if k == 1 { // The symbol is the missing source symbol itself.
		if g.k != 0 {
			d.stats.Bad++
			return Bad
		}
		d.history.mark(id, 1)
		d.drop(id)
		d.stats.Rebuilt++
		out(sym)
		return Recovered
	}
	if !g.fits(k, len(sym)) {
		d.stats.Bad++
		return Bad
	}
	if g.hasRepair(index) {
		d.stats.Useless++
		return Useless
	}
	d.charge(id, g.addRepair(k, index, sym))
	return d.solve(id, g, out)
}

// solve rebuilds what is missing in a group if it can be. Something is: the first repair symbol is
// only kept while something is missing, and the symbol that makes up for it solves the group.
func (d *Decoder) solve(id uint32, g *recvGroup, out func([]byte)) Outcome {
	if !g.solvable() {
		return Stored
	}
	defer d.drop(id)
	syms, ok := g.rebuild(d.codecs)
	if !ok {
		d.stats.Conflicts++
		return Bad
	}
	d.history.mark(id, all(g.k))
	for _, sym := range syms {
		if sym != nil {
			d.stats.Rebuilt++
			out(sym)
		}
	}
	return Recovered
}
