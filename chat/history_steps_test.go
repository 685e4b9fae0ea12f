package chat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// A countingEngine counts what is read.
type countingEngine struct {
	chat.Engine
	reads int
	gets  int
}

func (e *countingEngine) Read(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	e.reads++
	return e.Engine.Read(ctx, room, after, before, n)
}

// TestHistoryPassesOverTheBlockedInLargeSteps: whoever blocks somebody who has said very much must not make each request
// for one message as many reads as there are messages.
func TestHistoryPassesOverTheBlockedInLargeSteps(t *testing.T) {
	people, engine := newFakePeople(), &countingEngine{Engine: memory.New(memory.Config{})}
	w := newWorld(t, chat.Config{Accounts: people, Engine: engine})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	for range 2 {
		ann.text("kitchen", "mine")
		for range 450 {
			bob.text("kitchen", "and mine")
		}
	}
	ann.text("kitchen", "last")
	people.block(w, "ann", "bob", true)
	ann.Detach("kitchen")
	bob.Detach("kitchen")
	engine.reads = 0
	for _, c := range []struct {
		page chat.Page
		want string
	}{
		{chat.Page{N: 2}, "mine last"},
		{chat.Page{Before: 800, N: 1}, "mine"},
		{chat.Page{After: 3, Forward: true, N: 1}, "mine"},
		{chat.Page{After: 4, Forward: true, N: 2}, "mine last"},
	} {
		got := ""
		for page := c.page; len(strings.Fields(got)) < c.page.N; {
			evs := ann.history("kitchen", page)
			if len(evs) == 0 {
				break
			}
			text := evs[0].Text
			for _, ev := range evs[1:] {
				text += " " + ev.Text
			}
			if page.Forward {
				got, page.After = got+" "+text, evs[len(evs)-1].Seq
			} else {
				got, page.Before = text+" "+got, evs[0].Seq
			}
		}
		if got = strings.TrimSpace(got); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.page, got, c.want)
		}
	}
	if engine.reads > 30 {
		t.Errorf("%d reads", engine.reads)
	}
}

func (e *countingEngine) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	e.gets++
	return e.Engine.Get(ctx, bucket, key)
}

// Clients ask for their conversations at every log-in: that must not take a record of each room, one after the other.
func TestConversationsReadNoRecordOfEachRoom(t *testing.T) {
	engine := &countingEngine{Engine: memory.New(memory.Config{})}
	w := newWorld(t, chat.Config{Engine: engine})
	ann := w.login("ann", "phone")
	for i := range 10 {
		ann.enter(fmt.Sprint("room", i))
	}
	engine.gets = 0
	if list := must(ann.Conversations(t.Context()))(t); len(list) != 10 || engine.gets != 0 {
		t.Errorf("%d conversations took %d records", len(list), engine.gets)
	}
}
