package netem

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// What the package promises about loss, bursts, rate and delay is checked over manyPackets, the rest
// over fewerPackets.
const (
	manyPackets  = 1_000_000
	fewerPackets = 250_000
)

// run pushes n packets of size bytes, one every `every`, and returns all verdicts. The link is popped
// as it goes.
func run(l *Link, n int, every time.Duration, size int) []Verdict {
	verdicts := make([]Verdict, 0, n)
	l.Record(func(v Verdict) { verdicts = append(verdicts, v) })
	pkt := make([]byte, size)
	for i := range n {
		now := time.Duration(i) * every
		l.Push(now, pkt)
		for {
			if _, ok := l.Pop(now); !ok {
				break
			}
		}
	}
	return verdicts
}

// share returns the share of verdicts with that fate.
func share(verdicts []Verdict, fate Fate) float64 {
	n := 0
	for _, v := range verdicts {
		if v.Fate == fate {
			n++
		}
	}
	return float64(n) / float64(len(verdicts))
}

// runs returns how many runs of that fate there are, and their mean length in packets.
func runs(verdicts []Verdict, fate Fate) (n int, mean float64) {
	total := 0
	for i, v := range verdicts {
		if v.Fate != fate {
			continue
		}
		total++
		if i == 0 || verdicts[i-1].Fate != fate {
			n++
		}
	}
	return n, float64(total) / float64(n)
}

func wantWithin(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	t.Logf("%s: %.5g, want %.5g", what, got, want)
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s is %g, want %g ± %g", what, got, want, tolerance)
	}
}

func TestLinkIndependentLossIsAsAsked(t *testing.T) {
	for p, packets := range map[float64]int{0.1: manyPackets, 0.01: 300_000, 0.6: 700_000} {
		verdicts := run(NewLink(Params{Loss: p}, 1, Up), packets, time.Millisecond, 10)
		wantWithin(t, "loss", share(verdicts, DroppedLoss), p, 0.001)
		_, mean := runs(verdicts, DroppedLoss)
		wantWithin(t, "run length", mean, 1/(1-p), 0.01) // Independent: nothing but chance makes runs.
	}
}

func TestLinkBurstsHaveTheirShareAndLength(t *testing.T) {
	const every, mean, bad = 3 * time.Millisecond, 30 * time.Millisecond, 0.1
	verdicts := run(NewLink(Params{Burst: Burst{Share: bad, Mean: mean}}, 1, Up), manyPackets, every, 10)
	wantWithin(t, "share", share(verdicts, DroppedBurst), bad, 0.003)
	// Seen every 3 ms, an exponential burst is a geometric run of this mean.
	good := float64(mean) * (1 - bad) / bad
	stay := bad + (1-bad)*math.Exp(-float64(every)*(1/float64(mean)+1/good))
	n, got := runs(verdicts, DroppedBurst)
	t.Logf("%d bursts", n)
	wantWithin(t, "packets in a burst", got, 1/(1-stay), 0.05/(1-stay))
}

func TestBurstChainLengths(t *testing.T) {
	for _, b := range []Burst{
		{Share: 0.05, Mean: 30 * time.Millisecond},
		{Share: 0.06, Mean: 100 * time.Millisecond, HeavyTail: true},
	} {
		c := newBurstChain(b, newStream(1, Up, 0, stageBurstTimes))
		var bad, all, longest time.Duration
		n := 0
		for all < manyPackets*b.Mean {
			was, began := c.bad, c.until
			c.badAt(c.until)
			all += c.until - began
			if !was {
				bad += c.until - began
				longest = max(longest, c.until-began)
				n++
			}
		}
		t.Logf("%+v: %d bursts, longest %v", b, n, longest)
		wantWithin(t, "mean in ms", float64(bad)/float64(n)/1e6, float64(b.Mean)/1e6, 0.05*float64(b.Mean)/1e6)
		wantWithin(t, "share of time", float64(bad)/float64(all), b.Share, 0.05*b.Share)
	}
}

// Sparse and dense traffic must meet the same bursts: that is what continuous time is for.
func TestLinkBurstsDoNotDependOnTraffic(t *testing.T) {
	p := Params{Burst: Burst{Share: 0.1, Mean: 50 * time.Millisecond}}
	dense := run(NewLink(p, 7, Up), 100_000, time.Millisecond, 10)
	sparse := run(NewLink(p, 7, Up), 1_000, 100*time.Millisecond, 10)
	for i, v := range sparse {
		if got, want := v.Fate, dense[i*100].Fate; got != want {
			t.Fatalf("at %v: sparse traffic sees %v, dense traffic %v", v.At, got, want)
		}
	}
}

func TestLinkChainHasItsShareAndLength(t *testing.T) {
	verdicts := run(NewLink(Params{Chain: Chain{Share: 0.1, Mean: 5}}, 1, Up), fewerPackets, time.Second, 10)
	wantWithin(t, "share", share(verdicts, DroppedChain), 0.1, 0.004)
	_, mean := runs(verdicts, DroppedChain)
	wantWithin(t, "run length", mean, 5, 0.25)
}

func TestLinkDamageAndDuplicatesAreAsAsked(t *testing.T) {
	l := NewLink(Params{Corrupt: 0.1, Truncate: 0.05, Duplicate: 0.02}, 1, Up)
	pkt := bytes.Repeat([]byte{0xa5}, 100)
	var corrupted, truncated, copies, wrong int
	l.Record(func(v Verdict) {
		if v.Changes&Copied != 0 {
			copies++
		}
	})
	for i := range fewerPackets {
		l.Push(0, pkt)
		got, ok := l.Pop(0)
		differing := 0
		for j := range got {
			if got[j] != pkt[j] {
				differing++
			}
		}
		if differing > 0 {
			corrupted++
		}
		if len(got) < len(pkt) {
			truncated++
		}
		if !ok || differing > 1 {
			wrong++
		}
		if again, ok := l.Pop(0); ok && (!bytes.Equal(again, got) || len(got) > 0 && &again[0] == &got[0]) {
			t.Fatalf("packet %d: the copy differs, or shares its bytes", i)
		}
	}
	if wrong > 0 {
		t.Errorf("%d packets did not come or differ in more than one byte", wrong)
	}
	if !bytes.Equal(pkt, bytes.Repeat([]byte{0xa5}, 100)) {
		t.Error("the pusher's bytes changed")
	}
	// Truncation sometimes hides the corrupted byte.
	wantWithin(t, "corrupt", float64(corrupted)/fewerPackets, 0.1*(1-0.05/2), 0.002)
	wantWithin(t, "truncated", float64(truncated)/fewerPackets, 0.05, 0.0015)
	wantWithin(t, "copies", float64(copies)/fewerPackets, 0.02, 0.0015)
	if c := l.Counts(); c.Copied != uint64(copies) || c.Delivered != fewerPackets+c.Copied {
		t.Errorf("counts %+v do not add up", c)
	}
}

func TestLinkDelayIsExact(t *testing.T) {
	l := NewLink(Params{Delay: 50 * time.Millisecond}, 1, Up)
	for i := range manyPackets {
		now := time.Duration(i) * 60_000_007
		l.Push(now, []byte{1})
		if at, ok := l.NextAt(); !ok || at != now+50*time.Millisecond {
			t.Fatalf("pushed at %v: NextAt %v, %v", now, at, ok)
		}
		if _, ok := l.Pop(now + 50*time.Millisecond - 1); ok {
			t.Fatalf("pushed at %v: came early", now)
		}
		if p, ok := l.PopPacket(now + 50*time.Millisecond); !ok || p.At-p.SentAt != 50*time.Millisecond {
			t.Fatalf("pushed at %v: got %+v, %v", now, p, ok)
		}
	}
}

func TestLinkJitterKeepsOrderAndSpread(t *testing.T) {
	const delay, jitter = 45 * time.Millisecond, 10 * time.Millisecond
	verdicts := run(NewLink(Params{Delay: delay, Jitter: jitter}, 1, Up), 100_000, time.Millisecond, 10)
	last := time.Duration(0)
	for _, v := range verdicts {
		if v.Deliver < last {
			t.Fatalf("packet %d overtakes", v.Ordinal)
		}
		last = v.Deliver
		if d := v.Deliver - v.At; d < delay-jitter || d > delay+jitter {
			t.Fatalf("packet %d took %v", v.Ordinal, d)
		}
	}
	// Sparse packets do not wait for each other: their delay is spread evenly.
	sum := 0.0
	verdicts = run(NewLink(Params{Delay: delay, Jitter: jitter}, 1, Up), fewerPackets, time.Second, 10)
	for _, v := range verdicts {
		sum += float64(v.Deliver-v.At) / 1e6
	}
	wantWithin(t, "mean delay in ms", sum/fewerPackets, 45, 0.1)
	// No packet outruns the wire, however large the jitter.
	for _, v := range run(NewLink(Params{Delay: delay, Jitter: time.Second}, 1, Up), 1000, time.Minute, 10) {
		if d := v.Deliver - v.At; d < delay/2 {
			t.Fatalf("packet %d took %v", v.Ordinal, d)
		}
	}
}

func TestLinkReordersOnlyItsShare(t *testing.T) {
	p := Params{Delay: 50 * time.Millisecond, Reorder: 0.1, ReorderBy: 30 * time.Millisecond}
	verdicts := run(NewLink(p, 1, Up), fewerPackets, 10*time.Millisecond, 10)
	overtaken, late := 0, 0
	for i, v := range verdicts {
		if v.Changes&Reordered != 0 {
			late++
		}
		if i+1 < len(verdicts) && verdicts[i+1].Deliver < v.Deliver {
			overtaken++
		}
	}
	wantWithin(t, "late", float64(late)/fewerPackets, 0.1, 0.0015)
	wantWithin(t, "overtaken by the next", float64(overtaken)/fewerPackets, 0.1*0.9, 0.0015)
}

func TestLinkGrainRoundsUpAndKeepsOrder(t *testing.T) {
	p := Params{Delay: 20 * time.Millisecond, Rate: 1_000_003, Jitter: 3 * time.Millisecond, Grain: time.Millisecond}
	fine := p
	fine.Grain = 0
	rounded, exact := run(NewLink(p, 1, Up), 10_000, 7*time.Millisecond, 300), run(NewLink(fine, 1, Up), 10_000, 7*time.Millisecond, 300)
	for i, v := range rounded {
		if d := v.Deliver - exact[i].Deliver; d < 0 || d >= time.Millisecond || v.Deliver%time.Millisecond != 0 {
			t.Fatalf("packet %d: %v instead of %v", i, v.Deliver, exact[i].Deliver)
		}
	}
}

// everything is a link on which all stages act.
func everything() Params {
	return Params{
		MTU: 1228,
		Events: []Event{
			{Kind: Partition, First: 3 * time.Second, Every: 7 * time.Second, For: time.Second},
			{Kind: Hold, First: time.Second, Every: 5 * time.Second, For: 500 * time.Millisecond, Chance: 0.7, Else: Handover},
			{Kind: Slow, First: 2 * time.Second, Every: 3 * time.Second, For: time.Second, Extra: 20 * time.Millisecond},
			{Kind: Lossy, First: 0, Every: 4 * time.Second, For: time.Second, Loss: 0.3},
			{Kind: Move, First: 11 * time.Second, Every: 11 * time.Second, For: time.Second},
		},
		Then: []Params{{Delay: 100 * time.Millisecond, Loss: 0.2, Jitter: 10 * time.Millisecond}},
		Loss: 0.05, Burst: Burst{Share: 0.05, Mean: 30 * time.Millisecond, HeavyTail: true},
		Chain:   Chain{Share: 0.05, Mean: 3, Loss: 0.9},
		Corrupt: 0.05, Truncate: 0.05, Duplicate: 0.05,
		Walk:  Walk{Low: 100_000, High: 10_000_000, Every: 500 * time.Millisecond, Step: 1},
		Queue: 200 * time.Millisecond,
		Delay: 30 * time.Millisecond, Jitter: 10 * time.Millisecond,
		Reorder: 0.05, ReorderBy: 40 * time.Millisecond,
	}
}

func TestLinkSameSeedSameVerdicts(t *testing.T) {
	for _, p := range []Params{everything(), starlink().Up, dslCongestedUp().Up, roam().Down} {
		a, b := run(NewLink(p, 42, Up), 20_000, time.Millisecond, 700), run(NewLink(p, 42, Up), 20_000, time.Millisecond, 700)
		if !slices.Equal(a, b) {
			t.Error("same seed, different verdicts")
		}
	}
	a := run(NewLink(everything(), 42, Up), 20_000, time.Millisecond, 700)
	for what, other := range map[string]*Link{
		"seed": NewLink(everything(), 43, Up), "direction": NewLink(everything(), 42, Down),
	} {
		if slices.Equal(a, run(other, 20_000, time.Millisecond, 700)) {
			t.Errorf("another %s, same verdicts", what)
		}
	}
}

// Goal: switching a stage on or off changes no other stage's numbers. Method: after the same count of
// packets every stream must stand where it stands on a perfect link.
func TestLinkStagesTakeTheSameCountOfNumbers(t *testing.T) {
	state := func(p Params) map[string][]byte {
		l := NewLink(p, 5, Down)
		run(l, 1000, time.Millisecond, 1300)
		states := make(map[string][]byte)
		ln := l.lanes[0]
		for name, s := range map[string]*stream{
			"events": ln.eventDraws, "loss": ln.lossDraws, "burst": ln.burstDraws, "chain": ln.chainDraws,
			"mangle": ln.mangleDraws, "duplicate": ln.duplicateDraws, "delay": ln.delayDraws,
		} {
			b, err := s.pcg.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			states[name] = b
		}
		return states
	}
	want := state(Params{})
	e := everything()
	for what, p := range map[string]Params{
		"mtu": {MTU: 600}, "events": {Events: e.Events[:4]}, "loss": {Loss: 0.5}, "all lost": {Loss: 1},
		"bursts": {Burst: e.Burst}, "chain": {Chain: e.Chain}, "corruption": {Corrupt: 0.5, Truncate: 0.5},
		"duplication": {Duplicate: 0.5}, "bottleneck": {Rate: 10_000, Queue: time.Second}, "walk": {Walk: e.Walk},
		"delay": {Delay: time.Second, Jitter: time.Second, Reorder: 0.5, ReorderBy: time.Second},
	} {
		for name, got := range state(p) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("with %s on, the stream of %s has moved differently", what, name)
			}
		}
	}
}

func TestLinkStagesDecideAlikeWhateverElseIsOn(t *testing.T) {
	fates := func(p Params, of func(Verdict) bool) map[uint64]bool {
		m := make(map[uint64]bool)
		for _, v := range run(NewLink(p, 9, Up), 20_000, time.Millisecond, 500) {
			if v.Changes&Copied == 0 {
				m[v.Ordinal] = of(v)
			}
		}
		return m
	}
	lost := func(v Verdict) bool { return v.Fate == DroppedLoss }
	alone := fates(Params{Loss: 0.2}, lost)
	both := fates(Params{
		Loss: 0.2, Duplicate: 0.3, Corrupt: 0.3, Delay: time.Second, Jitter: time.Second,
		Burst: Burst{Share: 0.2, Mean: time.Second}, Rate: 1_000_000,
	}, lost)
	for i, was := range alone {
		if both[i] != was {
			t.Fatalf("packet %d: lost %v alone, %v with other stages", i, was, both[i])
		}
	}
	// Packets that survive the loss are late by as much as without it, if they do not wait for others.
	p := Params{Delay: 100 * time.Millisecond, Jitter: 400 * time.Microsecond}
	clean := run(NewLink(p, 9, Up), 20_000, time.Millisecond, 500)
	p.Loss, p.Duplicate = 0.5, 0.5
	for _, v := range run(NewLink(p, 9, Up), 20_000, time.Millisecond, 500) {
		if v.Fate == Kept && v.Changes&Copied == 0 && v.Deliver != clean[v.Ordinal].Deliver {
			t.Fatalf("packet %d: comes at %v, without loss at %v", v.Ordinal, v.Deliver, clean[v.Ordinal].Deliver)
		}
	}
}

// Goal: whoever sleeps until NextAt misses nothing and never wakes in vain. Method: random links and
// traffic; before NextAt nothing pops, at NextAt something does.
func TestLinkNextAtIsNeverWrong(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := everything()
		if rng.IntN(2) == 0 {
			p.Then = nil
		}
		if rng.IntN(2) == 0 {
			p.Walk, p.Rate = Walk{}, 2_000_000
		}
		l := NewLink(p, seed, Up)
		now, sent, popped := time.Duration(0), 0, 0
		for range 2000 {
			next, ok := l.NextAt()
			until := now + time.Duration(rng.ExpFloat64()*float64(8*time.Millisecond))
			if ok && next <= until {
				if next > now {
					if _, early := l.Pop(next - 1); early {
						t.Fatalf("seed %d: popped before NextAt %v", seed, next)
					}
				}
				now = next
				if again, _ := l.NextAt(); again != next {
					t.Fatalf("seed %d: NextAt changed by itself from %v to %v", seed, next, again)
				}
				if _, ok := l.Pop(next); !ok {
					t.Fatalf("seed %d: nothing at NextAt %v", seed, next)
				}
				popped++
				continue
			}
			now = until
			if _, ok := l.Pop(now); ok {
				t.Fatalf("seed %d: popped at %v, NextAt said %v, %v", seed, now, next, ok)
			}
			l.Push(now, make([]byte, rng.IntN(1400)))
			sent++
		}
		for at, ok := l.NextAt(); ok; at, ok = l.NextAt() {
			if _, ok := l.Pop(at); !ok {
				t.Fatalf("seed %d: nothing at NextAt %v", seed, at)
			}
			popped++
		}
		c := l.Counts()
		if c.Pushed != uint64(sent) || c.Delivered != uint64(popped) || c.Kept != c.Delivered ||
			c.Pushed+c.Copied != c.Kept+c.Dropped() || l.queuedBytes != 0 {
			t.Fatalf("seed %d: sent %d, popped %d, counts %+v do not add up", seed, sent, popped, c)
		}
	}
}

func TestLinkTimeGoingBackwardsStandsStill(t *testing.T) {
	l := NewLink(Params{Delay: time.Second}, 1, Up)
	l.Push(10*time.Second, []byte{1})
	l.Push(5*time.Second, []byte{2})
	for want := byte(1); want <= 2; want++ {
		if p, ok := l.PopPacket(11 * time.Second); !ok || p.Data[0] != want || p.At != 11*time.Second {
			t.Errorf("got %+v, %v", p, ok)
		}
	}
}

func TestLinkIsBounded(t *testing.T) {
	l := NewLink(Params{Delay: time.Hour}, 1, Up)
	for range inFlightPacketsMax + 10 {
		l.Push(0, nil)
	}
	if c := l.Counts(); c.Kept != inFlightPacketsMax || c.DroppedFor[DroppedFull] != 10 {
		t.Errorf("packets: %+v", c)
	}
	l = NewLink(Params{Delay: time.Hour}, 1, Up)
	big := make([]byte, 64<<10)
	for range inFlightBytesMax/len(big) + 10 {
		l.Push(0, big)
	}
	if c := l.Counts(); c.Kept != uint64(inFlightBytesMax/len(big)) || c.DroppedFor[DroppedFull] != 10 {
		t.Errorf("bytes: %+v", c)
	}
}

func TestLinkMTUIsABlackHole(t *testing.T) {
	l := NewLink(Params{MTU: 1228}, 1, Up)
	l.Push(0, make([]byte, 1201))
	l.Push(0, make([]byte, 1200))
	if pkt, ok := l.Pop(0); !ok || len(pkt) != 1200 || l.Counts().DroppedFor[DroppedMTU] != 1 {
		t.Errorf("got %d bytes, %v, counts %+v", len(pkt), ok, l.Counts())
	}
}

func TestLinkCutByHand(t *testing.T) {
	l := NewLink(Params{}, 1, Up)
	l.Cut(true)
	l.Push(0, []byte{1})
	l.Cut(false)
	l.PushTagged(0, []byte{2}, 77)
	if p, ok := l.PopPacket(0); !ok || p.Data[0] != 2 || p.Tag != 77 || l.Counts().DroppedFor[DroppedPartition] != 1 {
		t.Errorf("got %+v, %v, counts %+v", p, ok, l.Counts())
	}
}

func TestValidateRefuses(t *testing.T) {
	for i, p := range []Params{
		{Loss: -0.1}, {Loss: 1.1}, {Loss: math.NaN()}, {Burst: Burst{Share: 1, Mean: time.Second}}, {Burst: Burst{Share: 0.5}},
		{Chain: Chain{Share: 0.9, Mean: 2}}, {Chain: Chain{Share: 0.1}}, {Delay: -1}, {Rate: -1}, {Rate: 10}, {MTU: -1},
		{Redraw: Redraw{Every: time.Second, Low: 2, High: 1}}, {Delay: 1, Redraw: Redraw{Every: time.Second}},
		{Rate: 1e6, Walk: Walk{Low: 1e4, High: 1e5, Every: time.Second, Step: 1}}, {Walk: Walk{Every: time.Second}},
		{Cross: Cross{On: time.Second}}, {Events: make([]Event, eventsMax+1)}, {Events: []Event{{Kind: 99}}},
		{Events: []Event{{Kind: Hold, Every: time.Second, For: 2 * time.Second}}}, {Events: []Event{{Kind: Move, Chance: 0.5}}},
		{Events: []Event{{Kind: Hold, Else: Move}}}, {Events: []Event{{Kind: Hold, First: -1}}},
		{Then: []Params{{Then: []Params{{}}}}}, {Then: []Params{{Loss: 2}}}, {Then: []Params{{Events: []Event{{Kind: Move}}}}},
	} {
		if err := p.Validate(); err == nil {
			t.Errorf("case %d: %+v is valid", i, p)
		}
	}
	if err := everything().Validate(); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("NewLink took nonsense")
		}
	}()
	NewLink(Params{Loss: 2}, 1, Up)
}

func BenchmarkLink(b *testing.B) {
	p, err := ProfileNamed("wifi-bad")
	if err != nil {
		b.Fatal(err)
	}
	l := NewLink(p.Up, 1, Up)
	pkt := make([]byte, 1200)
	b.ReportAllocs()
	for i := range b.N {
		now := time.Duration(i) * 8 * time.Millisecond
		binary.BigEndian.PutUint64(pkt, uint64(i))
		l.Push(now, pkt)
		l.Pop(now)
	}
}
