package chat_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
)

// names returns who is in a list, with states other than online.
func names(list []chat.Person) string {
	var b strings.Builder
	for _, who := range list {
		b.WriteString(" " + who.Account)
		if who.Account == "" {
			b.WriteString("visitor " + who.Name)
		}
		if who.State != chat.Online {
			b.WriteString("(" + who.State.String() + ")")
		}
	}
	return strings.TrimSpace(b.String())
}

func wantNames(t tb, what string, list []chat.Person, want string) {
	t.Helper()
	if got := names(list); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// presenceWorld is a world in a bubble, with presence in the transcript.
func presenceWorld(t *testing.T, run func(t *testing.T, w *world, people *fakePeople)) {
	synctest.Test(t, func(t *testing.T) {
		people := newFakePeople()
		w := newWorld(t, chat.Config{Accounts: people})
		w.presence = true
		run(t, w, people)
	})
}

func TestPresenceGoesToThoseWhoHaveToDoWithOneAnother(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		people.friends["fay"] = []string{"ann"}
		fay, bob, eve := w.login("fay", "phone"), w.login("bob", "phone"), w.login("eve", "phone")
		bob.enter("kitchen")
		w.happened()
		time.Sleep(time.Second) // Fake.
		ann := w.login("ann", "phone")
		w.want("a friend comes", `fay.phone < ann is online`)
		ann.enter("kitchen")
		w.want("and enters a room", `
			ann.phone < kitchen: attached after 1
			ann.phone < bob is online
			bob.phone < ann is online
			bob.phone < kitchen: ann joined
			ann.phone < kitchen: ann joined`)
		tab := w.login("ann", "tab")
		if err := ann.SetPresence(chat.Away); err != nil {
			t.Errorf("SetPresence: %v", err)
		}
		w.want("one device is away, the other is not", ``)
		tab.close()
		got := w.happened()
		if len(got) != 2 || !strings.HasSuffix(got[0], "ann is away") || !strings.HasSuffix(got[1], "ann is away") {
			t.Errorf("the other device goes: %q", got)
		}
		wantNames(t, "who is in the kitchen", must(bob.Who(t.Context(), "kitchen"))(t), "bob ann(away)")
		wantNames(t, "who is there", eve.Online(), "bob eve fay ann(away)")
		time.Sleep(time.Minute) // Fake.
		ann.close()
		if got := w.happened(); len(got) != 2 || !strings.HasSuffix(got[0], "ann is offline") {
			t.Errorf("ann goes: %q", got)
		}
		time.Sleep(time.Minute) // Fake.
		wantNames(t, "who was there", fay.Since(2*time.Minute), "bob eve fay ann(offline)")
		wantNames(t, "who was there of late", fay.Since(time.Second), "bob eve fay")
		if w.hub.IsOnline("ann") || !w.hub.IsOnline("bob") {
			t.Error("IsOnline says otherwise")
		}
	})
}

// must returns a value, or ends the test.
func must[T any](v T, err error) func(t tb) T {
	return func(t tb) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v", err)
		}
		return v
	}
}

func TestWhoHasVisitorsToo(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.login("ann", "phone")
	ann.enter("kitchen")
	w.connect("vic").join("kitchen")
	wantNames(t, "who is in the kitchen", must(ann.Who(t.Context(), "kitchen"))(t), "ann visitor vic")
	bob := w.login("bob", "phone")
	_, err := bob.Who(t.Context(), "kitchen")
	wantCode(t, "Who of a stranger", err, chat.CodeNotMember)
	_, err = bob.Members(t.Context(), "kitchen")
	wantCode(t, "Members of a stranger", err, chat.CodeNotMember)
	bob.enter("kitchen")
	ann.close()
	wantLines(t, "members", must(bob.Members(t.Context(), "kitchen"))(t), "ann", "bob")
}

func TestBlockedAccountsDoNotSeeEachOther(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		ann, bob, cat := w.login("ann", "phone"), w.login("bob", "phone"), w.login("cat", "phone")
		for _, p := range []*phone{ann, bob, cat} {
			p.enter("kitchen")
		}
		ann.text("dm/ann/bob", "hi")
		bob.attach("dm/ann/bob")
		ann.attach("dm/ann/bob")
		w.happened()
		people.block(w, "ann", "bob", true)
		w.want("both are gone for each other", `
			bob.phone < ann is offline
			ann.phone < bob is offline`)
		wantNames(t, "who is there for ann", ann.Online(), "ann cat")
		wantNames(t, "who is there for bob", must(bob.Who(t.Context(), "kitchen"))(t), "bob cat")
		wantNames(t, "who was there for bob", bob.Since(time.Hour), "bob cat")
		wantNames(t, "who is there for cat", cat.Online(), "ann bob cat")
		bob.text("kitchen", "can you hear me?")
		if err := bob.Typing(t.Context(), "kitchen", true); err != nil {
			t.Errorf("Typing: %v", err)
		}
		if err := ann.Typing(t.Context(), "kitchen", true); err != nil {
			t.Errorf("Typing: %v", err)
		}
		ann.text("kitchen", "it is quiet")
		w.want("ann hears nothing of bob", `
			bob.phone < kitchen: bob said can you hear me?
			cat.phone < kitchen: bob said can you hear me?
			cat.phone < kitchen: bob typing  1
			cat.phone < kitchen: ann typing  1
			ann.phone < kitchen: ann said it is quiet
			bob.phone < kitchen: ann said it is quiet
			cat.phone < kitchen: ann said it is quiet`)
		for _, line := range tells(ann.history("kitchen", chat.Page{})) {
			if strings.Contains(line, ": bob") {
				t.Errorf("ann reads %q", line)
			}
		}
		_, err := bob.Say(t.Context(), "dm/ann/bob", 5, chat.Content{Text: "hello?"})
		wantCode(t, "Say to whom has blocked one", err, chat.CodeBlocked)
		_, err = ann.Say(t.Context(), "dm/ann/bob", 5, chat.Content{Text: "hello?"})
		wantCode(t, "Say to whom one has blocked", err, chat.CodeBlocked)
		wantCode(t, "Typing to whom has blocked one", bob.Typing(t.Context(), "dm/ann/bob", true), chat.CodeBlocked)
		bob.close()
		bob = w.login("bob", "phone")
		bob.attach("kitchen")
		w.happened()
		people.block(w, "ann", "bob", false)
		got := fmt.Sprint(w.happened())
		if !strings.Contains(got, "bob.phone < ann is online") || !strings.Contains(got, "ann.phone < bob is online") {
			t.Errorf("after Unblock: %s", got)
		}
		bob.n = 5
		bob.text("dm/ann/bob", "at last")
	})
}

// Typing is sent and forgotten: towards a stranger, too, nothing is stored, and who has begun to write has not begun a
// conversation.
func TestTypingToAStrangerBeginsNoConversation(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, _ *fakePeople) {
		ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
		if err := ann.Typing(t.Context(), "dm/ann/bob", true); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*phone{ann, bob} {
			for _, c := range must(p.Conversations(t.Context()))(t) {
				if c.Peer != "" {
					t.Errorf("%s has a conversation with %s", p.name, c.Peer)
				}
			}
		}
		ann.text("dm/ann/bob", "hi")
		if got := must(bob.Conversations(t.Context()))(t); len(got) != 1 {
			t.Errorf("after a message bob has the conversations %+v, want one", got)
		}
	})
}

func TestBlocksAreKnownAfterARestart(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		people.blocked["ann"] = []string{"bob"}
		ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
		ann.enter("kitchen")
		bob.enter("kitchen")
		bob.text("kitchen", "hi")
		w.want("", `
			ann.phone < kitchen: attached after 0
			ann.phone < kitchen: ann joined
			bob.phone < kitchen: attached after 1
			bob.phone < kitchen: bob joined
			bob.phone < kitchen: bob said hi`)
	})
}

func TestPresenceInACluster(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		people.friends["ann"] = []string{"bob"}
		people.friends["bob"] = []string{"ann"}
		w.login("ann", "phone")
		w2 := w.node()
		bob := w2.login("bob", "phone")
		synctest.Wait()
		w.want("bob comes on the other node", `ann.phone < bob is online`)
		w2.want("and knows of ann", `bob.phone < ann is online`)
		wantNames(t, "who is there", bob.Online(), "ann bob")
		if err := bob.SetPresence(chat.Away); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		w.want("bob is away", `ann.phone < bob is away`)
		// On two nodes at once: the better one counts.
		bob1 := w.login("bob", "tab")
		w.want("bob comes here, too", `
			ann.phone < bob is online
			bob.tab < ann is online`)
		bob1.close()
		w.want("and goes", `ann.phone < bob is away`)
		people.block(w2, "bob", "ann", true)
		synctest.Wait()
		w.want("ann is blocked there", `ann.phone < bob is offline`)
		w2.want("", `bob.phone < ann is offline`)
		people.block(w2, "bob", "ann", false)
		synctest.Wait()
		w.want("and is not", `ann.phone < bob is away`)
		w2.happened()
		time.Sleep(5 * time.Minute) // Fake: it must be known to live.
		w.want("nothing happens", ``)
		w2.hub.Close() // Like a crash, without a word.
		time.Sleep(8 * time.Second)
		w.want("it may come back", ``)
		time.Sleep(7 * time.Second)
		w.want("the node is gone", `ann.phone < bob is offline`)
	})
}

// deafEngine loses what is sent.
type deafEngine struct {
	chat.Engine
	deaf atomic.Bool
}

func (e *deafEngine) Send(room string, data []byte) error {
	if e.deaf.Load() {
		return nil
	}
	return e.Engine.Send(room, data)
}

func TestNodesFindOutWhatTheyHaveMissed(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		people.friends["ann"] = []string{"bob", "cat"}
		ann := w.login("ann", "phone")
		e := &deafEngine{Engine: w.engine}
		w2 := w.node()
		cfg := w2.cfg
		cfg.Engine = e
		hub := must(chat.New(cfg))(t)
		t.Cleanup(func() { hub.Close() })
		w2.hub = hub
		bob := w2.login("bob", "phone")
		synctest.Wait()
		w.want("bob comes", `ann.phone < bob is online`)
		e.deaf.Store(true)
		bob.close()
		w2.login("cat", "phone")
		synctest.Wait()
		w.want("nobody hears of it", ``)
		e.deaf.Store(false)
		time.Sleep(15 * time.Second) // Fake.
		got := w.happened()
		if len(got) != 2 || !strings.Contains(fmt.Sprint(got), "bob is offline") || !strings.Contains(fmt.Sprint(got), "cat is online") {
			t.Errorf("after the next sign of life: %q", got)
		}
		wantNames(t, "who is there", ann.Online(), "ann cat")
	})
}

// A node that hears nobody because it is cut off from the cluster itself does not take everybody for gone.
func TestNodeThatIsCutOffTakesNobodyForGone(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, people *fakePeople) {
		people.friends["ann"] = []string{"bob"}
		w2 := w.node()
		e := &cutEngine{Engine: w.engine}
		cfg := w.cfg
		cfg.Engine, cfg.Rand = e, nil
		hub := must(chat.New(cfg))(t)
		t.Cleanup(func() { hub.Close() })
		w.hub = hub
		w.login("ann", "phone")
		w2.login("bob", "phone")
		synctest.Wait()
		w.want("bob comes", `ann.phone < bob is online`)
		e.cut.Store(true)
		time.Sleep(time.Minute) // Fake.
		e.cut.Store(false)
		time.Sleep(5 * time.Second)
		w.want("ann's node was cut off", ``)
		e.cut.Store(true)
		w2.hub.Close() // Like a crash.
		time.Sleep(time.Minute)
		w.want("bob's dies meanwhile", ``)
		e.cut.Store(false)
		time.Sleep(15 * time.Second)
		w.want("which is found out", `ann.phone < bob is offline`)
	})
}

// A cutEngine neither sends nor hears what is sent while it is cut off.
type cutEngine struct {
	chat.Engine
	cut atomic.Bool
}

func (e *cutEngine) Send(room string, data []byte) error {
	if e.cut.Load() {
		return errors.New("cut off")
	}
	return e.Engine.Send(room, data)
}

func (e *cutEngine) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	return e.Engine.Subscribe(room, func(m chat.Msg) {
		if m.Seq != 0 || !e.cut.Load() {
			f(m)
		}
	})
}

func TestWatchAllIsToldOfEverybody(t *testing.T) {
	presenceWorld(t, func(t *testing.T, w *world, _ *fakePeople) {
		w.login("ann", "phone")
		im := &phone{world: w, name: "im"}
		d := must(w.hub.LogIn(t.Context(), chat.Login{Account: "im", Device: "im", WatchAll: true}, im))(t)
		bob := w.login("bob", "phone")
		bob.close()
		w.want("all are told", `
			im < ann is online
			im < bob is online
			im < bob is offline`)
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
		w.login("cat", "phone")
		w.want("nothing after Close", ``)
	})
}

func TestReadMarkersAreSharedAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, chat.Config{})
		ann, tab := w.login("ann", "phone"), w.login("ann", "tab")
		tab.attach("ac/ann")
		ann.enter("kitchen")
		for range 5 {
			ann.text("kitchen", "x")
		}
		w.happened()
		for _, seq := range []uint64{4, 2, 4} {
			if err := ann.Mark(t.Context(), "kitchen", seq); err != nil {
				t.Errorf("Mark: %v", err)
			}
		}
		w.want("the tablet learns", `ann.tab < ac/ann: ann marked kitchen 4`)
		if list := must(tab.Conversations(t.Context()))(t); list[0].Read != 4 || list[0].Head != 6 {
			t.Errorf("conversations are %+v", list)
		}
		wantCode(t, "Mark elsewhere", ann.Mark(t.Context(), "hall", 1), chat.CodeNotMember)
		time.Sleep(3 * time.Second) // Fake: then they are written.
		w.restart()
		ann = w.login("ann", "phone")
		if place := ann.attach("kitchen"); place.Read != 4 {
			t.Errorf("after a restart ann has read up to %d", place.Read)
		}
		if err := ann.Mark(t.Context(), "kitchen", 5); err != nil {
			t.Error(err)
		}
		ann.close() // Writes it at once.
		w.restart()
		if place := w.login("ann", "phone").attach("kitchen"); place.Read != 5 {
			t.Errorf("after Close ann has read up to %d", place.Read)
		}
	})
}

// TestBlocksAreForgottenWithTheLastDevice: devices come and go, and the count is as if they had not.
func TestBlocksAreForgottenWithTheLastDevice(t *testing.T) {
	people := newFakePeople()
	people.blocked["ann"] = []string{"bob"}
	w := newWorld(t, chat.Config{Accounts: people})
	cat := w.login("cat", "phone")
	cat.enter("kitchen")
	for range 3 {
		ann := w.login("ann", "phone")
		people.block(w, "ann", "bob", true) // Twice is once.
		people.block(w, "ann", "bob", false)
		people.block(w, "ann", "bob", true)
		ann.enter("kitchen")
		bob := w.login("bob", "phone")
		bob.enter("kitchen")
		bob.text("kitchen", "hi")
		for _, ev := range ann.logged() {
			if ev.Account == "bob" {
				t.Errorf("ann was told %q", tell(ev))
			}
		}
		ann.close()
		bob.close()
	}
	people.block(w, "ann", "bob", false)
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.attach("kitchen")
	bob.n = 10
	bob.text("kitchen", "at last")
	if evs := ann.logged(); len(evs) != 1 {
		t.Errorf("ann was told %q", tells(evs))
	}
}

// Announce returns when the change is in force, on an engine that delivers later, too.
func TestAnnounceWaitsUntilItIsInForce(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
		ann.enter("kitchen")
		bob.enter("kitchen")
		e.holdDelivery()
		announced := begin(func() error { return w.hub.Announce(t.Context(), "ann", chat.KindBlocked, "bob", "") })
		offline := begin(func() error { return w.hub.Announce(t.Context(), "nobody", chat.KindBlocked, "bob", "") })
		if err := offline(); err != nil {
			t.Errorf("Announce to an account that is not there: %v", err)
		}
		w.happened()
		e.deliver()
		if err := announced(); err != nil {
			t.Errorf("Announce: %v", err)
		}
		bob.text("kitchen", "hi")
		w.want("only bob hears", `bob.phone < kitchen: bob said hi`)
		e.holdDelivery()
		announced = begin(func() error { return w.hub.Announce(t.Context(), "ann", chat.KindUnblocked, "bob", "") })
		ann.close()
		if err := announced(); err != nil {
			t.Errorf("Announce while the last device goes: %v", err)
		}
		e.deliver()
	})
}
