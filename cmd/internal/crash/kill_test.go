//go:build unix

package crash

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// Twenty people say 500 messages a second while the server is killed at moments nobody chose. How soon everybody is served
// again is measured, and what the time is spent on.
func TestKilledServerLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	random := chance(t)
	s := newServer(t, "--data", t.TempDir())
	s.start()
	people := newPeople(t, 0, 20, s.addr)
	stop := everybody(people, 500)
	back := table{tb: t}
	for range *kills {
		time.Sleep(time.Duration(100+random.IntN(700)) * time.Millisecond) // The moment it is killed at.
		killed := time.Now()
		s.kill()
		start := time.Now()
		s.start()
		back.add(people, killed, start, time.Now())
	}
	stop()
	t.Logf("%v", check(t, people[0], people))
	t.Logf("%v", back.report())
}

// A server that does not move for a while is not a server that has forgotten anything.
func TestStoppedServerGoesOn(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--data", t.TempDir())
	s.start()
	people := newPeople(t, 0, 6, s.addr)
	end := everybody(people, 100)
	await(t, "something to be stored", func() bool { return stored(people) > 50 })
	signal(t, s, syscall.SIGSTOP)
	time.Sleep(*stop) // How long it is stopped is what this is about.
	before := stored(people)
	signal(t, s, syscall.SIGCONT)
	took := await(t, "something to be stored again", func() bool { return stored(people) > before })
	end()
	t.Logf("%v; stopped for %v, then %v until something was stored", check(t, people[0], people), *stop, took.Round(time.Millisecond))
}

func signal(tb testing.TB, s *server, sig syscall.Signal) {
	tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		tb.Fatal(err)
	}
}

// stored returns how many messages all people were told are stored.
func stored(people []*person) (n int) {
	for _, p := range people {
		n += p.stored()
	}
	return n
}

// chance returns what decides when things happen, and prints how to have it again.
func chance(tb testing.TB) *rand.Rand {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	tb.Logf("-seed=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}
