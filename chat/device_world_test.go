package chat_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"udpchat/chat"
)

// A phone is a device and what it was told.
type phone struct {
	*chat.Device
	world *world
	name  string

	mu     sync.Mutex
	events []*chat.Event // Guarded by mu.
	deaf   bool          // Close has returned: nothing may come. Guarded by mu.
	n      uint64        // Counter of what was said last. Guarded by mu.
}

// login logs a device of account in; ids of devices are "<account>.<device>".
func (w *world) login(account, device string) *phone {
	w.t.Helper()
	p := &phone{world: w, name: account + "." + device}
	d, err := w.hub.LogIn(w.t.Context(), chat.Login{Account: account, Show: account, Device: p.name, Whispers: true}, p)
	if err != nil {
		w.t.Fatalf("LogIn(%q): %v", p.name, err)
	}
	p.Device = d
	return p
}

// Receive implements chat.Receiver.
func (p *phone) Receive(ev *chat.Event) {
	p.mu.Lock()
	p.events = append(p.events, ev)
	if p.deaf {
		p.world.t.Errorf("%s was told %q after Close", p.name, tell(ev))
	}
	p.mu.Unlock()
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if ev.Kind != chat.KindPresence || p.world.presence {
		p.world.transcript = append(p.world.transcript, p.name+" < "+tell(ev))
	}
}

// tell returns an event in words.
func tell(ev *chat.Event) string {
	switch ev.Kind {
	case chat.KindJoined, chat.KindLeft, chat.KindSaid:
		return describe(ev)
	case chat.KindFile:
		return fmt.Sprintf("%s: %s file %s", ev.RoomName, ev.Name, ev.File.Name)
	case chat.KindTopic:
		return strings.TrimSpace(fmt.Sprintf("%s: %s topic %s", ev.RoomName, ev.Name, ev.Text))
	case chat.KindAttached:
		return fmt.Sprintf("%s: attached after %d", ev.RoomName, ev.Number)
	case chat.KindPresence:
		return fmt.Sprintf("%s is %v", ev.Account, chat.Presence(ev.Number))
	case chat.KindTyping, chat.KindMarked:
		return fmt.Sprintf("%s: %s %v %s %d", ev.RoomName, ev.Account, ev.Kind, ev.About, ev.Number)
	}
	return fmt.Sprintf("%s: %v %s", ev.RoomName, ev.Kind, ev.About)
}

// close closes the device and then listens for what must not come any more.
func (p *phone) close() {
	p.world.t.Helper()
	if err := p.Close(p.world.t.Context()); err != nil {
		p.world.t.Errorf("%s: Close: %v", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = true
}

// The following must succeed.

func (p *phone) enter(room string) chat.Place {
	p.world.t.Helper()
	place, err := p.Join(p.world.t.Context(), room)
	if err != nil {
		p.world.t.Fatalf("%s: Join(%q): %v", p.name, room, err)
	}
	return place
}

func (p *phone) attach(log string) chat.Place {
	p.world.t.Helper()
	place, err := p.Attach(p.world.t.Context(), log)
	if err != nil {
		p.world.t.Fatalf("%s: Attach(%q): %v", p.name, log, err)
	}
	return place
}

func (p *phone) text(log, text string) chat.Said {
	p.world.t.Helper()
	p.mu.Lock()
	p.n++
	n := p.n
	p.mu.Unlock()
	said, err := p.Say(p.world.t.Context(), log, n, chat.Content{Text: text})
	if err != nil {
		p.world.t.Fatalf("%s: Say(%q, %d, %q): %v", p.name, log, n, text, err)
	}
	return said
}

func (p *phone) history(log string, page chat.Page) []*chat.Event {
	p.world.t.Helper()
	evs, err := p.History(p.world.t.Context(), log, page)
	if err != nil {
		p.world.t.Fatalf("%s: History(%q, %+v): %v", p.name, log, page, err)
	}
	return evs
}

// tells returns events in words.
func tells(evs []*chat.Event) []string {
	var lines []string
	for _, ev := range evs {
		lines = append(lines, tell(ev))
	}
	return lines
}

func wantLines(t tb, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// restart gives a new hub on the engine of the old one, as after a restart of the server.
func (w *world) restart() {
	w.t.Helper()
	w.hub.Close()
	hub, err := chat.New(chat.Config{Engine: w.engine})
	if err != nil {
		w.t.Fatalf("New: %v", err)
	}
	w.t.Cleanup(func() { hub.Close() })
	w.hub = hub
}

// logged returns those events it was told that are in logs.
func (p *phone) logged() []*chat.Event {
	return slices.DeleteFunc(p.told(), func(ev *chat.Event) bool { return ev.Seq == 0 })
}

// node adds another hub on the engine of w, with a transcript of its own.
func (w *world) node() *world {
	w.t.Helper()
	cfg := w.cfg
	cfg.Rand = nil
	hub, err := chat.New(cfg)
	if err != nil {
		w.t.Fatalf("New: %v", err)
	}
	w.t.Cleanup(func() { hub.Close() })
	return &world{t: w.t, cfg: cfg, hub: hub, engine: w.engine, presence: w.presence}
}

// A fakePeople is what Accounts knows in tests.
type fakePeople struct {
	mu      sync.Mutex
	nobody  map[string]bool     // Names that are no account. Guarded by mu.
	blocked map[string][]string // Guarded by mu.
	friends map[string][]string // Guarded by mu.
}

func (f *fakePeople) Exists(_ context.Context, account string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.nobody[account], nil
}

func (f *fakePeople) Blocks(_ context.Context, account, peer string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.blocked[account], peer), nil
}

func (f *fakePeople) Blocked(_ context.Context, account string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.blocked[account]), nil
}

func (f *fakePeople) Contacts(_ context.Context, account string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.friends[account]), nil
}

// block changes whom somebody has blocked, and announces it on the node of w.
func (f *fakePeople) block(w *world, account, peer string, on bool) {
	w.t.Helper()
	kind := chat.KindBlocked
	f.mu.Lock()
	if on {
		f.blocked[account] = append(f.blocked[account], peer)
	} else {
		kind = chat.KindUnblocked
		f.blocked[account] = slices.DeleteFunc(f.blocked[account], func(s string) bool { return s == peer })
	}
	f.mu.Unlock()
	if err := w.hub.Announce(w.t.Context(), account, kind, peer, ""); err != nil {
		w.t.Errorf("Announce: %v", err)
	}
}

func newFakePeople() *fakePeople {
	return &fakePeople{nobody: map[string]bool{}, blocked: map[string][]string{}, friends: map[string][]string{}}
}
