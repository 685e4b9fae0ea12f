package chat_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// nobody is a receiver for users that nothing happens to.
type nobody struct{}

func (nobody) Receive(*chat.Event) {}

func TestNewRefusesBadConfig(t *testing.T) {
	engine := memory.New(memory.Config{})
	defer engine.Close()
	for says, cfg := range map[string]chat.Config{
		"chat: config has no Engine":                               {},
		"chat: config RoomsMax is -1, not in 1 to 16777216":        {Engine: engine, RoomsMax: -1},
		"chat: config MessageBytesMax is 9000000, not in 1 to 838": {Engine: engine, MessageBytesMax: 9_000_000},
	} {
		if _, err := chat.New(cfg); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("New = %v, want %q", err, says)
		}
	}
}

func TestConnectRefuses(t *testing.T) {
	w := newWorld(t, chat.Config{UsersMax: 2})
	connect := func(name string) error { _, err := w.hub.Connect(name, nobody{}, chat.RandomIDs); return err }
	wantCode(t, "bad name", connect("a\x00"), chat.CodeBadName)
	ann, _ := w.connect("ann"), w.connect("ann") // Names need not be unlike.
	wantCode(t, "third of two", connect("cat"), chat.CodeTooManyUsers)
	if err := ann.Close(t.Context(), chat.ReasonLost); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := connect("cat"); err != nil {
		t.Errorf("Connect after a user has gone: %v", err)
	}
}

func TestSmallIDsAreNeverReused(t *testing.T) {
	w := newWorld(t, chat.Config{})
	for want := chat.JoinID(1); want < 20; want++ {
		c := w.connect("ann")
		if c.ID() != want {
			t.Errorf("user number %d has id %d", want, c.ID())
		}
		if u, ok := w.hub.User(want); !ok || u != c.User || u.Name() != "ann" {
			t.Errorf("User(%d) = %v, %v", want, u, ok)
		}
		if want%3 != 0 {
			continue
		}
		if err := c.Close(t.Context(), chat.ReasonLost); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if u, ok := w.hub.User(want); ok {
			t.Errorf("User(%d) = %v after Close", want, u)
		}
	}
}

func TestRandomIDs(t *testing.T) {
	ids := func(rnd *rand.Rand) []chat.JoinID {
		engine := memory.New(memory.Config{})
		defer engine.Close()
		hub, err := chat.New(chat.Config{Engine: engine, Rand: rnd})
		if err != nil {
			t.Fatalf("New: %v", err)
		}
		defer hub.Close()
		seen := map[chat.JoinID]bool{}
		var ids []chat.JoinID
		var all chat.JoinID
		for range 2000 {
			u, err := hub.Connect("ann", nobody{}, chat.RandomIDs)
			if err != nil {
				t.Fatalf("Connect: %v", err)
			}
			// Above 2^28, where they never meet a small one.
			if id := u.ID(); id < 1<<28 || id >= 1<<31 || seen[id] {
				t.Fatalf("random id %d, seen before: %v", id, seen[id])
			}
			seen[u.ID()] = true
			all |= u.ID()
			ids = append(ids, u.ID())
		}
		if all != 1<<31-1 {
			t.Errorf("the bits of all ids are %b, want 31", all)
		}
		if u, err := hub.Connect("ann", nobody{}, chat.SmallIDs); err != nil || u.ID() != 1 {
			t.Errorf("small id beside random ones is %v, %v", u.ID(), err)
		}
		return ids
	}
	a, b, c := ids(rand.New(rand.NewPCG(1, 1))), ids(rand.New(rand.NewPCG(1, 1))), ids(nil)
	if a[0] != b[0] || a[1999] != b[1999] {
		t.Errorf("one seed gives %d and %d", a[0], b[0])
	}
	if a[0] == c[0] && a[1] == c[1] {
		t.Errorf("crypto/rand gives what a seed gives: %d", a[:2])
	}
}

func TestClosedHubRefuses(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.connect("ann"), w.connect("bob")
	kitchen := ann.join("kitchen")
	bob.join("kitchen")
	w.happened()
	for range 2 {
		if err := w.hub.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	ctx := t.Context()
	_, err := w.hub.Connect("cat", nobody{}, chat.SmallIDs)
	wantCode(t, "Connect", err, chat.CodeShuttingDown)
	_, err = ann.Join(ctx, "kitchen")
	wantCode(t, "Join", err, chat.CodeShuttingDown)
	_, err = ann.Join(ctx, "hall")
	wantCode(t, "Join of a new room", err, chat.CodeShuttingDown)
	wantCode(t, "Say", ann.Say(ctx, kitchen, "", "hi"), chat.CodeShuttingDown)
	wantCode(t, "Leave", ann.Leave(ctx, kitchen), chat.CodeShuttingDown)
	if err := ann.close(ctx, chat.ReasonShutdown); err == nil {
		t.Error("Close of a user whose room cannot be told is no error")
	}
	w.want("nobody is told anything", "")
	w.wantMembers(1)
	if err := w.engine.Health(); err != nil {
		t.Errorf("the engine was closed with the hub: %v", err)
	}
}

func TestHubCloseWakesWhoWaits(t *testing.T) {
	e := newFakeEngine(t)
	w := newWorld(t, chat.Config{Engine: e})
	ann := w.connect("ann")
	e.holdDelivery()
	done := make(chan error)
	go func() { // Ends when the hub is closed.
		_, err := ann.Join(context.Background(), "kitchen")
		done <- err
	}()
	e.waitAppended(1)
	w.hub.Close()
	wantCode(t, "Join", <-done, chat.CodeShuttingDown)
}
