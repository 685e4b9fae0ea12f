package fec

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Nothing is rebuilt in a group whose first symbol was seen longer ago than the age limit: the
// layer above would answer with an old timestamp.
func TestOldGroupIsNotRebuilt(t *testing.T) {
	l := newLink(t)
	l.dec.SetMaxAge(100 * ms)
	young, old := l.group(1, uniques(1, 2)...), l.group(1, uniques(2, 2)...)
	l.arrive(t, young[0])
	l.arrive(t, old[0])
	l.now = 100 * ms
	if got := l.arrive(t, young[2]); got != Recovered {
		t.Errorf("repair symbol at the age limit: %v, want recovered", got)
	}
	l.now++
	if got := l.arrive(t, old[2]); got != Late {
		t.Errorf("repair symbol beyond the age limit: %v, want late", got)
	}
	l.arrive(t, old[1])
	if l.got[string(old[1].b)] != 1 {
		t.Errorf("the late source symbol itself did not come out")
	}
	if got := l.arrive(t, old[2]); got != Useless {
		t.Errorf("repair symbol of a complete group: %v, want useless", got)
	}
}

// A group overtaken by a younger one with a lower number is not found by expiry, so its age is
// looked at when a symbol arrives.
func TestOldGroupBehindYoungOneIsNotRebuilt(t *testing.T) {
	l := newLink(t)
	l.dec.SetMaxAge(100 * ms)
	first, second := l.group(1, uniques(1, 2)...), l.group(1, uniques(2, 2)...)
	l.arrive(t, second[0])
	l.now = 90 * ms
	l.arrive(t, first[0])
	l.now = 120 * ms
	if got := l.arrive(t, second[2]); got != Late {
		t.Errorf("repair symbol of the old group: %v, want late", got)
	}
	if got := l.arrive(t, first[2]); got != Recovered {
		t.Errorf("repair symbol of the young group: %v, want recovered", got)
	}
}

// The source symbol that completes a group for which repair symbols wait sets off the rebuilding.
func TestSourceSymbolCompletesGroup(t *testing.T) {
	l := newLink(t)
	all := l.group(2, uniques(1, 4)...)
	for _, i := range []int{4, 5, 0} {
		l.arrive(t, all[i])
	}
	var rebuilt []byte
	fresh := l.dec.Source(0, 0, 2, all[2].b, func(b []byte) { rebuilt = append(rebuilt, b[7]) })
	if !fresh || string(rebuilt) != "\x01\x03" {
		t.Fatalf("got fresh %v and rebuilt symbols %x, want true and 01 03 in this order", fresh, rebuilt)
	}
	for _, i := range []int{1, 3} {
		if l.dec.Source(0, 0, uint8(i), all[i].b, nil) {
			t.Errorf("source symbol %d is fresh after it was rebuilt", i)
		}
	}
}

// One corrupted group number must not make everything that follows look old; a sender that really
// is that far ahead is believed at its second symbol.
func TestFarOffGroupNumberNeedsASecondOne(t *testing.T) {
	l := newLink(t)
	source := func(group uint32, text string) {
		l.sent[text] = true
		l.arrive(t, symbol{group: group, b: []byte(text)})
	}
	source(100, "a")
	source(100+jumpGroupsMax+1, "lost to caution")
	source(1<<31, "another")
	source(101, "b")
	source(90, "overtaken")
	if len(l.got) != 3 || l.dec.stats.Astray != 2 {
		t.Fatalf("got %v, %d astray; want a, b, overtaken and 2 astray", l.got, l.dec.stats.Astray)
	}
	source(1<<31-7, "c")
	source(1<<31-6, "d")
	source(1<<31-7-confirmGroupsMax, "e")
	if len(l.got) != 5 || l.got["d"] != 1 || l.got["e"] != 1 {
		t.Fatalf("got %v, want d and e as well", l.got)
	}
	source(102, "behind")
	if l.got["behind"] != 0 || l.dec.stats.Late != 1 {
		t.Errorf("symbol behind the window: got %v, late %d", l.got, l.dec.stats.Late)
	}
}

// The history is a ring: a group must not inherit what was known of the one in its place before.
func TestGroupsDoNotInheritFromOlderOnes(t *testing.T) {
	l := newLink(t)
	for i := range 2*HistoryGroups + 5 {
		if got := l.arrive(t, l.group(1, unique(uint64(i), 40))[1]); got != Recovered {
			t.Fatalf("copy of group %d: %v, want recovered", i, got)
		}
	}
}

// The same when the window jumps and evicts groups on its way, up to the longest jump there is.
func TestJumpLeavesNothingBehind(t *testing.T) {
	for _, jump := range []uint32{2*HistoryGroups + 10, 3*HistoryGroups - 100, 1<<31 - DecoderGroupsMax} {
		l := newLink(t)
		for i := range DecoderGroupsMax {
			l.arrive(t, l.group(1, unique(uint64(i), 40))[0])
		}
		l.enc.id += jump - 10
		var first symbol
		for i := range 20 {
			sent := l.group(1, unique(1000+uint64(i), 40))
			if i == 0 {
				first = sent[1]
			}
			if got := l.arrive(t, sent[1]); (got != Recovered) != (i == 0) { // One is lost to caution.
				t.Errorf("jump of %d: copy of group %d: %v", jump, i, got)
			}
		}
		if got := l.arrive(t, first); got != Recovered {
			t.Errorf("jump of %d: second copy of the first group: %v", jump, got)
		}
		if s := l.dec.Stats(); s.KeptGroups != 0 || s.Evicted != DecoderGroupsMax {
			t.Errorf("jump of %d: %+v", jump, s)
		}
	}
}

func TestHistoryRemembersAThousandGroups(t *testing.T) {
	l := newLink(t)
	l.enc.id = 1<<32 - 10 // Wraps early.
	first := l.group(2, []byte("first"))
	l.arrive(t, first[0])
	for i := range HistoryGroups - 1 {
		l.arrive(t, l.group(1, unique(uint64(i), 40))[0])
	}
	if got := l.arrive(t, first[1]); got != Useless {
		t.Errorf("late copy inside the history: %v, want useless", got)
	}
	l.arrive(t, first[0])
	if l.dec.stats.Duplicate != 1 {
		t.Errorf("got %d duplicates, want 1", l.dec.stats.Duplicate)
	}
	l.arrive(t, l.group(1, []byte("one more"))[0])
	if got := l.arrive(t, first[1]); got != Late {
		t.Errorf("late copy behind the history: %v, want late", got)
	}
	l.arrive(t, first[0])
}

// After Expire at the times Next tells and Forget, a decoder holds nothing, and still drops what is old.
func TestForgetfulDecoderHoldsNothing(t *testing.T) {
	l := newLink(t)
	old, half := l.group(1, []byte("old")), l.group(1, uniques(1, 2)...)
	l.arrive(t, old[0])
	l.arrive(t, half[0])
	wakeups := 0
	for at, ok := l.dec.Next(); ok; at, ok = l.dec.Next() {
		if l.now = at; wakeups > 5 {
			t.Fatalf("decoder is not idle after %d wake-ups", wakeups)
		}
		l.dec.Expire(l.now)
		checkBounds(t, l.dec)
		wakeups++
	}
	if l.dec.stats.Aged != 2 {
		t.Errorf("got %d aged groups, want 2", l.dec.stats.Aged)
	}
	l.dec.Forget()
	if l.dec.groups != nil || l.dec.history.known != nil {
		t.Fatalf("idle decoder at %v: %+v", l.now, l.dec)
	}
	for _, s := range []symbol{old[0], half[1], half[0]} {
		l.arrive(t, s)
	}
	if len(l.got) != 2 || l.dec.history.known != nil {
		t.Errorf("old symbols after idle: got %d, want 2 (the first ones)", len(l.got))
	}
	l.arrive(t, l.group(1, []byte("new"))[1])
	if l.got["new"] != 1 {
		t.Errorf("new group after idle did not come out")
	}
	for i := range HistoryGroups {
		l.arrive(t, l.group(0, unique(uint64(i), 40))[0])
	}
	if l.dec.history.hasFloor || len(l.got) != 3+HistoryGroups {
		t.Errorf("after %d more groups %d symbols came out", HistoryGroups, len(l.got))
	}
}

// A flood of anything keeps the decoder within its limits; checkBounds looks after every symbol.
func TestFloodKeepsDecoderWithinLimits(t *testing.T) {
	for _, flood := range []struct {
		name string
		next func(rng *rand.Rand, i int) symbol
	}{
		{"random", func(rng *rand.Rand, _ int) symbol { return randomSymbol(rng, rng.Uint32()) }},
		{"near", func(rng *rand.Rand, i int) symbol { return randomSymbol(rng, uint32(i/8+rng.IntN(400))) }},
		{"tiny", func(rng *rand.Rand, i int) symbol {
			return symbol{group: uint32(i / 31), index: uint8(i % 31), b: []byte{1}}
		}},
		{"full", func(rng *rand.Rand, i int) symbol {
			return symbol{group: uint32(i / 31), index: uint8(i % 31), b: make([]byte, SymbolBytesMax)}
		}},
		{"one group", func(rng *rand.Rand, i int) symbol { return randomSymbol(rng, 5) }},
	} {
		t.Run(flood.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			d := NewDecoder(nil)
			most := 0
			for i := range 20_000 {
				s := flood.next(rng, i)
				now := time.Duration(i) * time.Microsecond
				if s.k == 0 {
					d.Source(now, s.group, s.index, s.b, func([]byte) {})
				} else {
					d.Repair(now, s.group, s.k, s.r, s.index, s.b, func([]byte) {})
				}
				if most = max(most, d.stats.KeptBytes); i%16 == 0 {
					checkBounds(t, d)
				}
			}
			t.Logf("kept at most %d bytes; %+v", most, d.Stats())
		})
	}
}

func randomSymbol(rng *rand.Rand, group uint32) symbol {
	s := symbol{
		group: group,
		index: uint8(rng.IntN(SourceMax + 1)),
		b:     make([]byte, rng.IntN(RepairBytesMax+2)),
	}
	if rng.IntN(2) == 0 {
		s.k, s.r, s.index = uint8(1+rng.IntN(SourceMax+1)), uint8(rng.IntN(RepairMax+2)), s.index/2
	}
	return s
}

func TestCodecsAreSharedByConnections(t *testing.T) {
	codecs := new(Codecs)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() { // Ends after 50 groups.
			l := newLink(t)
			l.enc, l.dec = NewEncoder(codecs), NewDecoder(codecs)
			for i := range 50 {
				k := 2 + i%8
				for _, s := range l.group(2, uniques(uint64(n*50+i), k)...)[1:] {
					l.arrive(t, s)
				}
			}
		})
	}
	wg.Wait()
}

func TestEncoderRefusesMisuse(t *testing.T) {
	full := NewEncoder(nil)
	for i := range SourceMax {
		if group, index := full.Add([]byte("x")); group != 0 || int(index) != i {
			t.Fatalf("symbol %d got numbers %d.%d", i, group, index)
		}
	}
	if !full.Full() || full.Len() != SourceMax {
		t.Fatalf("group of %d is not full", full.Len())
	}
	empty := NewEncoder(nil)
	if g, ok := empty.Close(2); ok || g != nil {
		t.Fatalf("empty group closed")
	}
	one := NewEncoder(nil)
	one.Add([]byte("x"))
	g, _ := one.Close(RepairMax + 5)
	if g.R != RepairMax || g.RepairBytes() != 1 || string(g.Repair(RepairMax-1)) != "x" {
		t.Fatalf("group of one: %+v", g)
	}
	for name, f := range map[string]func(){
		"add to full":     func() { full.Add([]byte("x")) },
		"add nothing":     func() { empty.Add(nil) },
		"add too much":    func() { empty.Add(make([]byte, SymbolBytesMax+1)) },
		"repair past end": func() { g.Repair(g.R) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func TestGroupTellsItsSizes(t *testing.T) {
	e := NewEncoder(nil)
	for _, n := range []int{10, 30, 20} {
		e.Add(make([]byte, n))
	}
	g, _ := e.Close(2)
	before := g.MemoryBytes()
	if got := g.RepairBytes(); got != 32 || len(g.Repair(1)) != got {
		t.Errorf("repair symbols of %d bytes announced, %d made, want 32", got, len(g.Repair(1)))
	}
	if after := g.MemoryBytes(); before < 60 || after < 64 || after > before {
		t.Errorf("group holds %d bytes before and %d after encoding", before, after)
	}
}

func TestGroupCountsRepairSymbolsBeforeItHasThem(t *testing.T) {
	e := NewEncoder(nil)
	for _, n := range []int{1000, 10} {
		e.Add(make([]byte, n))
	}
	g, _ := e.Close(4)
	before := g.MemoryBytes()
	g.Repair(0)
	if after := g.MemoryBytes(); before < 4*1000 || after > before {
		t.Errorf("group with 4 repair symbols of 1000 bytes says %d before and %d after encoding", before, after)
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func TestOutcomeNames(t *testing.T) {
	want := []string{"useless", "stored", "recovered", "late", "bad", "unknown"}
	for o, w := range want {
		if got := Outcome(o).String(); got != w {
			t.Errorf("outcome %d is %q, want %q", o, got, w)
		}
	}
}
