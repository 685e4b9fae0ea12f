package client

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
)

// A brokenState cannot be written.
type brokenState struct {
	memoryState
	err error
}

func (b *brokenState) Save(s Saved) error {
	if b.err != nil {
		return b.err
	}
	return b.memoryState.Save(s)
}

func TestNumbersAreNeverUsedTwiceWhateverHappens(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	state := &memoryState{}
	var last uint64
	for range 100 {
		n, err := openNumbers(state)
		if err != nil {
			t.Fatal(err)
		}
		want := state.saved.Counter // Nothing is given back of what is not set aside.
		for range rng.IntN(3 * counterBlock) {
			got, err := n.next()
			if err != nil || got <= last {
				t.Fatalf("number %d, %v after %d", got, err, last)
			}
			last, want = got, got
		}
		if rng.IntN(2) == 0 { // Else the program is killed.
			if err := n.close(); err != nil || state.saved.Counter != want {
				t.Fatalf("after close %d is kept, %v; want %d", state.saved.Counter, err, want)
			}
		}
	}
}

func TestNoNumberWithoutAStateThatKeepsIt(t *testing.T) {
	state := &brokenState{err: errors.New("disk full")}
	n, err := openNumbers(state)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := n.next(); !errors.Is(err, state.err) {
		t.Errorf("next = %d, %v", got, err)
	}
	state.err = nil
	if got, err := n.next(); got != 1 || err != nil {
		t.Errorf("next = %d, %v when the disk is no longer full, want 1", got, err)
	}
}

func TestAnotherDeviceBeginsAnewAndTheSameDoesNot(t *testing.T) {
	state := &memoryState{saved: Saved{Name: "Ann", Account: "ann", Device: "d1", Token: "t1", Counter: 700}}
	n, err := openNumbers(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		l    native.LoggedIn
		want uint64
		kept Saved
	}{
		{native.LoggedIn{Account: "ann", Device: "d1"}, 701, Saved{"Ann", "ann", "d1", "t1", 700 + counterBlock, time.Time{}}},
		{native.LoggedIn{Account: "ann", Device: "d2", Token: "t2"}, 1, Saved{"Ann", "ann", "d2", "t2", counterBlock, time.Time{}}},
	} {
		if err := n.become("Ann", tt.l); err != nil {
			t.Fatal(err)
		}
		if got, err := n.next(); got != tt.want || err != nil {
			t.Errorf("%+v: %d, %v, want %d", tt.l, got, err, tt.want)
		}
		if state.saved != tt.kept {
			t.Errorf("%+v: kept %+v, want %+v", tt.l, state.saved, tt.kept)
		}
	}
}

// Many messages may be on their way with numbers that were used: what is left out is left out once, and for each device.
func TestNumbersAreSkippedOnce(t *testing.T) {
	n := &numbers{state: &memoryState{}}
	take := func(want uint64) {
		t.Helper()
		if got, err := n.next(); got != want || err != nil {
			t.Errorf("number %d, %v, want %d", got, err, want)
		}
	}
	skip := func(used uint64) {
		t.Helper()
		if err := n.skip(used); err != nil {
			t.Error(err)
		}
	}
	take(1)
	take(2)
	skip(1)
	skip(2)
	take(2 + counterSkip + 1)
	skip(2)
	take(2 + counterSkip + 2)
	skip(2 + counterSkip + 1)
	take(2 + 2*counterSkip + 3)
	if err := n.become("Ann", native.LoggedIn{Account: "ann", Device: "another"}); err != nil {
		t.Fatal(err)
	}
	take(1)
	skip(1)
	take(1 + counterSkip + 1)
}

func TestFileStateSurvivesAndIsOnesOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "ann.json")
	f, err := OpenState(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.Load(); s != (Saved{}) || err != nil {
		t.Errorf("Load of nothing = %+v, %v", s, err)
	}
	want := Saved{Account: "ann", Device: "d1", Token: "secret", Counter: 1 << 63, TCPUntil: time.Unix(1e9, 0).UTC()}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenState(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v, want %v", err, ErrInUse)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	f, err = OpenState(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s, err := f.Load(); s != want || err != nil {
		t.Errorf("Load = %+v, %v; want %+v", s, err, want)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".state-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if err := os.WriteFile(path, []byte("{torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Load(); err == nil {
		t.Errorf("Load of a torn file = %+v: numbers would begin anew", s)
	}
}

func TestBackoffDoublesToItsLimitAndNeverWaitsInStep(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var b backoff
	most := retryFirst
	for i := range 40 {
		d := b.next(rng)
		if d < most/4 || d > most {
			t.Errorf("failure %d: %v, want between %v and %v", i+1, d, most/4, most)
		}
		most = min(2*most, retryMost)
	}
	b.succeed()
	if d := b.next(rng); d > retryFirst {
		t.Errorf("after a success: %v, want at most %v", d, retryFirst)
	}
}

// Somebody whose server dies tries at once, often for about ten seconds, and then more and more rarely.
func TestComebackIsQuickAtFirst(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var c comeback
		if d := c.next(rng, true); d != 0 {
			t.Fatalf("seed %d: the first try after %v, want at once", seed, d)
		}
		away := time.Duration(0)
		for range retryQuickTries {
			d := c.next(rng, false)
			if away += d; d < retryQuick/16 || d > retryQuick {
				t.Fatalf("seed %d: %v after %v", seed, d, away)
			}
		}
		if away < 7*time.Second || away > 12*time.Second {
			t.Errorf("seed %d: quick for %v", seed, away)
		}
		last := time.Duration(0)
		for range 8 {
			last = c.next(rng, false)
		}
		if last < retryMost/4 || last > retryMost {
			t.Errorf("seed %d: at last %v", seed, last)
		}
		c = comeback{}
		for range 9 { // A server that is there and does not let us in.
			last = c.next(rng, true)
		}
		if last < retryMost/4 || last > retryMost {
			t.Errorf("seed %d: turned away, at last %v", seed, last)
		}
	}
}

// Ten thousand clients lose their server in the same moment: how many come at once, while it is away and when it is back, is what
// limits.go says.
func TestHerdOfComebacksIsBounded(t *testing.T) {
	const clients, window, back = 10_000, 100 * time.Millisecond, 3 * time.Second
	rng := rand.New(rand.NewPCG(1, 2))
	var tries [90]int // In each window.
	last := time.Duration(0)
	for range clients {
		var c comeback
		found := false
		for at := time.Duration(0); ; {
			at += c.next(rng, false)
			if !found && at >= back {
				found, last = true, max(last, at)
			}
			if int(at/window) >= len(tries) {
				break
			}
			tries[at/window]++
		}
	}
	if most := slices.Max(tries[3:]); tries[0] > 2*clients+clients/2 || most > clients*55/100 || last > back+retryQuick {
		t.Errorf("%d tries in the first %v, later up to %d; the last is back after %v", tries[0], window, most, last-back)
	}
}

// A server that is killed again and again is found at once each time; one that lets us in and says that we must go, or breaks
// off more than once a second, is not hammered.
func TestComebackForgivesWhoDies(t *testing.T) {
	broken, told := io.ErrUnexpectedEOF, native.Error{Code: native.CodeTooSlow}
	play := func(every time.Duration, why error) (atOnce int) {
		var c comeback
		rng := rand.New(rand.NewPCG(1, 2))
		begin := time.Now()
		for now := begin; atOnce < 1000; now = now.Add(every) {
			wait := c.next(rng, true)
			if wait == 0 {
				atOnce++
			} else if now.Sub(begin) > 20*time.Second {
				break
			}
			now = now.Add(wait)
			c.ended(now, every, why)
		}
		return atOnce
	}
	if n := play(1100*time.Millisecond, broken); n < 1000 {
		t.Errorf("killed every 1.1 s: at once only %d times", n)
	}
	if n := play(10*time.Millisecond, broken); n > forgiveBurst+25 {
		t.Errorf("broken off at once: tried at once %d times in 20 s", n)
	}
	for _, why := range []error{told, ErrDrained, &reliable.CloseError{Remote: true}} {
		if n := play(10*time.Millisecond, why); n != 1 {
			t.Errorf("told to go, %v: tried at once %d times", why, n)
		}
	}
	if n := play(1100*time.Millisecond, &reliable.CloseError{}); n < 1000 {
		t.Errorf("broken off on our side: at once only %d times", n)
	}
	if n := play(steadyAfter, told); n < 1000 {
		t.Errorf("told to go after a while: at once only %d times", n)
	}
}

// Over TCP a server that takes no more closes the connection before TLS; where none is, the system refuses it.
func TestTurnedAwayIsNotNobodyThere(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dial := func() error {
		n := newNetwork(reliable.Config{}, reliable.Key{}, nil)
		conn, err := n.dial(t.Context(), TCP, ln.Addr().String())
		if err == nil {
			conn.Drop()
		}
		return err
	}
	closed := make(chan error, 1)
	go func() { // Ends with the first connection.
		conn, err := ln.Accept()
		if err == nil {
			err = conn.Close()
		}
		closed <- err
	}()
	if err := dial(); !turnedAway(err) {
		t.Errorf("closed at once: %v", err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := dial(); err == nil || turnedAway(err) {
		t.Errorf("nobody there: %v", err)
	}
	if full := fmt.Errorf("over udp: %w", &reliable.RefusedError{Code: reliable.CodeFull}); !turnedAway(errors.Join(full, io.ErrShortWrite)) {
		t.Error("a full server did not turn us away")
	}
}
