package chat_test

import (
	"fmt"
	"slices"
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
	d, err := w.hub.LogIn(w.t.Context(), chat.Login{Account: account, Show: account, Device: p.name}, p)
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
	p.world.transcript = append(p.world.transcript, p.name+" < "+tell(ev))
	p.world.mu.Unlock()
}

// tell returns an event in words.
func tell(ev *chat.Event) string {
	switch ev.Kind {
	case chat.KindJoined, chat.KindLeft, chat.KindSaid:
		return describe(ev)
	case chat.KindFile:
		return fmt.Sprintf("%s: %s file %s", ev.RoomName, ev.Name, ev.File.Name)
	case chat.KindTopic:
		return fmt.Sprintf("%s: %s topic %s", ev.RoomName, ev.Name, ev.Text)
	case chat.KindAttached:
		return fmt.Sprintf("%s: attached after %d", ev.RoomName, ev.Number)
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
