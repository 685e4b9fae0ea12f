package reliable

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// What is posted to a connection is seen by a turn that begins afterwards, and no connection has two turns at a time,
// however many post to however many.
func TestNoPushIsLostAndNoTurnsOverlap(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		old := runtime.GOMAXPROCS(procs)
		synctest.Test(t, func(t *testing.T) {
			const conns, posters, each = 20, 8, 5000
			var posted, seen [conns]atomic.Int64
			var busy [conns]atomic.Bool
			var post sync.WaitGroup
			w := newTestWorkers(func(c *Conn, now time.Time, _ *batch) (time.Time, bool) {
				i := c.key.source
				if busy[i].Swap(true) {
					t.Error("two turns of one connection at a time")
				}
				seen[i].Store(posted[i].Load())
				busy[i].Store(false)
				return now.Add(time.Hour), true
			})
			cs := testConns(conns)
			for p := range posters {
				post.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(p), 1))
					for range each {
						i := rng.IntN(conns)
						posted[i].Add(1)
						w.push(cs[i])
					}
				})
			}
			post.Wait()
			synctest.Wait() // All workers sleep.
			for i := range cs {
				if seen[i].Load() != posted[i].Load() {
					t.Errorf("%d processors: connection %d saw %d of %d posts", procs, i, seen[i].Load(), posted[i].Load())
				}
			}
			w.close()
			w.e.wg.Wait()
		})
		runtime.GOMAXPROCS(old)
	}
}

// A connection that always wants another turn at once does not keep the others waiting.
func TestBusyConnectionsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const conns, rounds = 10, 100
		var mu sync.Mutex
		var turns [conns]int
		var w *workers
		w = newTestWorkers(func(c *Conn, now time.Time, _ *batch) (time.Time, bool) {
			mu.Lock()
			defer mu.Unlock()
			turns[c.key.source]++
			if least := slices.Min(turns[:]); turns[c.key.source] > least+2 {
				t.Errorf("connection %d has had %d turns, another one %d", c.key.source, turns[c.key.source], least)
			}
			if turns[c.key.source] < rounds {
				w.push(c)
			}
			return now.Add(time.Hour), true
		})
		w.max = 1
		w.mu.Lock()
		for _, c := range testConns(conns) {
			w.pushLocked(c)
		}
		w.wakeLocked()
		w.mu.Unlock()
		synctest.Wait()
		if least := slices.Min(turns[:]); least != rounds {
			t.Errorf("%d turns, want %d", least, rounds)
		}
		w.close()
		w.e.wg.Wait()
	})
}

// Every connection has its turn at the very time it asked for, also if it moved that time, and none after its end.
func TestTurnsComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const conns, each = 200, 50
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		var mu sync.Mutex
		var due [conns]time.Time
		var turns [conns]int
		w := newTestWorkers(func(c *Conn, now time.Time, _ *batch) (time.Time, bool) {
			mu.Lock()
			defer mu.Unlock()
			i := c.key.source
			turns[i]++
			if !due[i].IsZero() && !now.Equal(due[i]) {
				t.Errorf("seed %d: connection %d has its turn %v late", seed, i, now.Sub(due[i]))
			}
			due[i] = now.Add(time.Duration(rng.IntN(100)) * time.Millisecond)
			return due[i], turns[i] < each
		})
		ended := 0
		w.end = func(*Conn) { mu.Lock(); ended++; mu.Unlock() }
		cs := testConns(conns)
		for _, c := range cs {
			w.push(c)
		}
		for k := 0; k < 2000; k++ { // Disturbances: turns that nobody's time asked for.
			time.Sleep(time.Millisecond)
			synctest.Wait()
			mu.Lock()
			i := rng.IntN(conns)
			disturb := turns[i] < each
			due[i] = time.Time{}
			mu.Unlock()
			if disturb {
				w.push(cs[i])
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i, n := range turns {
			if n != each {
				t.Errorf("seed %d: connection %d had %d turns, want %d", seed, i, n, each)
			}
		}
		if ended != conns || w.timers.heap != nil {
			t.Errorf("seed %d: %d connections ended, %d timers left", seed, ended, len(w.timers.heap))
		}
		w.close()
		w.e.wg.Wait()
	})
}

// Only times far away are rounded, and never to earlier.
func TestOnlyFarTimesAreCoarse(t *testing.T) {
	now := 1234567 * time.Microsecond
	for _, d := range []time.Duration{0, time.Millisecond, 10 * time.Second, farAway - 1, farAway, farAway + 7*time.Millisecond, time.Minute} {
		got := coarse(now, now+d) - now
		if got < d || got > d+farGrain || d < farAway && got != d {
			t.Errorf("%v became %v", d, got)
		}
	}
}

func newTestWorkers(turn func(c *Conn, now time.Time, b *batch) (time.Time, bool)) *workers {
	w := &workers{}
	w.init(&Endpoint{}, time.Now())
	w.turn, w.end = turn, func(*Conn) {}
	return w
}

// testConns returns connections without machines; their keys' sources count them.
func testConns(n int) []*Conn {
	cs := make([]*Conn, n)
	for i := range cs {
		cs[i] = &Conn{key: helloKey{source: wire.ConnID(i)}}
	}
	return cs
}

// An idle connection costs no goroutine, on neither side.
func TestIdleConnectionsHaveNoGoroutines(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		before := goroutinesBeside(w.server, w.client)
		for range 500 {
			w.connect()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := goroutinesBeside(w.server, w.client) - before; n > 0 {
			t.Errorf("%d goroutines more for 500 connections", n)
		}
	})
}
