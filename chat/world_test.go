package chat_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	Context() context.Context
}

// A world is a hub with clients that remember what they are told, and a transcript of who was
// told what, in the order it happened.
type world struct {
	t        tb
	cfg      chat.Config
	hub      *chat.Hub
	engine   chat.Engine
	presence bool // The transcript has presence, too.

	mu         sync.Mutex
	transcript []string // Guarded by mu.
}

// newWorld makes a hub; what cfg leaves out is filled in. All of it is closed with the test.
func newWorld(t tb, cfg chat.Config) *world {
	t.Helper()
	if cfg.Engine == nil {
		cfg.Engine = memory.New(memory.Config{})
	}
	if cfg.Rand == nil {
		cfg.Rand = testRand(1)
	}
	hub, err := chat.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		hub.Close()
		cfg.Engine.Close()
	})
	return &world{t: t, cfg: cfg, hub: hub, engine: cfg.Engine}
}

// A client is a user and what it was told.
type client struct {
	*chat.User
	world *world
	name  string

	mu     sync.Mutex
	events []*chat.Event // Guarded by mu.
	deaf   bool          // Close has returned: nothing may come. Guarded by mu.
}

func (w *world) connect(name string) *client {
	w.t.Helper()
	c := &client{world: w, name: name}
	u, err := w.hub.Connect(name, c, chat.SmallIDs)
	if err != nil {
		w.t.Fatalf("Connect(%q): %v", name, err)
	}
	c.User = u
	return c
}

// Receive implements chat.Receiver.
func (c *client) Receive(ev *chat.Event) {
	switch ev.Kind {
	case chat.KindCame, chat.KindWent, chat.KindElsewhere:
		return // For those who show who is there; they have tests of their own. The last comes when nodes have heard of each other.
	}
	c.mu.Lock()
	c.events = append(c.events, ev)
	if c.deaf {
		c.world.t.Errorf("%s was told %q after Close", c.name, describe(ev))
	}
	c.mu.Unlock()
	c.world.mu.Lock()
	c.world.transcript = append(c.world.transcript, c.name+" < "+describe(ev))
	c.world.mu.Unlock()
}

// close closes the user and then listens for what must not come any more.
func (c *client) close(ctx context.Context, reason chat.LeaveReason) error {
	err := c.Close(ctx, reason)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = true
	return err
}

// told returns what the client was told so far.
func (c *client) told() []*chat.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.events)
}

// join, say and leave must succeed.
func (c *client) join(room string) chat.RoomRef {
	c.world.t.Helper()
	ref, err := c.Join(c.world.t.Context(), room)
	if err != nil {
		c.world.t.Fatalf("%s: Join(%q): %v", c.name, room, err)
	}
	return ref
}

func (c *client) say(ref chat.RoomRef, text string) {
	c.world.t.Helper()
	if err := c.Say(c.world.t.Context(), ref, "", text); err != nil {
		c.world.t.Fatalf("%s: Say(%d, %q): %v", c.name, ref, text, err)
	}
}

func (c *client) leave(ref chat.RoomRef) {
	c.world.t.Helper()
	if err := c.Leave(c.world.t.Context(), ref); err != nil {
		c.world.t.Fatalf("%s: Leave(%d): %v", c.name, ref, err)
	}
}

// describe returns an event in words.
func describe(ev *chat.Event) string {
	s := fmt.Sprintf("%s: %s %v", ev.RoomName, ev.Name, ev.Kind)
	switch ev.Kind {
	case chat.KindSaid:
		s += " " + ev.Text
	case chat.KindLeft:
		s += " (" + ev.Reason.String() + ")"
	}
	return s
}

// happened returns the transcript since the last call.
func (w *world) happened() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.transcript
	w.transcript = nil
	return lines
}

// want checks the transcript since the last call; lines are separated by newlines, and their
// indentation does not matter.
func (w *world) want(what, want string) {
	w.t.Helper()
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		if line != "" {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if got := w.happened(); !slices.Equal(got, lines) {
		w.t.Errorf("%s:\n got\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// wantCode checks that err is a refusal.
func wantCode(t tb, what string, err error, code chat.Code) {
	t.Helper()
	e, ok := errors.AsType[*chat.Error](err)
	if !ok || e.Code != code {
		t.Errorf("%s: error is %v, want %q", what, err, code)
	}
}

// wantMembers checks how many memberships there are in the whole hub.
func (w *world) wantMembers(want int) {
	w.t.Helper()
	if got := w.hub.Stats().Members; got != want {
		w.t.Errorf("%d memberships are left, want %d", got, want)
	}
}

func testRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
