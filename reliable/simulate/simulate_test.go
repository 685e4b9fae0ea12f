package simulate

import (
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"

	"udpchat/reliable/internal/planted"
)

var (
	seedFlag    = flag.Int64("seed", -1, "simulate this seed alone, and say more about it")
	seedsFlag   = flag.Int("seeds", 0, "how many seeds to simulate; 0: 120 with the race detector, 500 without")
	traceFlag   = flag.Bool("trace", false, "with -seed: print every datagram that leaves")
	summaryFlag = flag.Bool("summary", false, "print what the simulation covered")
)

// tameRunsMax is from how many runs on everything that can happen must have happened.
const tameRunsMax = 100

// givenUpShareMin is among how many runs one may end because the network let nothing through for too long.
const givenUpShareMin = 100

// seeds is how many seeds TestSimulation runs.
func seeds() int {
	switch {
	case *seedsFlag > 0:
		return *seedsFlag
	case raceDetector:
		return 30
	}
	return 500
}

// simulate plays a scenario in a bubble of its own.
func simulate(t *testing.T, sc *Scenario, bug planted.Bug) (r *Result) {
	synctest.Test(t, func(*testing.T) { r = Run(sc, bug) })
	return r
}

// slow skips a test that plays so much that it is for the run without the race detector, where it takes a tenth of the time.
// There is nothing to race: everything happens on one goroutine. A seed to be repeated is repeated alone.
func slow(t *testing.T) {
	t.Helper()
	switch {
	case *seedFlag >= 0:
		t.Skip("one seed alone")
	case raceDetector:
		t.Skip("with the race detector it takes minutes")
	}
}

// share calls f for 0…n-1 on as many goroutines as there are processors and waits.
func share(t *testing.T, n int, f func(t *testing.T, i int)) {
	var next atomic.Int64
	t.Run("all", func(t *testing.T) {
		for w := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
					f(t, i)
				}
			})
		}
	})
}

// report logs what people want to know, and prints it if they asked for it.
func report(t *testing.T, text string) {
	t.Log(text)
	if *summaryFlag {
		fmt.Println(text)
	}
}

// replay is how to see a seed again.
func replay(seed uint64) string { return fmt.Sprintf("replay with: make sim SEED=%d", seed) }

// Every seed must keep every rule, and together they must have seen everything that can happen.
func TestSimulation(t *testing.T) {
	if *seedFlag >= 0 {
		sc := NewScenario(uint64(*seedFlag))
		if *traceFlag {
			sc.Trace = func(line string) { fmt.Println(line) }
		}
		cryptotest.SetGlobalRandom(t, sc.Seed)
		r := simulate(t, sc, planted.None)
		var sum Summary
		sum.Add(r)
		t.Logf("seed %d: %v\n%v\n%v", sc.Seed, sc, r, &sum)
		if r.Violation != nil {
			t.Errorf("seed %d: %v", sc.Seed, r.Violation)
		}
		return
	}
	sums := make([]Summary, seeds())
	share(t, len(sums), func(t *testing.T, i int) {
		sc := NewScenario(uint64(i))
		r := simulate(t, sc, planted.None)
		sums[i].Add(r)
		if r.Violation != nil {
			t.Errorf("seed %d: %v\n%v\n%v\n%s", sc.Seed, r.Violation, sc, r, replay(sc.Seed))
		}
	})
	var sum Summary
	for i := range sums {
		sum.AddSummary(&sums[i])
	}
	report(t, sum.String())
	judge(t, &sum)
}

// judge says what is wrong with many runs together.
func judge(t *testing.T, sum *Summary) {
	t.Helper()
	if n := sum.Facts[LivingGivenUp]; n > max(1, sum.Runs/givenUpShareMin) {
		t.Errorf("in %d runs %d living peers were given up, too many to blame the network", sum.Runs, n)
	}
	if sum.Runs < tameRunsMax {
		return
	}
	for _, f := range sum.Missing() {
		t.Errorf("in %d runs this never happened: %v", sum.Runs, f)
	}
	for _, name := range sum.Idle() {
		t.Errorf("in %d runs no datagram was %s", sum.Runs, name)
	}
}
