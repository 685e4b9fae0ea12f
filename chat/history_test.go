package chat_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/memory"
	"udpchat/chat/store/route"
)

// seqs returns the numbers of events as ranges.
func seqs(evs []*chat.Event) string {
	var b strings.Builder
	for i, ev := range evs {
		switch {
		case i > 0 && i < len(evs)-1 && evs[i-1].Seq+1 == ev.Seq && ev.Seq+1 == evs[i+1].Seq:
		case i > 0 && evs[i-1].Seq+1 == ev.Seq:
			fmt.Fprint(&b, "-", ev.Seq)
		default:
			fmt.Fprint(&b, " ", ev.Seq)
		}
	}
	return strings.TrimSpace(b.String())
}

// TestHistoryPages asks for pages of a log of 300 messages, one each second: while nobody is attached, with an empty
// ring, and with one that has the newest 100.
func TestHistoryPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, chat.Config{})
		ann := w.login("ann", "phone")
		ann.enter("kitchen")
		begin := time.Now()
		for i := range 299 {
			time.Sleep(time.Second) // Fake.
			ann.text("kitchen", fmt.Sprint("message ", i))
		}
		check := func(what string) {
			for _, c := range []struct {
				page chat.Page
				want string
			}{
				{chat.Page{}, "101-300"}, {chat.Page{N: 3}, "298-300"}, {chat.Page{N: 1000}, "101-300"}, {chat.Page{N: 1}, "300"},
				{chat.Page{Before: 300, N: 2}, "298-299"}, {chat.Page{Before: 10, N: 3}, "7-9"}, {chat.Page{Before: 3}, "1-2"},
				{chat.Page{Before: 1}, ""}, {chat.Page{Before: math.MaxUint64, N: 2}, "299-300"}, {chat.Page{After: 298}, "299-300"},
				{chat.Page{After: 290, Before: 295, N: 2}, "293-294"}, {chat.Page{After: 290, Before: 295, N: 2, Forward: true}, "291-292"},
				{chat.Page{After: 5, Before: 8, Forward: true}, "6-7"}, {chat.Page{After: 5, Before: 6, Forward: true}, ""},
				{chat.Page{Forward: true, N: 2}, "1-2"}, {chat.Page{Forward: true, After: 298}, "299-300"},
				{chat.Page{Forward: true, After: 300}, ""}, {chat.Page{Forward: true, After: math.MaxUint64}, ""}, {chat.Page{After: 300}, ""},
				{chat.Page{Around: 150, N: 4}, "148-151"}, {chat.Page{Around: 1, N: 4}, "1-4"}, {chat.Page{Around: 300, N: 4}, "298-300"},
				{chat.Page{Around: 999, N: 4}, "299-300"}, {chat.Page{Around: 150, N: 1}, "149-150"},
				{chat.Page{At: begin.Add(99 * time.Second), N: 4}, "98-101"}, {chat.Page{At: begin, N: 4}, "1-4"},
				{chat.Page{At: begin.Add(-time.Hour), N: 4}, "1-4"}, {chat.Page{At: begin.Add(time.Hour), N: 4}, "299-300"},
				{chat.Page{At: begin.Add(98500 * time.Millisecond), N: 2}, "99-100"},
			} {
				if got := seqs(ann.history("kitchen", c.page)); got != c.want {
					t.Errorf("%s: %+v: %s, want %s", what, c.page, got, c.want)
				}
			}
		}
		check("a ring that has followed")
		ann.Detach("kitchen")
		check("no ring")
		ann.attach("kitchen")
		check("a ring that was filled")
	})
}

// TestHistoryIsTheSameWithAndWithoutTheRing asks for random pages while things happen, from two hubs: one on which
// somebody is attached, and one on which nobody is.
func TestHistoryIsTheSameWithAndWithoutTheRing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := testRand(seed)
	w := newWorld(t, chat.Config{})
	ann := w.login("ann", "phone")
	ann.enter("kitchen")
	w2 := w.node()
	tab := w2.login("ann", "tab")
	for i := range 1000 {
		switch rnd.IntN(10) {
		case 0:
			ann.Detach("kitchen")
			ann.attach("kitchen")
		case 1, 2, 3:
			ann.text("kitchen", strings.Repeat("x", rnd.IntN(9000)))
		}
		p := chat.Page{N: 1 + rnd.IntN(150), Forward: rnd.IntN(2) == 0}
		if rnd.IntN(2) == 0 {
			p.After = uint64(rnd.IntN(i + 1))
		}
		if rnd.IntN(2) == 0 {
			p.Before = uint64(rnd.IntN(i + 1))
		}
		if got, want := seqs(ann.history("kitchen", p)), seqs(tab.history("kitchen", p)); got != want {
			t.Fatalf("step %d: %+v: %s, without the ring %s", i, p, got, want)
		}
	}
}

func TestPageIsBoundedInBytes(t *testing.T) {
	w := newWorld(t, chat.Config{Engine: memory.New(memory.Config{RoomBytesMax: 16 << 20})})
	ann := w.login("ann", "phone")
	ann.enter("kitchen")
	for range 40 {
		ann.text("kitchen", strings.Repeat("x", 60_000))
	}
	if got := seqs(ann.history("kitchen", chat.Page{})); got != "25-41" {
		t.Errorf("newest: %s", got)
	}
	if got := seqs(ann.history("kitchen", chat.Page{Forward: true})); got != "1-18" {
		t.Errorf("oldest: %s", got)
	}
}

func TestHistoryOfManyHiddenMessagesFindsTheOthers(t *testing.T) {
	people := newFakePeople()
	people.blocked["ann"] = []string{"bob"}
	w := newWorld(t, chat.Config{Accounts: people})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	for range 500 {
		bob.text("kitchen", "spam")
	}
	ann.Detach("kitchen")
	if got := seqs(ann.history("kitchen", chat.Page{N: 10})); got != "1" {
		t.Errorf("ann reads %s", got)
	}
	if got := seqs(ann.history("kitchen", chat.Page{After: 1, N: 10, Forward: true})); got != "" {
		t.Errorf("ann reads %s", got)
	}
}

// What an engine has forgotten to recognise is shown once all the same, and a device that says it again is told where
// it is.
func TestRepeatThatTheEngineLetsThroughIsShownOnce(t *testing.T) {
	w := newWorld(t, chat.Config{Engine: memory.New(memory.Config{RoomMessagesMax: 10})})
	ann := w.login("ann", "phone")
	ann.enter("kitchen")
	first := ann.text("kitchen", "once")
	for range 12 {
		ann.text("kitchen", "x")
	}
	again := must(ann.Say(t.Context(), "kitchen", 1, chat.Content{Text: "once"}))(t)
	if again.Seq != first.Seq {
		t.Errorf("said again at %d, first at %d", again.Seq, first.Seq)
	}
	w.happened()
	// The other node remembers nothing.
	w2 := w.node()
	other := w2.login("ann", "phone")
	must(other.Say(t.Context(), "kitchen", 1, chat.Content{Text: "once"}))(t)
	w.want("nothing is shown", "")
	if got := strings.Count(strings.Join(tells(ann.history("kitchen", chat.Page{})), "\n"), "once"); got != 1 {
		t.Errorf("the ring has it %d times", got)
	}
	w.login("bob", "phone").enter("kitchen")
	ann.Detach("kitchen")
	if got := strings.Count(strings.Join(tells(ann.history("kitchen", chat.Page{Before: 16, N: 3})), "\n"), "once"); got != 0 {
		t.Errorf("what is read has it %d times", got)
	}
	if n := w.hub.Stats().DroppedRepeat; n == 0 {
		t.Error("nothing was counted")
	}
}

// Where the engine forgets ids, nobody may be told that something is said for the first time when nobody knows.
func TestOldMessageIsRefusedWhereNobodyRemembers(t *testing.T) {
	engine := route.New(route.Config{Kept: memory.New(memory.Config{}), Forgetting: memory.New(memory.Config{RoomMessagesMax: 10})})
	w := newWorld(t, chat.Config{Engine: engine})
	w.connect("vic").join("lab")
	ann := w.login("ann", "phone")
	for _, room := range []string{"lab", "kitchen"} {
		ann.enter(room)
		ann.n = 10
		for range 300 {
			ann.text(room, "x")
		}
	}
	_, err := ann.Say(t.Context(), "lab", 5, chat.Content{Text: "from long ago"})
	wantCode(t, "Say far behind", err, chat.CodeStale)
	_, err = ann.Say(t.Context(), "lab", 12, chat.Content{Text: "from long ago"})
	wantCode(t, "Say once more, long after", err, chat.CodeStale)
	must(ann.Say(t.Context(), "lab", 309, chat.Content{Text: "x"}))(t)
	must(ann.Say(t.Context(), "lab", 999, chat.Content{Text: "new"}))(t)
	// A room that is kept remembers.
	if said := must(ann.Say(t.Context(), "kitchen", 12, chat.Content{Text: "x"}))(t); said.Seq != 3 {
		t.Errorf("said again at %d, first at 3", said.Seq)
	}
	must(ann.Say(t.Context(), "kitchen", 5, chat.Content{Text: "late"}))(t)
}

func TestFileIsAnnounced(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	id, size, err := w.engine.PutBlob(t.Context(), strings.NewReader("a picture"))
	if err != nil {
		t.Fatal(err)
	}
	good := chat.File{SHA256: id, Size: size, Name: "cat.png", MIME: "image/png"}
	must(ann.Say(t.Context(), "kitchen", 1, chat.Content{File: &good}))(t)
	evs := bob.logged()
	if f := evs[len(evs)-1].File; f == nil || *f != good {
		t.Errorf("bob was told %+v", evs[len(evs)-1])
	}
	change := func(f func(*chat.File)) chat.Content {
		file := good
		f(&file)
		return chat.Content{File: &file}
	}
	for i, c := range []struct {
		content chat.Content
		code    chat.Code
	}{
		{change(func(f *chat.File) { f.SHA256 = strings.Repeat("0", 64) }), chat.CodeNotFound},
		{change(func(f *chat.File) { f.SHA256 = strings.ToUpper(id) }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.SHA256 = "" }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.Size-- }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.Size = -1 }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.Name = "../cat.png" }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.Name = `a\b` }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.Name = "" }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.Name = "cat\n.png" }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.MIME = "imäge" }), chat.CodeBadContent},
		{change(func(f *chat.File) { f.MIME = strings.Repeat("x", 128) }), chat.CodeBadContent},
		{chat.Content{File: &good, Text: "and a text"}, chat.CodeBadContent},
		{chat.Content{Text: strings.Repeat("x", 64<<10+1)}, chat.CodeTooLong},
	} {
		_, err := ann.Say(t.Context(), "kitchen", uint64(10+i), c.content)
		wantCode(t, fmt.Sprintf("case %d, %+v", i, c.content.File), err, c.code)
	}
}

// A headsEngine has something happen just before it is asked how far a room is.
type headsEngine struct {
	chat.Engine
	before func()
}

func (e *headsEngine) Heads(ctx context.Context, rooms []string) ([]uint64, error) {
	if before := e.before; before != nil && rooms[0] == "kitchen" {
		e.before = nil
		before()
	}
	return e.Engine.Heads(ctx, rooms)
}

// What is said while a room is opened is below its head and is delivered all the same; whoever reads history must
// not find it twice.
func TestHistoryOfWhatWasSaidWhileTheRoomWasOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := newFakeEngine(t)
		heads := &headsEngine{Engine: late}
		w := newWorld(t, chat.Config{Engine: heads})
		cfg := w.cfg
		cfg.Engine, cfg.Rand = late.Engine, nil // The other node hears at once.
		w2 := &world{t: t, cfg: cfg, hub: must(chat.New(cfg))(t), engine: late.Engine}
		t.Cleanup(func() { w2.hub.Close() })
		bob := w2.login("bob", "phone")
		bob.enter("kitchen")
		bob.text("kitchen", "before")
		late.holdDelivery()
		heads.before = func() {
			bob.text("kitchen", "one")
			bob.text("kitchen", "two")
		}
		joined := begin(func() error { _, err := w.login("ann", "phone").Join(t.Context(), "kitchen"); return err })
		if err := joined(); err != nil {
			t.Fatal(err)
		}
		tab := w.login("ann", "tab")
		place := tab.attach("kitchen")
		if place.Head != 4 {
			t.Fatalf("attached after %d, want 4", place.Head)
		}
		for _, when := range []string{"before", "after"} {
			if got := seqs(tab.history("kitchen", chat.Page{Before: place.Head + 1})); got != "1-4" {
				t.Errorf("%s it is delivered: %s, want 1-4", when, got)
			}
			late.deliver()
		}
		if got := seqs(tab.logged()); got != "5" {
			t.Errorf("live came %s, want 5", got)
		}
	})
}

// A pausedEngine delivers nothing while its gate is locked.
type pausedEngine struct {
	lateEngine
	gate *sync.Mutex
}

func (e pausedEngine) Subscribe(room string, f func(chat.Msg)) (func(), error) {
	return e.lateEngine.Subscribe(room, func(m chat.Msg) {
		e.gate.Lock()
		defer e.gate.Unlock()
		f(m)
	})
}

// TestWhatIsStoredIsInTheHistoryAtOnce reads what was acknowledged and not yet delivered: as one page of the newest, and by
// its number alone, as who was told of it does, also on another node.
func TestWhatIsStoredIsInTheHistoryAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate sync.Mutex
		w := newWorld(t, chat.Config{Engine: pausedEngine{newLateEngine(memory.New(memory.Config{})), &gate}})
		ann, bob, cat := w.login("ann", "phone"), w.login("bob", "phone"), w.node().login("cat", "phone")
		for _, p := range []*phone{ann, bob, cat} {
			p.enter("kitchen")
		}
		synctest.Wait()
		for _, p := range []*phone{ann, bob} {
			if got := seqs(p.history("kitchen", chat.Page{})); got != "1-3" {
				t.Errorf("%s: before: %s, want 1-3", p.name, got)
			}
		}
		gate.Lock()
		ann.text("kitchen", "stored by this node")
		for _, p := range []*phone{ann, bob} {
			if got := seqs(p.history("kitchen", chat.Page{N: 2})); got != "3-4" {
				t.Errorf("%s: the newest are %s, want 3-4", p.name, got)
			}
		}
		cat.text("kitchen", "stored by another node")
		if got := seqs(bob.history("kitchen", chat.Page{After: 4, Before: 6, N: 1})); got != "5" {
			t.Errorf("what another node has stored is %q by its number, want 5", got)
		}
		gate.Unlock()
		synctest.Wait()
		if got := seqs(bob.history("kitchen", chat.Page{})); got != "1-5" {
			t.Errorf("after: %s, want 1-5", got)
		}
	})
}
