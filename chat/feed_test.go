package chat_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

func TestOneSubscriptionForAllMembersOfARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t)
		var subscriptions atomic.Int32
		e.duringSubscribe = func() error {
			subscriptions.Add(1)
			time.Sleep(time.Second) // Fake: all joins below arrive meanwhile.
			return nil
		}
		w := newWorld(t, chat.Config{Engine: e})
		var waits []func() error
		for range 10 {
			c := w.connect("ann")
			waits = append(waits, begin(func() error { _, err := c.Join(t.Context(), "kitchen"); return err }))
		}
		for _, wait := range waits {
			if err := wait(); err != nil {
				t.Errorf("Join: %v", err)
			}
		}
		w.wantMembers(10)
		last := w.connect("bob")
		last.leave(last.join("kitchen"))
		last.join("kitchen")
		if n := subscriptions.Load(); n != 1 {
			t.Errorf("%d subscriptions for one room", n)
		}
	})
}

func TestSubscribeThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t)
		var attempts atomic.Int32
		e.duringSubscribe = func() error {
			time.Sleep(time.Second) // Fake.
			if attempts.Add(1) == 1 {
				return errEngine
			}
			return nil
		}
		w := newWorld(t, chat.Config{Engine: e})
		ann, bob, cat := w.connect("ann"), w.connect("bob"), w.connect("cat")
		first := begin(func() error { _, err := ann.Join(t.Context(), "kitchen"); return err })
		impatient := begin(func() error { _, err := cat.Join(within(t, time.Millisecond), "kitchen"); return err })
		second := begin(func() error { _, err := bob.Join(t.Context(), "kitchen"); return err })
		if err := first(); !errors.Is(err, errEngine) {
			t.Errorf("first Join: %v, want what the engine says", err)
		}
		if err := second(); err != nil {
			t.Errorf("Join that waited for the first one's attempt: %v", err)
		}
		if err := impatient(); err == nil {
			t.Error("Join returned nil although its time was over")
		}
		w.wantMembers(1)
	})
}

func TestHubClosedDuringSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t)
		e.duringSubscribe = func() error { time.Sleep(time.Second); return nil } // Fake.
		w := newWorld(t, chat.Config{Engine: e})
		ann := w.connect("ann")
		joined := begin(func() error { _, err := ann.Join(t.Context(), "kitchen"); return err })
		w.hub.Close()
		if _, err := e.Append(t.Context(), "kitchen", "x-1", []byte("\x01\x01\x00\x01\x01x")); err != nil {
			t.Fatalf("Append: %v", err)
		}
		wantCode(t, "Join", joined(), chat.CodeShuttingDown)
		if n := w.hub.Stats().Joined; n != 0 {
			t.Errorf("the closed hub still listens: %d events", n)
		}
		if n := e.subscriptions.Load(); n != 0 {
			t.Errorf("the closed hub has %d subscriptions", n)
		}
	})
}

// TestDamagedEntryIsSkipped: one bad entry must not cost a room its future.
func TestDamagedEntryIsSkipped(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, chat.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ann := w.connect("ann")
	kitchen := ann.join("kitchen")
	w.happened()
	for _, data := range []string{"", "\x01\x03\x00\x01\xffsecret", "\x09"} {
		if _, err := w.engine.Append(t.Context(), "kitchen", "x-"+data, []byte(data)); err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
	if err := w.engine.Send("kitchen", []byte("typing")); err != nil {
		t.Fatalf("Send: %v", err)
	}
	ann.say(kitchen, "hello")
	w.want("ann hears herself and nothing else", `ann < kitchen: ann said hello`)
	if n := w.hub.Stats().DroppedBadRecord; n != 3 {
		t.Errorf("%d entries dropped, want 3", n)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 3 || strings.Contains(log.String(), "secret") {
		t.Errorf("log:\n%swant 3 lines without what was said", &log)
	}
}

// echo is an engine that delivers everything twice.
type echo struct{ chat.Engine }

func (e echo) Subscribe(room string, f func(chat.Msg)) (func(), error) {
	return e.Engine.Subscribe(room, func(m chat.Msg) { f(m); f(m) })
}

func TestRepeatedEntryIsSkipped(t *testing.T) {
	w := newWorld(t, chat.Config{Engine: echo{memory.New(memory.Config{})}})
	ann := w.connect("ann")
	ann.say(ann.join("kitchen"), "hello")
	w.want("everything once", `
		ann < kitchen: ann joined
		ann < kitchen: ann said hello`)
	if n := w.hub.Stats().DroppedOldSeq; n != 2 {
		t.Errorf("%d entries dropped, want 2", n)
	}
}

// TestTwoHubsOnOneEngine is two nodes of a cluster: one order, and nobody mistaken for somebody
// with the same number on the other node.
func TestTwoHubsOnOneEngine(t *testing.T) {
	engine := memory.New(memory.Config{})
	a, b := newWorld(t, chat.Config{Engine: engine}), newWorld(t, chat.Config{Engine: engine, Rand: testRand(2)})
	ann, bob := a.connect("ann"), b.connect("bob")
	b.connect("cat").join("another room, so that numbers differ")
	b.happened()
	if ann.ID() != bob.ID() {
		t.Fatalf("the test wants equal numbers, got %d and %d", ann.ID(), bob.ID())
	}
	kitchenA, kitchenB := ann.join("kitchen"), bob.join("kitchen")
	ann.say(kitchenA, "hello")
	bob.say(kitchenB, "hi")
	ann.leave(kitchenA)
	bob.say(kitchenB, "alone")
	a.want("ann", `
		ann < kitchen: ann joined
		ann < kitchen: bob joined
		ann < kitchen: ann said hello
		ann < kitchen: bob said hi
		ann < kitchen: ann left (left)`)
	b.want("bob", `
		bob < kitchen: bob joined
		bob < kitchen: ann said hello
		bob < kitchen: bob said hi
		bob < kitchen: ann left (left)
		bob < kitchen: bob said alone`)
}

func TestEncodedOncePerProtocol(t *testing.T) {
	ev := &chat.Event{Text: "hello"}
	calls := 0
	encode := func(ev *chat.Event) []byte { calls++; return []byte(ev.Text) }
	for range 3 {
		for _, proto := range []string{"lab", "im", "relay", "json"} {
			if got := string(ev.Encoded(proto, encode)); got != "hello" {
				t.Errorf("encoded as %q", got)
			}
		}
	}
	silent := func(*chat.Event) []byte { calls++; return nil }
	for range 2 {
		if b := ev.Encoded("nothing", silent); b != nil {
			t.Errorf("nil came back as %q", b)
		}
	}
	if calls != 5 {
		t.Errorf("encoded %d times for 5 protocols", calls)
	}
}
