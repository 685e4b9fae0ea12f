package fec

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// Any k of the k+r symbols give back the group, in any order, and each symbol comes out once.
func TestAnyKSymbolsRebuildTheGroup(t *testing.T) {
	codecs := new(Codecs)
	rapid.Check(t, func(rt *rapid.T) {
		l := newLink(t)
		l.enc, l.dec = NewEncoder(codecs), NewDecoder(codecs)
		k := rapid.IntRange(1, SourceMax).Draw(rt, "k")
		r := rapid.IntRange(0, RepairMax).Draw(rt, "r")
		syms := make([][]byte, k)
		for i := range syms {
			syms[i] = unique(uint64(i), rapid.IntRange(8, SymbolBytesMax).Draw(rt, "len"))
		}
		all := rapid.Permutation(l.group(r, syms...)).Draw(rt, "order")
		for i, s := range all {
			l.arrive(rt, s)
			if want := k; i+1 >= k && len(l.got) != want {
				rt.Fatalf("%d symbols came out after %d of %d+%d arrived, want all", len(l.got), i+1, k, r)
			}
		}
		if l.dec.stats.KeptGroups != 0 && r > 0 {
			rt.Fatalf("group still kept when nothing is missing")
		}
	})
}

// Loss, duplicates and reordering over many groups, with group numbers that wrap: nothing comes
// out twice, nothing comes out that was not sent, and whatever could be rebuilt was.
func TestStreamOverBadLinkIsExactlyOnce(t *testing.T) {
	codecs := new(Codecs)
	rapid.Check(t, func(rt *rapid.T) {
		l := newLink(t)
		l.enc, l.dec = NewEncoder(codecs), NewDecoder(codecs)
		l.enc.id = rapid.SampledFrom([]uint32{0, 1<<31 - 3, 1<<32 - 3}).Draw(rt, "first")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		loss := rapid.IntRange(0, 60).Draw(rt, "loss")
		var pending []symbol
		solvable := 0
		for i := range 60 {
			k, r := 1+rng.IntN(6), rng.IntN(4)
			arrived := 0
			for _, s := range l.group(r, uniques(uint64(i), k)...) {
				if rng.IntN(100) < loss {
					continue
				}
				arrived++
				for range 1 + rng.IntN(3)/2 {
					pending = append(pending, s)
				}
			}
			if arrived >= k {
				solvable += k
			}
			for len(pending) > rng.IntN(30) {
				n := rng.IntN(len(pending))
				l.arrive(rt, pending[n])
				pending = append(pending[:n], pending[n+1:]...)
			}
		}
		for _, s := range pending {
			l.arrive(rt, s)
		}
		if len(l.got) < solvable {
			rt.Fatalf("%d symbols came out, want at least %d", len(l.got), solvable)
		}
	})
}

// Numbers and lengths that cannot be, or that contradict the group, are refused.
func TestImpossibleRepairSymbolsAreBad(t *testing.T) {
	l := newLink(t)
	all := l.group(3, uniques(1, 4)...)
	source, repair := all[3], all[4]
	if !l.dec.Source(0, source.group, source.index, source.b, nil) {
		t.Fatalf("%v is not fresh", source)
	}
	for name, change := range map[string]func(*symbol){
		"no source symbols":         func(s *symbol) { s.k = 0 },
		"too many source symbols":   func(s *symbol) { s.k = SourceMax + 1 },
		"fewer than were seen":      func(s *symbol) { s.k = 3 },
		"copy of a second symbol":   func(s *symbol) { s.k = 1 },
		"no repair symbols":         func(s *symbol) { s.r, s.index = 0, 0 },
		"too many repair symbols":   func(s *symbol) { s.r = RepairMax + 1 },
		"index outside":             func(s *symbol) { s.index = s.r },
		"empty":                     func(s *symbol) { s.b = nil },
		"nothing but a length":      func(s *symbol) { s.b = s.b[:lengthBytes] },
		"shorter than a symbol":     func(s *symbol) { s.b = s.b[:lengthBytes+len(source.b)-1] },
		"longer than any symbol is": func(s *symbol) { s.b = make([]byte, RepairBytesMax+1) },
	} {
		bad := repair
		change(&bad)
		got := l.dec.Repair(0, bad.group, bad.k, bad.r, bad.index, bad.b, func([]byte) { t.Errorf("%s: symbol came out", name) })
		if got != Bad {
			t.Errorf("%s: outcome %v, want bad", name, got)
		}
	}
	if got := l.arrive(t, repair); got != Stored {
		t.Fatalf("%v after the bad ones: %v, want stored", repair, got)
	}
	for name, change := range map[string]func(*symbol){
		"other k":      func(s *symbol) { s.k++ },
		"other length": func(s *symbol) { s.b = append(bytes.Clone(s.b), 0) },
	} {
		bad := all[5]
		change(&bad)
		if got := l.arrive(t, bad); got != Bad {
			t.Errorf("%s: outcome %v, want bad", name, got)
		}
	}
	if got := l.arrive(t, repair); got != Useless {
		t.Errorf("same repair symbol again: %v, want useless", got)
	}
	l.arrive(t, all[5])
	if got := l.arrive(t, all[6]); got != Recovered {
		t.Errorf("good symbols after bad ones: %v, want recovered", got)
	}
}

// Source symbols with impossible numbers or lengths are dropped; one that contradicts the group's
// repair symbols is used, as it may be the honest one, but nothing is rebuilt then.
func TestImpossibleSourceSymbols(t *testing.T) {
	l := newLink(t)
	for _, s := range []symbol{
		{index: SourceMax, b: []byte("x")},
		{index: 0},
		{index: 0, b: make([]byte, SymbolBytesMax+1)},
	} {
		if l.dec.Source(0, s.group, s.index, s.b, nil) {
			t.Errorf("source symbol with index %d and %d bytes is fresh", s.index, len(s.b))
		}
	}
	all := l.group(3, []byte("one"), []byte("two"), []byte("six"))
	l.arrive(t, all[3])
	l.sent["outside the group"] = true
	l.arrive(t, symbol{group: 0, index: 5, b: []byte("outside the group")})
	if l.got["outside the group"] != 1 || l.dec.stats.Conflicts != 1 {
		t.Fatalf("contradicting symbol: got %v, %+v", l.got, l.dec.stats)
	}
	for _, s := range all[4:] {
		if got := l.arrive(t, s); got != Bad {
			t.Errorf("%v in a contradictory group: %v, want bad", s, got)
		}
	}
}

// What the arithmetic gives when contents were corrupted is handed out only if it has the shape of
// a symbol. More cannot be promised.
func TestRebuiltShardMustHoldASymbol(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(repair []byte) // of a group of a 3-byte and a 5-byte symbol
		want  Outcome
	}{
		{"untouched", func([]byte) {}, Recovered},
		{"length", func(b []byte) { b[0] ^= 0x80 }, Bad},
		{"padding", func(b []byte) { b[len(b)-1] ^= 1 }, Bad},
	} {
		l := newLink(t)
		all := l.group(1, []byte("abc"), []byte("defgh"))
		c.spoil(all[2].b)
		l.arrive(t, all[1])
		if got := l.arrive(t, all[2]); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		l.arrive(t, all[0])
		if len(l.got) != 2 {
			t.Errorf("%s: %d symbols came out in the end, want 2", c.name, len(l.got))
		}
	}
}

// Repair symbols must be what the package comment says, or no other program could join in.
func TestRepairSymbolsAreCauchySums(t *testing.T) {
	l := newLink(t)
	for _, k := range []int{2, 3, 5, 17, SourceMax} {
		syms := uniques(uint64(k), k)
		longest := 0
		for _, s := range syms {
			longest = max(longest, lengthBytes+len(s))
		}
		all := l.group(RepairMax, syms...)
		for i := range RepairMax {
			want := make([]byte, longest)
			for c, s := range syms {
				shard := append([]byte{byte(len(s) >> 8), byte(len(s))}, s...)
				for x, b := range shard {
					want[x] ^= gfDiv(b, byte((k+i)^c))
				}
			}
			if got := all[k+i].b; !bytes.Equal(got, want) {
				t.Fatalf("repair symbol %d of a group of %d differs from the definition", i, k)
			}
		}
	}
}

// gfDiv divides in GF(2^8) by trying: slow and obviously right.
func gfDiv(a, b byte) byte {
	for q := range 256 {
		if gfMul(byte(q), b) == a {
			return byte(q)
		}
	}
	panic("division by zero")
}

// gfMul multiplies in GF(2^8) modulo x^8+x^4+x^3+x^2+1.
func gfMul(a, b byte) byte {
	var p byte
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		carry := a&0x80 != 0
		a <<= 1
		if carry {
			a ^= 0x1d
		}
	}
	return p
}

// Repair symbol i is the same whatever r is, so more can be sent later.
func TestRepairSymbolDoesNotDependOnR(t *testing.T) {
	syms := uniques(1, 7)
	few, many := newLink(t).group(2, syms...), newLink(t).group(9, syms...)
	for i := 7; i < 9; i++ {
		if !bytes.Equal(few[i].b, many[i].b) {
			t.Errorf("repair symbol %d of 2 and of 9 differ", i-7)
		}
	}
}
