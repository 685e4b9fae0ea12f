package message

import (
	"sync"
	"testing"
)

func TestBudgetRefusesInsteadOfWaiting(t *testing.T) {
	b := NewBudget(100)
	if !b.Acquire(60) || !b.Acquire(40) {
		t.Fatal("what was left was refused")
	}
	if !b.Acquire(0) {
		t.Error("nothing was refused")
	}
	if b.Acquire(1) {
		t.Error("more than there is was given")
	}
	b.Release(40)
	if b.Acquire(41) || !b.Acquire(40) {
		t.Error("what was given back is not what can be taken")
	}
	if got, want := b.Stats(), (BudgetStats{HeldBytes: 100, HeldBytesMax: 100, Refused: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBudgetOfNobodyHasNoBounds(t *testing.T) {
	var b *Budget
	if !b.Acquire(1 << 30) {
		t.Error("refused")
	}
	b.Release(1 << 30)
	if got := b.Stats(); got != (BudgetStats{}) {
		t.Errorf("got %+v, want zero", got)
	}
	if got := NewBudget(0).Stats().HeldBytesMax; got != BudgetBytesDefault {
		t.Errorf("default: got %d, want %d", got, BudgetBytesDefault)
	}
}

func TestBudgetMisusePanics(t *testing.T) {
	wantPanic(t, "BUG: message: more bytes released", func() { NewBudget(10).Release(1) })
	wantPanic(t, "BUG: message: -1 bytes acquired", func() { NewBudget(10).Acquire(-1) })
	wantPanic(t, "BUG: message: -1 bytes released", func() { NewBudget(10).Release(-1) })
}

// TestBudgetSharedByManyStreams lets more decoders than fit receive at once. Nobody waits, so all come to an end; the
// budget is never overdrawn and whole again afterwards.
func TestBudgetSharedByManyStreams(t *testing.T) {
	cfg := small
	cfg.Budget = NewBudget(3000)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { // Ends by itself: a decoder does not block.
			for range 50 {
				in := stream(10, 900, 64, 500)
				var list [][]byte
				for len(in) > 0 {
					n := min(len(in), 70)
					list, in = append(list, in[:n]), in[n:]
				}
				got := decode(cfg, list...)
				if len(got) != 4 || got[0] != "text(10)" || got[2] != "text(64)" {
					t.Errorf("got\n%v\nwant the small messages at least", got)
				}
				if held := cfg.Budget.Stats().HeldBytes; held > 3000 {
					t.Errorf("%d bytes held of 3000", held)
				}
			}
		})
	}
	wg.Wait()
	if held := cfg.Budget.Stats().HeldBytes; held != 0 {
		t.Errorf("%d bytes not given back", held)
	}
}

// TestBudgetIsNotAskedForWhatFitsIntoTheBuffer: with nothing left, messages as long as the buffer still pass.
func TestBudgetIsNotAskedForWhatFitsIntoTheBuffer(t *testing.T) {
	cfg := small
	cfg.Budget = NewBudget(1)
	fits := stream(0, bufferBytesMin-1, bufferBytesMin)
	var single [][]byte
	for i := range fits {
		single = append(single, fits[i:i+1])
	}
	everyWay(t, cfg, outcome{"text(0)", "text(63)", "text(64)"}, single...)
	if refused := cfg.Budget.Stats().Refused; refused != 0 {
		t.Errorf("refused %d times, want 0", refused)
	}
	long := stream(bufferBytesMin + 1)
	want := outcome{"error: message: over the memory budget: 64 of 65 bytes received"}
	if got := decode(cfg, long[:66], long[66:]); got.String() != want.String() {
		t.Errorf("a byte longer: got %v, want %v", got, want)
	}
	if got := read(cfg, &pieces{list: [][]byte{long}}); len(got) != 1 || got[0] == "text(65)" {
		t.Errorf("a byte longer: got %v, want a refusal", got)
	}
}
