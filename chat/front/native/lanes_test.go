package native

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// One lane keeps its order, another does not wait for it, and nothing is left when all is done.
func TestLanesKeepOrderWithinEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lanes
		var mu sync.Mutex
		var got []string
		note := func(s string, after time.Duration) func() {
			return func() {
				time.Sleep(after)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, s)
			}
		}
		l.run("a", 1, note("a1", 3*time.Second))
		l.run("a", 1, note("a2", time.Second))
		l.run("b", 1, note("b1", 2*time.Second))
		l.run("b", 1, note("b2", 0))
		l.settle()
		if want := []string{"b1", "b2", "a1", "a2"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if l.lanes != nil || l.requests != 0 || l.bytes != 0 {
			t.Errorf("left behind: %v", &l)
		}
	})
}

// The reader waits when there is too much, by number or by bytes, and a single long request always passes.
func TestLanesHoldUpTheReader(t *testing.T) {
	for name, bytes := range map[string]int{"number": 1, "bytes": inFlightBytesMax / 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l lanes
				n := min(inFlightMax, inFlightBytesMax/bytes)
				start := time.Now()
				l.run("a", 2*inFlightBytesMax, func() { time.Sleep(time.Second) })
				l.run("a", bytes, func() { time.Sleep(time.Second) })
				if got := time.Since(start); got != time.Second {
					t.Errorf("beside a huge one: waited %v, want 1 s", got)
				}
				for range n - 1 {
					l.run("a", bytes, func() { time.Sleep(time.Second) })
				}
				if got := time.Since(start); got != time.Second {
					t.Errorf("while there was room: waited %v", got)
				}
				l.run("b", bytes, func() {})
				if got := time.Since(start); got != 2*time.Second {
					t.Errorf("beyond it: waited %v, want for one to be done", got)
				}
				l.settle()
			})
		})
	}
}
