package chat_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"udpchat/chat"
)

// TestWhoMayDoWhat asks for everything that a device can ask about a log, as everybody who may not, and as those who may.
func TestWhoMayDoWhat(t *testing.T) {
	people := newFakePeople()
	people.nobody["nil"] = true
	w := newWorld(t, chat.Config{Accounts: people})
	ann, bob, eve := w.login("ann", "phone"), w.login("bob", "phone"), w.login("eve", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	eve.enter("hall")
	ann.text("dm/ann/bob", "hi")
	people.block(w, "ann", "fay", true)
	people.block(w, "gus", "ann", true)
	closed := w.login("ann", "old")
	closed.close()
	elsewhere := newWorld(t, chat.Config{})
	down := elsewhere.login("ann", "phone")
	down.enter("kitchen")
	elsewhere.hub.Close()

	const none = chat.Code(0)
	const reads, writes = true, false
	n := uint64(1000)
	asks := []struct {
		name string
		kind bool
		ask  func(ctx context.Context, p *phone, log string) error
	}{
		{"Attach", reads, func(ctx context.Context, p *phone, log string) error { _, err := p.Attach(ctx, log); return err }},
		{"Resume", reads, func(ctx context.Context, p *phone, log string) error { _, err := p.Resume(ctx, log, "", 0); return err }},
		{"History", reads, func(ctx context.Context, p *phone, log string) error {
			_, err := p.History(ctx, log, chat.Page{})
			return err
		}},
		{"History at", reads, func(ctx context.Context, p *phone, log string) error {
			_, err := p.History(ctx, log, chat.Page{At: time.Now()})
			return err
		}},
		{"Mark", reads, func(ctx context.Context, p *phone, log string) error { return p.Mark(ctx, log, 1) }},
		{"Who", reads, func(ctx context.Context, p *phone, log string) error { _, err := p.Who(ctx, log); return err }},
		{"Members", reads, func(ctx context.Context, p *phone, log string) error { _, err := p.Members(ctx, log); return err }},
		{"Say", writes, func(ctx context.Context, p *phone, log string) error {
			n++
			_, err := p.Say(ctx, log, n, chat.Content{Text: "hi"})
			return err
		}},
		{"Typing", writes, func(ctx context.Context, p *phone, log string) error { return p.Typing(ctx, log, true) }},
	}
	for _, c := range []struct {
		who    string
		phone  *phone
		log    string
		reads  chat.Code
		writes chat.Code
	}{
		{"a member", bob, "kitchen", none, none},
		{"one of the two", bob, "dm/ann/bob", none, none},
		{"a member of another room", eve, "kitchen", chat.CodeNotMember, chat.CodeNotMember},
		{"a stranger", eve, "dm/ann/bob", chat.CodeNotMember, chat.CodeNotMember},
		{"the owner", ann, "ac/ann", none, chat.CodeNotMember},
		{"a stranger to the account", eve, "ac/ann", chat.CodeNotMember, chat.CodeNotMember},
		{"one who has blocked", ann, "dm/ann/fay", none, chat.CodeBlocked},
		{"one who is blocked", ann, "dm/ann/gus", none, chat.CodeBlocked},
		{"one who talks to nobody", ann, "dm/ann/nil", chat.CodeNoUser, chat.CodeNoUser},
		{"anybody in the log of the nodes", ann, "pr", chat.CodeNotMember, chat.CodeNotMember},
		{"anybody in a room that is not", ann, "attic", chat.CodeNotMember, chat.CodeNotMember},
		{"anybody in a room without a name", ann, "", chat.CodeNotMember, chat.CodeNotMember},
		{"one whose connection is closed", closed, "kitchen", chat.CodeClosed, chat.CodeClosed},
		{"one whose server goes down", down, "kitchen", chat.CodeShuttingDown, chat.CodeShuttingDown},
	} {
		for _, a := range asks {
			err := a.ask(t.Context(), c.phone, c.log)
			want := c.writes
			if a.kind == reads {
				want = c.reads
			}
			if want != none {
				wantCode(t, a.name+" of "+c.log+" by "+c.who, err, want)
			} else if err != nil {
				t.Errorf("%s of %s by %s: %v", a.name, c.log, c.who, err)
			}
		}
	}
	for _, p := range []*phone{eve, closed} {
		if p.Leave(t.Context(), "kitchen") == nil || p.Topic(t.Context(), "kitchen", "mine") == nil {
			t.Errorf("%s left or named a room it is not in", p.name)
		}
	}
	if _, err := closed.Join(t.Context(), "attic"); err == nil || closed.SetPresence(chat.Away) == nil {
		t.Error("a closed device does things")
	}
	for _, log := range []string{"attic", "dm/ann/nil", "", "pr", "pr/native"} {
		if heads, err := w.engine.Heads(t.Context(), []string{log}); err != nil || heads[0] != 0 {
			t.Errorf("the log %q ends at %d, %v", log, heads[0], err)
		}
	}
}

func TestVisitorsDoNotGoByTheNamesOfAccounts(t *testing.T) {
	w := newWorld(t, chat.Config{Reserved: func(name string) bool { return name == "ann" }})
	_, err := w.hub.Connect("ann", nobody{}, chat.SmallIDs)
	wantCode(t, "Connect as ann", err, chat.CodeBadName)
	vic := w.connect("vic")
	room := vic.join("kitchen")
	wantCode(t, "Say as ann", vic.Say(t.Context(), room, "ann", "hi"), chat.CodeBadName)
}

func TestForgottenAccountHasNothingLeft(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	ann.text("kitchen", "hello")
	ann.text("dm/ann/bob", "hi")
	if err := ann.Mark(t.Context(), "kitchen", 2); err != nil {
		t.Error(err)
	}
	ann.close()
	for range 2 {
		if err := w.hub.Forget(t.Context(), "ann"); err != nil {
			t.Errorf("Forget: %v", err)
		}
	}
	wantLines(t, "members", must(bob.Members(t.Context(), "kitchen"))(t), "bob")
	wantLines(t, "what was said", tells(bob.history("dm/ann/bob", chat.Page{})), "dm/ann/bob: ann said hi")
	ann = w.login("ann", "phone")
	if list := must(ann.Conversations(t.Context()))(t); len(list) > 0 || len(ann.history("ac/ann", chat.Page{})) > 0 {
		t.Errorf("ann has %+v", list)
	}
}

// Anybody may look into a conversation with anybody; it must not be for ever.
func TestADeviceIsAttachedToSoManyLogsAndNoMore(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.login("ann", "phone")
	for i := range 4000 {
		ann.attach(fmt.Sprintf("dm/ann/bob%d", i))
	}
	_, err := ann.Direct(t.Context(), "cat")
	wantCode(t, "one more", err, chat.CodeTooMany)
	ann.attach("dm/ann/bob7") // Is attached.
	ann.Detach("dm/ann/bob7")
	must(ann.Direct(t.Context(), "cat"))(t)
	for i := range 8000 {
		if err := ann.Mark(t.Context(), fmt.Sprintf("dm/ann/bob%d", i), 1); err != nil {
			t.Fatalf("Mark %d: %v", i, err)
		}
	}
	wantCode(t, "one more marker", ann.Mark(t.Context(), "dm/ann/cat", 1), chat.CodeTooMany)
	if err := ann.Mark(t.Context(), "dm/ann/bob7", 2); err != nil {
		t.Errorf("Mark of one there is: %v", err)
	}
}
