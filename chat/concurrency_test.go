package chat_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// TestRoomsUnderConcurrency lets several clients, each from several goroutines, join, speak and
// leave, until each is closed at a random moment and succeeded by another. A witness in every
// room has seen everything in order; what the others were told must be exactly the part of it
// from each of their own KindJoined to their next KindLeft.
func TestRoomsUnderConcurrency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var engine chat.Engine = memory.New(memory.Config{})
		if rapid.Bool().Draw(t, "engine delivers later") {
			engine = newLateEngine(engine)
		}
		w := newWorld(t, chat.Config{Engine: engine})
		witness := w.connect("witness")
		rooms := []string{"a", "b", "c"}
		for _, room := range rooms {
			witness.join(room)
		}
		var plans [4][2]plan
		for i := range plans {
			for j := range plans[i] {
				plans[i][j] = drawPlan(t, fmt.Sprint("client ", i, " life ", j))
			}
		}
		clients := make([][2]*client, len(plans))
		var wg sync.WaitGroup
		for i := range plans {
			wg.Go(func() {
				for j, p := range plans[i] {
					clients[i][j] = w.connect(fmt.Sprint("client", i, ".", j))
					p.run(t, clients[i][j], rooms)
				}
			})
		}
		wg.Wait()
		w.wantMembers(len(rooms))
		if err := witness.Close(t.Context(), chat.ReasonLost); err != nil {
			t.Errorf("Close of the witness: %v", err)
		}
		for _, lives := range clients {
			for _, c := range lives {
				for _, room := range rooms {
					wantPart(t, c, room, witness.told())
				}
			}
		}
	})
}

// wantPart checks what c was told about one room.
func wantPart(t *rapid.T, c *client, room string, all []*chat.Event) {
	var want []*chat.Event
	in := false
	last := uint64(0)
	for _, ev := range all {
		if ev.RoomName != room {
			continue
		}
		if ev.Seq <= last {
			t.Fatalf("room %s: %d after %d", room, ev.Seq, last)
		}
		last = ev.Seq
		own := ev.User == c.ID()
		in = in || own && ev.Kind == chat.KindJoined
		if own && !in {
			t.Fatalf("room %s: %q while it is no member", room, describe(ev))
		}
		if in {
			want = append(want, ev)
		}
		if own && ev.Kind == chat.KindLeft {
			in = false
		}
	}
	if in {
		t.Fatalf("room %s: %s was closed and never left", room, c.name)
	}
	got := slices.DeleteFunc(c.told(), func(ev *chat.Event) bool { return ev.RoomName != room })
	if !slices.Equal(got, want) { // The same events, not just equal ones.
		t.Fatalf("%s was told %d events of room %s, want %d", c.name, len(got), room, len(want))
	}
}

// A plan is the life of one client: what its goroutines do, and when it is closed.
type plan struct {
	workers [2][]int // Each step is 10 times what to do plus the room.
	yields  int      // How often the closer gives way before it closes.
	closers int
}

func drawPlan(t *rapid.T, label string) plan {
	var p plan
	for i := range p.workers {
		p.workers[i] = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 8), func(n int) int { return n/3*10 + n%3 }), 0, 15).Draw(t, label)
	}
	p.yields = rapid.IntRange(0, 200).Draw(t, label+" yields")
	p.closers = rapid.IntRange(1, 2).Draw(t, label+" closers")
	return p
}

// run lives the life of c to its end.
func (p plan) run(t *rapid.T, c *client, rooms []string) {
	ctx := t.Context()
	var wg sync.WaitGroup
	for _, steps := range p.workers {
		wg.Go(func() {
			for n, step := range steps {
				room := rooms[step%10]
				ref, _ := c.world.hub.RoomNamed(room)
				var err error
				switch step / 10 {
				case 0:
					_, err = c.Join(ctx, room)
				case 1:
					err = c.Say(ctx, ref, "", fmt.Sprint("text ", n))
				case 2:
					err = c.Leave(ctx, ref)
				}
				if e, ok := errors.AsType[*chat.Error](err); err != nil && (!ok || e.Code != chat.CodeNotMember && e.Code != chat.CodeClosed) {
					t.Errorf("%s: step %d: %v", c.name, step, err)
				}
			}
		})
	}
	for range p.closers {
		wg.Go(func() {
			for range p.yields {
				runtime.Gosched()
			}
			if err := c.close(ctx, chat.ReasonLost); err != nil {
				t.Errorf("%s: Close: %v", c.name, err)
			}
		})
	}
	wg.Wait()
}

// A lateEngine answers Append at once and delivers from a goroutine for each subscription, as
// engines with a disk or a network do.
type lateEngine struct{ chat.Engine }

func newLateEngine(e chat.Engine) lateEngine { return lateEngine{e} }

func (e lateEngine) Subscribe(room string, f func(chat.Msg)) (func(), error) {
	var mu sync.Mutex
	var queue []chat.Msg
	stopped := false
	wake := sync.NewCond(&mu)
	inner, err := e.Engine.Subscribe(room, func(m chat.Msg) {
		mu.Lock()
		defer mu.Unlock()
		queue = append(queue, m)
		wake.Signal()
	})
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	wg.Go(func() { // Owns the calls of f; ends when stopped.
		mu.Lock()
		defer mu.Unlock()
		for !stopped {
			if len(queue) == 0 {
				wake.Wait()
				continue
			}
			m := queue[0]
			queue = queue[1:]
			mu.Unlock()
			runtime.Gosched()
			f(m)
			mu.Lock()
		}
	})
	return func() {
		inner()
		mu.Lock()
		stopped = true
		wake.Signal()
		mu.Unlock()
		wg.Wait()
	}, nil
}
