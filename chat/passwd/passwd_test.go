package passwd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// cheap is enough for rules that do not depend on the price.
var cheap = Config{MemoryKiB: 8, Passes: 1}

func mustClear(t *testing.T, password string) Secret {
	t.Helper()
	s, err := Clear(password)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerifierOfTheDefaultCosts(t *testing.T) {
	h := New(Config{})
	s := mustClear(t, "correct horse")
	v, err := h.Hash(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(v, "$argon2id$v=19$m=19456,t=2,p=1$") || len(v) > 100 {
		t.Errorf("got verifier %q", v)
	}
	for password, want := range map[string]Result{"correct horse": Right, "Correct horse": Wrong, "correct hors": Wrong} {
		if got, err := h.Verify(t.Context(), v, mustClear(t, password)); got != want || err != nil {
			t.Errorf("Verify of %q = %v, %v, want %v", password, got, err, want)
		}
	}
	if got, err := h.Verify(t.Context(), v, Secret{}); got != Wrong || err != nil {
		t.Errorf("Verify of nothing = %v, %v", got, err)
	}
}

// TestVerifierIsMadeOfTheMD5: whoever types the password and whoever sends its MD5 have one verifier.
func TestVerifierIsMadeOfTheMD5(t *testing.T) {
	a, b := mustClear(t, "secret"), Secret{"5ebe2294ecd0e0f08eab7690d2a6ee69"}
	if a != b {
		t.Errorf("the secret of a password is not its MD5")
	}
	c, err := FromMD5("5EBE2294ECD0E0F08EAB7690D2A6EE69")
	if err != nil || c != a {
		t.Errorf("an MD5 in capitals is another secret: %v", err)
	}
	h := New(cheap)
	v, err := h.Hash(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Verify(t.Context(), v, c); got != Right || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSecretsThatAreNone(t *testing.T) {
	if _, err := Clear(""); !errors.Is(err, ErrEmpty) {
		t.Errorf("got %v", err)
	}
	if _, err := Clear(strings.Repeat("x", 1025)); !errors.Is(err, ErrTooLong) {
		t.Errorf("got %v", err)
	}
	if _, err := FromMD5("d41d8cd98f00b204e9800998ecf8427e"); !errors.Is(err, ErrEmpty) {
		t.Errorf("MD5 of nothing: got %v", err)
	}
	for _, text := range []string{"", "secret", "5ebe2294ecd0e0f08eab7690d2a6ee6", "5ebe2294ecd0e0f08eab7690d2a6ee69aa", "zzbe2294ecd0e0f08eab7690d2a6ee69"} {
		if _, err := FromMD5(text); !errors.Is(err, ErrNotMD5) {
			t.Errorf("FromMD5(%q): got %v", text, err)
		}
	}
	if _, err := New(cheap).Hash(t.Context(), Secret{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("got %v", err)
	}
	if got := fmt.Sprintf("%v %+v %#v %s", mustClear(t, "x"), mustClear(t, "x"), mustClear(t, "x"), mustClear(t, "x")); got != "(secret) (secret) (secret) (secret)" {
		t.Errorf("a secret prints as %q", got)
	}
}

func TestOldCostsAreUpgraded(t *testing.T) {
	s := mustClear(t, "x")
	old, err := New(cheap).Hash(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{MemoryKiB: 16, Passes: 1}, {MemoryKiB: 8, Passes: 2}, {MemoryKiB: 16, Passes: 1, Lanes: 2}} {
		if got, err := New(cfg).Verify(t.Context(), old, s); got != Upgrade || err != nil {
			t.Errorf("%+v: got %v, %v, want Upgrade", cfg, got, err)
		}
		if got, err := New(cfg).Verify(t.Context(), old, mustClear(t, "y")); got != Wrong || err != nil {
			t.Errorf("%+v: got %v, %v, want Wrong", cfg, got, err)
		}
	}
}

func TestVerifiersAreReadStrictly(t *testing.T) {
	const good = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if err := Check(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"argon2id", "argon2i"}, {"v=19", "v=16"}, {"v=19$", ""}, {"m=8,", "m=262145,"}, {"m=8,", "m=0,"}, {"m=8,", ""}, {"m=8", "m=-8"},
		{"m=8", "m=4294967304"}, {"t=1", "t=17"}, {"p=1", "p=17"}, {"p=1", "p=257"}, {"p=1", "p=1,x=2"}, {"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAA$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAAB$"}, {"$AAAAAAAAAAAAAAAAAAAAAA$", "$" + strings.Repeat("A", 200) + "$"}, {"AAAAA$A", "AAAA!$A"},
		{"$argon2id", "argon2id"}, {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAA"}, {good, ""}, {good, strings.Repeat("$", 5)},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if err := Check(text); !errors.Is(err, ErrVerifier) {
			t.Errorf("Check(%q) = %v, want ErrVerifier", text, err)
		}
		if got, err := New(cheap).Verify(t.Context(), text, mustClear(t, "x")); got != Wrong || !errors.Is(err, ErrVerifier) {
			t.Errorf("Verify(%q) = %v, %v", text, got, err)
		}
	}
}

func TestFloodOfHashesIsRefusedNotRun(t *testing.T) {
	h := New(Config{MemoryKiB: 8, Passes: 1, Parallel: 1})
	h.running <- struct{}{} // One runs.
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 100)
	var wg sync.WaitGroup
	for range cap(errs) {
		wg.Go(func() { errs <- h.Idle(ctx, mustClear(t, "x")) })
	}
	busy := 0
	for range cap(errs) - waitingMax {
		if err := <-errs; errors.Is(err, ErrBusy) {
			busy++
		}
	}
	cancel()
	wg.Wait()
	if busy != cap(errs)-waitingMax || h.Done() != 0 {
		t.Errorf("%d of %d were refused and %d made, want all but %d refused and none made", busy, cap(errs), h.Done(), waitingMax)
	}
	<-h.running
	if err := h.Idle(t.Context(), mustClear(t, "x")); err != nil || h.Done() != 1 {
		t.Errorf("after the flood: %v, %d made", err, h.Done())
	}
}

// FuzzCheck: no text makes the reader panic, and what it accepts is written as it was read.
func FuzzCheck(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2i$v=19$$$")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parse(text)
		if err != nil {
			return
		}
		again, err := parse(v.String())
		if err != nil || again.String() != v.String() {
			t.Fatalf("%q read as %+v, written as %q, %v", text, v, again.String(), err)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := New(Config{})
	s, _ := Clear("correct horse")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
