package fec

import (
	"encoding/binary"
	"fmt"
)

// Encoder numbers source symbols and gathers them into groups. Not safe for concurrent use.
//
// For every flush the connection does this:
//
//	for each packet of the flush {
//		group, index := enc.Add(packet) // and send it
//		if enc.Full() {
//			schedule(enc.Close(mode.PlanFor(enc.Len(), …).R))
//		}
//	}
//	schedule(enc.Close(mode.PlanFor(enc.Len(), …).R))
type Encoder struct {
	codecs *Codecs  // constant after NewEncoder
	id     uint32   // of the open group
	open   [][]byte // shards of the open group, not yet padded
}

// NewEncoder returns an Encoder whose first group is number 0. A nil codecs means its own.
func NewEncoder(codecs *Codecs) *Encoder {
	if codecs == nil {
		codecs = new(Codecs)
	}
	return &Encoder{codecs: codecs}
}

// Add takes a source symbol that leaves now and returns the numbers it must travel with. The bytes
// are copied. It panics when the group is Full or when sym is empty or longer than SymbolBytesMax.
func (e *Encoder) Add(sym []byte) (group uint32, index uint8) {
	if e.Full() {
		panic("BUG: fec: symbol added to a full group")
	}
	if len(sym) == 0 || len(sym) > SymbolBytesMax {
		panic(fmt.Sprintf("BUG: fec: source symbol of %d bytes", len(sym)))
	}
	e.open = append(e.open, appendShard(nil, sym))
	return e.id, uint8(len(e.open) - 1)
}

// Len returns the number of source symbols in the open group.
func (e *Encoder) Len() int { return len(e.open) }

// Group returns the number of the open group.
func (e *Encoder) Group() uint32 { return e.id }

// Full reports whether the open group has SourceMax symbols and must be closed before the next Add.
func (e *Encoder) Full() bool { return len(e.open) >= SourceMax }

// Close ends the open group, which gets r repair symbols (clipped to 0…RepairMax), and hands it to
// the caller. It returns nil and false when the group is empty; its number is then used again.
func (e *Encoder) Close(r int) (*Group, bool) {
	if len(e.open) == 0 {
		return nil, false
	}
	g := &Group{
		ID:     e.id,
		K:      len(e.open),
		R:      max(0, min(r, RepairMax)),
		codecs: e.codecs,
		shards: e.open,
	}
	for _, s := range g.shards {
		g.shardBytes = max(g.shardBytes, len(s))
	}
	e.open = nil
	e.id++ // Wraps; receivers compare numbers by serial arithmetic.
	return g, true
}

// Group is a closed group on the sending side. Not safe for concurrent use. It needs no cleaning
// up: a group that has been acknowledged is simply forgotten.
type Group struct {
	ID uint32
	K  int // source symbols
	R  int // repair symbols

	codecs     *Codecs
	shards     [][]byte // source shards; nil once the repair symbols exist
	shardBytes int      // of the longest shard
	repairs    [][]byte // nil until the first call of Repair
}

// RepairBytes returns the length of each repair symbol of the group, without computing any.
func (g *Group) RepairBytes() int {
	if g.K == 1 {
		return g.shardBytes - lengthBytes
	}
	return g.shardBytes
}

// MemoryBytes returns about how much memory the group holds at most from now on.
func (g *Group) MemoryBytes() int {
	sources, repairs := 0, 0
	for _, s := range g.shards {
		sources += len(s) + storedOverheadBytes
	}
	if g.K > 1 { // Otherwise they share the source symbol's bytes.
		repairs = g.R * (g.shardBytes + storedOverheadBytes) // They take the place of the source symbols.
	}
	return groupOverheadBytes + max(sources, repairs)
}

// Repair returns the body of repair symbol i, 0 <= i < R. The bytes belong to the group and must
// not be changed. All of them are computed in the first call.
func (g *Group) Repair(i int) []byte {
	if i < 0 || i >= g.R {
		panic(fmt.Sprintf("BUG: fec: repair symbol %d of %d", i, g.R))
	}
	if g.K == 1 {
		return g.shards[0][lengthBytes:]
	}
	if g.repairs == nil {
		g.repairs = g.encode()
		g.shards = nil // Not needed any more.
	}
	return g.repairs[i]
}

// encode computes the repair symbols of a group of more than one.
func (g *Group) encode() [][]byte {
	all := make([][]byte, g.K+g.R)
	for c, s := range g.shards {
		all[c] = padded(s, g.shardBytes)
	}
	buf := make([]byte, g.R*g.shardBytes)
	for i := range g.R {
		all[g.K+i] = buf[i*g.shardBytes:][:g.shardBytes:g.shardBytes]
	}
	if err := g.codecs.codec(g.K, g.R).Encode(all); err != nil {
		panic("BUG: fec: encoding a group: " + err.Error())
	}
	return all[g.K:]
}

// appendShard appends sym with its length in front.
func appendShard(b, sym []byte) []byte {
	if b == nil {
		b = make([]byte, 0, lengthBytes+len(sym))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(sym)))
	return append(b, sym...)
}

// padded returns shard with zeros up to n bytes: shard itself if it is that long already.
func padded(shard []byte, n int) []byte {
	if len(shard) == n {
		return shard
	}
	p := make([]byte, n)
	copy(p, shard)
	return p
}
