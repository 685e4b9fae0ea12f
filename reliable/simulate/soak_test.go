package simulate

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"udpchat/reliable/internal/planted"
)

var soakFlag = flag.Duration("soak", 0, "simulate fresh seeds for so long, and say every 10 s how it goes; 0: do not")

const (
	// soakEvery is the pause between lines that say how it goes.
	soakEvery = 10 * time.Second

	// soakViolationsMax is after how many violations nothing more is to be learned.
	soakViolationsMax = 10
)

// A soak is a long simulation: seeds that nobody has seen, until its time is over.
type soak struct {
	start, end time.Time

	mu     sync.Mutex
	next   uint64    // guarded by mu
	sum    Summary   // guarded by mu
	toldAt time.Time // guarded by mu
}

// What 500 seeds cannot find perhaps some ten thousand can.
func TestSoak(t *testing.T) {
	if *soakFlag <= 0 {
		t.Skip("make soak runs it")
	}
	now := time.Now()
	s := &soak{start: now, end: now.Add(*soakFlag), next: uint64(now.UnixMilli()) * 1000, toldAt: now}
	fmt.Printf("soaking for %v on %d processors from seed %d on\n", *soakFlag, runtime.GOMAXPROCS(0), s.next)
	share(t, runtime.GOMAXPROCS(0), func(t *testing.T, _ int) {
		for seed, ok := s.take(); ok; seed, ok = s.take() {
			sc := NewScenario(seed)
			r := simulate(t, sc, planted.None)
			if r.Violation != nil {
				t.Errorf("seed %d: %v\n%v\n%v\n%s", seed, r.Violation, sc, r, replay(seed))
				fmt.Printf("seed %d: %s; %s\n", seed, firstLine(r.Violation.Error()), replay(seed))
			}
			s.add(r)
		}
	})
	fmt.Println(&s.sum)
	judge(t, &s.sum)
}

// take returns the next seed, false when it is time to end.
func (s *soak) take() (seed uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.next - 1, time.Now().Before(s.end) && s.sum.Violations < soakViolationsMax
}

// add takes note of a result and now and then says how it goes.
func (s *soak) add(r *Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Add(r)
	now := time.Now()
	if now.Sub(s.toldAt) < soakEvery {
		return
	}
	s.toldAt = now
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	fmt.Printf("%8v  %d seeds, %d messages, %.1f virtual hours, %d violations, %d peers given up, heap %d MB, %d goroutines\n",
		now.Sub(s.start).Round(time.Second), s.sum.Runs, s.sum.Messages, s.sum.Virtual.Hours(), s.sum.Violations,
		s.sum.Facts[LivingGivenUp], mem.HeapAlloc>>20, runtime.NumGoroutine())
}
