package fec

import (
	"encoding/binary"
	"time"
)

// recvGroup is a group on the receiving side while something may be rebuilt in it.
type recvGroup struct {
	first      time.Duration // when its first symbol was seen
	k          int           // source symbols; 0: no repair symbol has told yet
	shardBytes int           // length of the repair symbols; 0: none has come yet
	sources    []stored      // all that were seen
	repairs    []stored
}

// stored is one kept symbol: a source symbol as shard, not padded, or a repair symbol.
type stored struct {
	index uint8
	b     []byte
}

// keptBytes returns what the group counts against DecoderBytesMax.
func (g *recvGroup) keptBytes() int {
	n := groupOverheadBytes
	for _, s := range g.sources {
		n += cap(s.b) + storedOverheadBytes
	}
	for _, s := range g.repairs {
		n += cap(s.b) + storedOverheadBytes
	}
	return n
}

// addSource keeps a copy of source symbol index. It returns the bytes the copy counts, and false
// if the symbol contradicts the repair symbols seen before.
func (g *recvGroup) addSource(index uint8, sym []byte) (int, bool) {
	if g.k != 0 && (int(index) >= g.k || lengthBytes+len(sym) > g.shardBytes) {
		return 0, false
	}
	b := appendShard(make([]byte, 0, max(lengthBytes+len(sym), g.shardBytes)), sym)
	g.sources = append(g.sources, stored{index, b})
	return cap(b) + storedOverheadBytes, true
}

// fits reports whether a repair symbol of n bytes that speaks of k source symbols agrees with what
// was seen before.
func (g *recvGroup) fits(k, n int) bool {
	if g.k != 0 {
		return g.k == k && g.shardBytes == n
	}
	for _, s := range g.sources {
		if int(s.index) >= k || len(s.b) > n {
			return false
		}
	}
	return true
}

// hasRepair reports whether repair symbol index is kept.
func (g *recvGroup) hasRepair(index uint8) bool {
	for _, s := range g.repairs {
		if s.index == index {
			return true
		}
	}
	return false
}

// addRepair keeps a copy of a repair symbol that fits and returns the bytes the copy counts.
func (g *recvGroup) addRepair(k int, index uint8, sym []byte) int {
	g.k, g.shardBytes = k, len(sym)
	b := append(make([]byte, 0, len(sym)), sym...)
	g.repairs = append(g.repairs, stored{index, b})
	return cap(b) + storedOverheadBytes
}

// solvable reports whether enough symbols are kept to rebuild every missing one.
func (g *recvGroup) solvable() bool {
	return g.k != 0 && len(g.sources)+len(g.repairs) >= g.k
}

// rebuild returns the missing source symbols by index, nil for those that were seen. It returns
// false if the kept symbols contradict each other. The group must be solvable.
func (g *recvGroup) rebuild(codecs *Codecs) ([][]byte, bool) {
	shards := make([][]byte, g.k+RepairMax)
	for _, s := range g.sources {
		shards[s.index] = padded(s.b, g.shardBytes)
	}
	for _, s := range g.repairs {
		shards[g.k+int(s.index)] = s.b
	}
	if err := codecs.codec(g.k, RepairMax).ReconstructData(shards); err != nil {
		panic("BUG: fec: rebuilding a solvable group: " + err.Error())
	}
	syms := shards[:g.k]
	for _, s := range g.sources {
		syms[s.index] = nil
	}
	for i, shard := range syms {
		if shard == nil {
			continue
		}
		sym, ok := unshard(shard)
		if !ok {
			return nil, false
		}
		syms[i] = sym
	}
	return syms, true
}

// unshard returns the symbol in a rebuilt shard, and false if the shard is none: a length that
// cannot be, or padding that is not zero.
func unshard(shard []byte) ([]byte, bool) {
	n := int(binary.BigEndian.Uint16(shard))
	if n == 0 || n > len(shard)-lengthBytes || n > SymbolBytesMax {
		return nil, false
	}
	sym, rest := shard[lengthBytes:lengthBytes+n], shard[lengthBytes+n:]
	for _, b := range rest {
		if b != 0 {
			return nil, false
		}
	}
	return sym, true
}
