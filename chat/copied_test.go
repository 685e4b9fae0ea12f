package chat_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// What was copied into another store has its records under other revisions: one of those that were given out before must not be
// taken for what it stood for then.
func TestLeavingIsToldInAStoreThatWasCopied(t *testing.T) {
	old := newWorld(t, chat.Config{})
	for i := range 50 {
		fill(t, old.engine, i)
	}
	ann := old.login("ann", "phone")
	ann.enter("kitchen")
	if err := ann.Topic(t.Context(), "kitchen", "food"); err != nil {
		t.Fatal(err)
	}
	for _, what := range []chat.Kind{chat.KindTopic, chat.KindJoined} { // In what is said of each is a revision of before.
		w := newWorld(t, chat.Config{Engine: copied(t, old.engine)})
		var revision int
		for _, ev := range ann.history("kitchen", chat.Page{}) {
			if ev.Kind == what {
				revision, _ = strconv.Atoi(ev.ID[strings.LastIndexByte(ev.ID, '-')+1:])
			}
		}
		ann := w.login("ann", "phone")
		for i := 0; fill(t, w.engine, i) < uint64(revision)-1; i++ {
		}
		var err error
		if what == chat.KindTopic {
			err = ann.Topic(t.Context(), "kitchen", "drinks")
		} else {
			err = ann.Leave(t.Context(), "kitchen")
		}
		if err != nil {
			t.Fatal(err)
		}
		msgs, err := w.engine.Read(t.Context(), "kitchen", 0, 1<<64-1, 10)
		if err != nil || len(msgs) != 3 {
			t.Errorf("after another %v the room has %d entries, %v; want 3", what, len(msgs), err)
		}
	}
}

// fill writes a record that means nothing, and returns its revision.
func fill(t *testing.T, e chat.Engine, i int) uint64 {
	t.Helper()
	rev, err := e.Put(t.Context(), "filler", fmt.Sprint(i), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// copied returns another engine with what is in one.
func copied(t *testing.T, from chat.Engine) chat.Engine {
	t.Helper()
	to := memory.New(memory.Config{})
	for _, log := range []string{"kitchen", "ac/ann"} {
		msgs, err := from.Read(t.Context(), log, 0, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			if _, err := to.Append(t.Context(), log, m.ID, m.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, bucket := range []string{"enrolments", "rosters", "rooms", "conversations"} {
		entries, err := from.List(t.Context(), bucket, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, en := range entries {
			if _, err := to.Put(t.Context(), bucket, en.Key, en.Val, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}
