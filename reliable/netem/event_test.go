package netem

import (
	"testing"
	"time"
)

// fateAt returns the verdict on a packet pushed at time t of a fresh link.
func fateAt(p Params, t time.Duration) Verdict {
	return run(NewLink(p, 1, Up), 2, t, 100)[1]
}

func TestPartitionDropsWhatIsPushedOnly(t *testing.T) {
	p := Params{Delay: time.Second, Events: []Event{{Kind: Partition, First: 10 * time.Second, Every: 20 * time.Second, For: 5 * time.Second}}}
	for at, want := range map[time.Duration]Fate{
		10*time.Second - 1: Kept, 10 * time.Second: DroppedPartition, 15*time.Second - 1: DroppedPartition, 15 * time.Second: Kept,
		30*time.Second - 1: Kept, 30 * time.Second: DroppedPartition, 35 * time.Second: Kept, 1010 * time.Second: DroppedPartition,
	} {
		if got := fateAt(p, at); got.Fate != want {
			t.Errorf("at %v: %v, want %v", at, got.Fate, want)
		}
	}
}

func TestEventWithoutEveryHappensOnce(t *testing.T) {
	p := Params{Events: []Event{{Kind: Partition, First: time.Second, For: time.Second}}}
	for at, want := range map[time.Duration]Fate{time.Second: DroppedPartition, 2 * time.Second: Kept, time.Hour: Kept} {
		if got := fateAt(p, at); got.Fate != want {
			t.Errorf("at %v: %v, want %v", at, got.Fate, want)
		}
	}
}

func TestHoldReleasesAllInOrder(t *testing.T) {
	l := NewLink(Params{
		Delay:  10 * time.Millisecond,
		Events: []Event{{Kind: Hold, First: time.Second, For: 800 * time.Millisecond}},
	}, 1, Up)
	for i := range byte(20) {
		l.Push(time.Duration(i)*100*time.Millisecond, []byte{i})
	}
	for i := range byte(20) {
		want := time.Duration(i)*100*time.Millisecond + 10*time.Millisecond
		if i >= 10 && i < 18 {
			want = 1810 * time.Millisecond
		}
		at, _ := l.NextAt()
		if p, ok := l.PopPacket(at); !ok || p.Data[0] != i || p.At != want {
			t.Fatalf("packet %d: got %+v, %v, want it at %v", i, p, ok, want)
		}
	}
	if got := l.Counts().Held; got != 8 {
		t.Errorf("%d held, want 8", got)
	}
}

func TestHoldEndingInPartitionIsLost(t *testing.T) {
	p := Params{Events: []Event{
		{Kind: Hold, First: time.Second, For: time.Second},
		{Kind: Partition, First: 2 * time.Second, For: time.Second},
	}}
	if got := fateAt(p, 1500*time.Millisecond); got.Fate != DroppedPartition {
		t.Errorf("got %v", got.Fate)
	}
}

func TestHoldsThatCoverAllTimeEndAtLast(t *testing.T) {
	p := Params{Events: []Event{{Kind: Hold, Every: time.Second, For: time.Second}}}
	if got := fateAt(p, 500*time.Millisecond); got.Fate != Kept || got.Deliver != holdsMax*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestHandoverKillsWhatIsOnTheWay(t *testing.T) {
	p := Params{Delay: 100 * time.Millisecond, Events: []Event{{Kind: Handover, First: time.Second, Every: 2 * time.Second, For: 300 * time.Millisecond}}}
	for at, want := range map[time.Duration]Fate{
		900*time.Millisecond - 1: Kept, 900 * time.Millisecond: DroppedHandover, 1200 * time.Millisecond: DroppedHandover,
		1300 * time.Millisecond: Kept, 2950 * time.Millisecond: DroppedHandover,
	} {
		if got := fateAt(p, at); got.Fate != want {
			t.Errorf("at %v: %v, want %v", at, got.Fate, want)
		}
	}
}

func TestMoveChangesAddressAndPath(t *testing.T) {
	l := NewLink(Params{
		Delay:  10 * time.Millisecond,
		Events: []Event{{Kind: Move, First: 30 * time.Second, Every: 30 * time.Second, For: 3 * time.Second}},
		Then:   []Params{{Delay: 100 * time.Millisecond}},
	}, 1, Up)
	for _, step := range []struct {
		at, delay time.Duration
		address   int
	}{
		{0, 10 * time.Millisecond, 0},
		{33 * time.Second, 100 * time.Millisecond, 1},
		{63 * time.Second, 10 * time.Millisecond, 2},
		{93 * time.Second, 100 * time.Millisecond, 3},
	} {
		l.Push(step.at, []byte{1})
		at, _ := l.NextAt()
		p, ok := l.PopPacket(at)
		if !ok || p.At != step.at+step.delay || p.Address != step.address || l.Address(step.at) != step.address {
			t.Errorf("at %v: got %+v, address %d; want %+v", step.at, p, l.Address(step.at), step)
		}
	}
	l.Push(119990*time.Millisecond, []byte{1}) // Not there yet when the move begins.
	l.Push(120*time.Second, []byte{1})         // In the gap.
	if got := l.Counts().DroppedFor[DroppedHandover]; got != 2 {
		t.Errorf("%d lost in the move, want 2", got)
	}
}

func TestSlowAddsAndLossyLoses(t *testing.T) {
	p := Params{Delay: 20 * time.Millisecond, Loss: 0.1, Events: []Event{
		{Kind: Slow, First: time.Second, For: time.Second, Extra: 40 * time.Millisecond},
		{Kind: Lossy, First: 120 * time.Second, Every: 300 * time.Second, For: 60 * time.Second, Loss: 1.0 / 9},
	}}
	if got := fateAt(p, 1500*time.Millisecond); got.Deliver-got.At != 60*time.Millisecond {
		t.Errorf("slow: took %v", got.Deliver-got.At)
	}
	verdicts := run(NewLink(p, 1, Up), fewerPackets, 10*time.Millisecond, 10)
	var bad, badLost, good, goodLost float64
	for _, v := range verdicts {
		in := v.At >= 120*time.Second && (v.At-120*time.Second)%(300*time.Second) < 60*time.Second
		switch {
		case in && v.Fate != Kept:
			badLost++
			bad++
		case in:
			bad++
		case v.Fate != Kept:
			goodLost++
			good++
		default:
			good++
		}
	}
	wantWithin(t, "loss in bad minutes", badLost/bad, 0.2, 0.005)
	wantWithin(t, "loss otherwise", goodLost/good, 0.1, 0.002)
}

func TestEventChanceChoosesBetweenKinds(t *testing.T) {
	p := Params{Events: []Event{{Kind: Hold, Else: Partition, Chance: 0.8, Every: time.Second, For: 100 * time.Millisecond}}}
	held, dropped := 0.0, 0.0
	for _, v := range run(NewLink(p, 1, Up), 100_000, time.Second, 10) {
		if v.Changes&Held != 0 {
			held++
		}
		if v.Fate == DroppedPartition {
			dropped++
		}
	}
	wantWithin(t, "held", held/100_000, 0.8, 0.005)
	wantWithin(t, "dropped", dropped/100_000, 0.2, 0.005)
}

// A black hole lets small packets through, and all when it is over.
func TestBlackHoleDropsLargePacketsWhileItLasts(t *testing.T) {
	l := NewLink(Params{Events: []Event{{Kind: BlackHole, First: time.Second, For: time.Second, MTU: 1228}}}, 1, Up)
	for _, at := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		for _, n := range []int{100, 1200, 1201} {
			l.Push(at, make([]byte, n))
		}
	}
	if c := l.Counts(); c.DroppedFor[DroppedMTU] != 1 || c.Pushed != 9 || l.queue.len() != 8 {
		t.Errorf("%+v, want one dropped", c)
	}
	if (Params{Events: []Event{{Kind: BlackHole}}}).Validate() == nil {
		t.Error("a black hole for all sizes was taken")
	}
}
