package chat_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
)

// A gauge is a device that counts what it is told of presence, and keeps the last state of everybody. It has room
// or has none.
type gauge struct {
	d     *chat.Device
	stuck atomic.Bool

	mu    sync.Mutex
	told  int                      // Guarded by mu.
	state map[string]chat.Presence // Guarded by mu.
}

// HasRoom implements chat.Pacer.
func (g *gauge) HasRoom() bool { return !g.stuck.Load() }

// Receive implements chat.Receiver.
func (g *gauge) Receive(ev *chat.Event) {
	if ev.Kind != chat.KindPresence {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != nil {
		g.state[ev.Account] = chat.Presence(ev.Number)
	}
	g.told++
}

// take returns how often it was told something since the last call.
func (g *gauge) take() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.told
	g.told = 0
	return n
}

// online returns how many are online as far as it was told.
func (g *gauge) online() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, state := range g.state {
		if state == chat.Online {
			n++
		}
	}
	return n
}

func (w *world) gauge(account string, r *gauge) *gauge {
	w.t.Helper()
	d, err := w.hub.LogIn(w.t.Context(), chat.Login{Account: account, Device: account + ".d"}, r)
	if err != nil {
		w.t.Fatalf("LogIn(%q): %v", account, err)
	}
	r.d = d
	return r
}

// crowd logs in n accounts, all of them members of the hall with a device attached.
func (w *world) crowd(n int, states bool) []*gauge {
	w.t.Helper()
	all := make([]*gauge, n)
	for i := range all {
		all[i] = &gauge{}
		if states {
			all[i].state = make(map[string]chat.Presence)
		}
		w.gauge(fmt.Sprintf("p%05d", i), all[i])
		if _, err := all[i].d.Join(w.t.Context(), "hall"); err != nil {
			w.t.Fatalf("Join: %v", err)
		}
	}
	return all
}

// In a room of any size everybody knows in the end who is there, and who comes and goes.
func TestPresenceInALargeRoom(t *testing.T) {
	const n = 400
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, chat.Config{})
		all := w.crowd(n, true)
		time.Sleep(time.Minute) // Fake.
		for i, g := range all {
			if got := g.online(); got != n-1 {
				t.Fatalf("%d knows of %d who are online, want %d", i, got, n-1)
			}
		}
		for _, g := range all {
			g.take()
		}
		for range 10 { // Somebody whose line is bad.
			_ = all[0].d.SetPresence(chat.Away)
			_ = all[0].d.SetPresence(chat.Online)
		}
		_ = all[0].d.SetPresence(chat.Away)
		for i := 1; i < 100; i++ {
			if err := all[i].d.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		for i, g := range all[100:] {
			if told, online, first := g.take(), g.online(), g.state["p00000"]; told != 100 || online != n-101 || first != chat.Away {
				t.Fatalf("%d was told %d times, knows of %d who are online and that the first is %v; want 100, %d and away",
					100+i, told, online, first, n-101)
			}
		}
	})
}

// Log-ins at once of all members of a room must not put a notice of each into the queue of each: who has no room is told
// nothing, and at the end only how it is.
func TestLogInOfAllMembersAtOnce(t *testing.T) {
	const n, times = 300, 2
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, chat.Config{})
		all := w.crowd(n, false)
		for _, g := range all {
			if err := g.d.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		slow := w.gauge("slow", &gauge{state: make(map[string]chat.Presence)})
		slow.stuck.Store(true)
		if _, err := slow.d.Join(t.Context(), "hall"); err != nil {
			t.Fatal(err)
		}
		again := make([]*gauge, n)
		for range times {
			for i := range again {
				again[i] = w.gauge(fmt.Sprintf("p%05d", i), &gauge{})
				if _, err := again[i].d.Attach(t.Context(), "hall"); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
			for i, g := range again {
				if told := g.take(); told > 2*n {
					t.Fatalf("%d was told %d times about %d members", i, told, n)
				}
				if i > 0 { // The first one stays.
					if err := g.d.Close(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(time.Minute)
		}
		if told := slow.take(); told != 0 {
			t.Errorf("one without room was told %d times", told)
		}
		slow.stuck.Store(false)
		time.Sleep(time.Minute)
		if told, online := slow.take(), slow.online(); told > n || online != 1 {
			t.Errorf("with room again: told %d times, knows of %d who are online; want at most %d and 1", told, online, n)
		}
	})
}

// Whoever is in several rooms with somebody, or is a contact as well, is told once.
func TestPresenceIsToldOnceToThoseWhoShareMoreThanARoom(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		people.friends["fay"] = []string{"ann"}
		ann, bob, fay := w.login("ann", "phone"), w.login("bob", "phone"), w.login("fay", "phone")
		for _, room := range []string{"kitchen", "hall", "cellar"} {
			for _, p := range []*phone{ann, bob, fay} {
				p.enter(room)
			}
		}
		ann.close()
		w.happened()
		ann = w.login("ann", "phone")
		got := strings.Join(w.happened(), ", ")
		if strings.Count(got, "bob.phone < ann is online") != 1 || strings.Count(got, "fay.phone < ann is online") != 1 {
			t.Errorf("ann comes: %s", got)
		}
		ann.attach("kitchen")
		ann.attach("hall")
		if got := strings.Join(w.happened(), ", "); strings.Count(got, "ann.phone < bob is online") != 1 {
			t.Errorf("ann attaches: %s", got)
		}
		bob.Detach("kitchen")
		ann.close()
		got = strings.Join(w.happened(), ", ")
		if strings.Count(got, "bob.phone < ann is offline") != 1 || strings.Count(got, "fay.phone < ann is offline") != 1 {
			t.Errorf("ann goes: %s", got)
		}
	})
}

// Who is not attached to a room is told nothing of it, and learns at its return what it has missed.
func TestPresenceAfterComingBackToARoom(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, _ *fakePeople) {
		ann, bob, cat := w.login("ann", "phone"), w.login("bob", "phone"), w.login("cat", "phone")
		for _, p := range []*phone{cat, ann, bob} {
			p.enter("kitchen")
		}
		ann.Detach("kitchen")
		w.happened()
		bob.close()
		if got := strings.Join(w.happened(), ", "); strings.Contains(got, "ann.phone") {
			t.Errorf("bob goes: %s", got)
		}
		ann.attach("kitchen")
		if got := strings.Join(w.happened(), ", "); !strings.Contains(got, "ann.phone < bob is offline") {
			t.Errorf("ann is back: %s", got)
		}
		if err := cat.Leave(t.Context(), "kitchen"); err != nil {
			t.Fatal(err)
		}
		w.happened()
		cat.close()
		if got := strings.Join(w.happened(), ", "); strings.Contains(got, "is offline") {
			t.Errorf("somebody goes who has left the room: %s", got)
		}
	})
}

// A block that is made while somebody is away hides it when it comes, too.
func TestBlockedMembersOfARoomAreTheNeverSeenOnes(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
		ann.enter("kitchen")
		bob.enter("kitchen")
		w.happened()
		people.block(w, "ann", "bob", true)
		w.want("each is gone for the other", `
			bob.phone < ann is offline
			ann.phone < bob is offline`)
		for range 3 {
			bob.close()
			bob = w.login("bob", "phone")
			bob.attach("kitchen")
		}
		if got := strings.Join(w.happened(), ", "); strings.Contains(got, " is ") {
			t.Errorf("comings and goings: %s", got)
		}
		people.block(w, "ann", "bob", false)
		w.want("they see each other again", `
			bob.phone < ann is online
			ann.phone < bob is online`)
	})
}

// A room beyond the limit tells nobody, and still says who is there when asked.
func TestWhoInARoomThatIsTooLargeForPresence(t *testing.T) {
	e := &rosterEngine{}
	w := newWorld(t, chat.Config{})
	e.Engine = w.engine
	w.cfg.Engine = e
	w2 := w.node()
	ann := w2.gauge("ann", &gauge{})
	if _, err := ann.d.Join(t.Context(), "hall"); err != nil {
		t.Fatal(err)
	}
	bob := w2.gauge("bob", &gauge{})
	if _, err := bob.d.Join(t.Context(), "hall"); err != nil {
		t.Fatal(err)
	}
	if n := ann.take() + bob.take(); n != 0 {
		t.Errorf("told %d times", n)
	}
	wantNames(t, "who is in the hall", must(ann.d.Who(t.Context(), "hall"))(t), "ann bob")
}

// A rosterEngine has 20,000 more members in every room.
type rosterEngine struct{ chat.Engine }

func (e *rosterEngine) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	entries, err := e.Engine.List(ctx, bucket, prefix)
	if bucket == "rosters" {
		for i := range 20_000 {
			entries = append(entries, chat.Entry{Key: fmt.Sprintf("%sx%d", prefix, i)})
		}
	}
	return entries, err
}

// BenchmarkPresence has all members of one room there, and one of them come and go. Beside the time of one change it
// says what it took until everybody knew of everybody, and how much memory of the process that is for each member.
func BenchmarkPresence(b *testing.B) {
	for _, n := range []int{1_000, 5_000} {
		b.Run(fmt.Sprint("members=", n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			w := newWorld(b, chat.Config{})
			begin := time.Now()
			all := w.crowd(n, false)
			joined := time.Since(begin)
			for _, g := range all {
				for g.toldOf() < n-1 {
					time.Sleep(time.Millisecond)
				}
			}
			known := time.Since(begin)
			runtime.GC()
			runtime.ReadMemStats(&after)
			notices := 0
			for _, g := range all {
				notices += g.take()
			}
			for i := 0; b.Loop(); i++ {
				if err := all[0].d.SetPresence([]chat.Presence{chat.Away, chat.Online}[i%2]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(joined.Seconds(), "s-to-join")
			b.ReportMetric(known.Seconds(), "s-to-know")
			b.ReportMetric(float64(notices)/float64(n), "notices/device")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/member")
		})
	}
}

// toldOf returns how often it was told something.
func (g *gauge) toldOf() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.told
}
