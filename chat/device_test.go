package chat_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/memory"
	"udpchat/chat/store/route"
)

func TestAccountsAndVisitorsAreInOneRoom(t *testing.T) {
	w := newWorld(t, chat.Config{})
	vic := w.connect("vic")
	kitchen := vic.join("kitchen")
	ann := w.login("ann", "phone")
	w.happened()
	place := ann.enter("kitchen")
	w.want("ann joins", `
		ann.phone < kitchen: attached after 1
		vic < kitchen: ann joined
		ann.phone < kitchen: ann joined`)
	if place.Room != "kitchen" || place.Ref != kitchen || place.Head != 1 || place.Epoch == "" {
		t.Errorf("ann's place is %+v", place)
	}
	said := ann.text("kitchen", "hello")
	vic.say(kitchen, "hi")
	w.want("both speak", `
		vic < kitchen: ann said hello
		ann.phone < kitchen: ann said hello
		vic < kitchen: vic said hi
		ann.phone < kitchen: vic said hi`)
	if evs := ann.logged(); said.Seq != 3 || evs[1].Seq != 3 || evs[1].Account != "ann" || evs[1].User != 0 || evs[1].Time != said.Time {
		t.Errorf("ann said %+v, which came back as %+v", said, evs[1])
	}
	if err := ann.Leave(t.Context(), "kitchen"); err != nil {
		t.Errorf("Leave: %v", err)
	}
	vic.say(kitchen, "gone?")
	w.want("ann leaves", `
		vic < kitchen: ann left (left)
		ann.phone < kitchen: ann left (left)
		vic < kitchen: vic said gone?`)
	_, err := ann.Say(t.Context(), "kitchen", 9, chat.Content{Text: "still here"})
	wantCode(t, "Say after Leave", err, chat.CodeNotMember)
	wantCode(t, "Leave after Leave", ann.Leave(t.Context(), "kitchen"), chat.CodeNotMember)
}

func (p *phone) told() []*chat.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*chat.Event(nil), p.events...)
}

func TestMembershipOutlivesTheConnectionAndTheServer(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.login("ann", "phone")
	ann.enter("kitchen")
	ann.text("kitchen", "one")
	ann.close()
	bob := w.login("bob", "phone")
	bob.enter("kitchen")
	bob.text("kitchen", "two")
	w.restart()
	ann = w.login("ann", "phone")
	wantLines(t, "ann's rooms", ann.Rooms(), "kitchen")
	w.happened()
	place := ann.attach("kitchen")
	ann.enter("kitchen") // Being a member, this is nothing new.
	w.want("ann is back without a word", `ann.phone < kitchen: attached after 4`)
	wantLines(t, "history", tells(ann.history("kitchen", chat.Page{Before: place.Head + 1})),
		"kitchen: ann joined", "kitchen: ann said one", "kitchen: bob joined", "kitchen: bob said two")
}

// TestHistoryAndLiveHaveNeitherGapNorRepeat attaches in the middle of what somebody says, on an engine that
// delivers later, and puts history and live together.
func TestHistoryAndLiveHaveNeitherGapNorRepeat(t *testing.T) {
	for _, late := range []bool{false, true} {
		var engine chat.Engine = memory.New(memory.Config{})
		if late {
			engine = newLateEngine(engine)
		}
		w := newWorld(t, chat.Config{Engine: engine})
		bob := w.login("bob", "phone")
		bob.enter("kitchen")
		bob.close()
		const n = 300
		ann := w.login("ann", "phone")
		ann.enter("kitchen")
		done := make(chan struct{})
		go func() { // Ends after n messages.
			defer close(done)
			for i := range n {
				ann.text("kitchen", fmt.Sprint(i))
			}
		}()
		for range 20 {
			bob = w.login("bob", "phone")
			place := bob.attach("kitchen")
			var all []*chat.Event
			for after := uint64(0); ; {
				evs := bob.history("kitchen", chat.Page{After: after, Before: place.Head + 1, Forward: true, N: 50})
				if len(evs) == 0 {
					break
				}
				all = append(all, evs...)
				after = evs[len(evs)-1].Seq
			}
			bob.close()
			for i, ev := range append(all, bob.logged()...) {
				if ev.Seq != uint64(i+1) {
					t.Fatalf("late %v: event %d has number %d; attached after %d", late, i+1, ev.Seq, place.Head)
				}
			}
		}
		<-done
	}
}

func TestSameCounterIsTheSameMessage(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.login("ann", "phone")
	ann.enter("kitchen")
	first := ann.text("kitchen", "once")
	w.happened()
	for range 3 {
		again, err := ann.Say(t.Context(), "kitchen", 1, chat.Content{Text: "once"})
		if err != nil || again != first {
			t.Errorf("said again is %+v, %v, want %+v", again, err, first)
		}
		_, err = ann.Say(t.Context(), "kitchen", 1, chat.Content{Text: "other text"})
		wantCode(t, "another text with the counter", err, chat.CodeReused)
	}
	w.want("nothing happens", "")
	w.restart() // Now only the engine knows.
	ann = w.login("ann", "phone")
	if again, err := ann.Say(t.Context(), "kitchen", 1, chat.Content{Text: "once"}); err != nil || again != first {
		t.Errorf("said again after a restart is %+v, %v, want %+v", again, err, first)
	}
	_, again := ann.Say(t.Context(), "kitchen", 1, chat.Content{Text: "other text"})
	wantCode(t, "another text with the counter after a restart", again, chat.CodeReused)
	w.happened()
	// The counters of other devices are their own.
	tab := w.login("ann", "tab")
	tab.attach("kitchen")
	if said := tab.text("kitchen", "mine"); said.Seq == first.Seq {
		t.Errorf("another device's message is at %d, too", said.Seq)
	}
	_, err := ann.Say(t.Context(), "kitchen", 0, chat.Content{Text: "no counter"})
	wantCode(t, "Say without a counter", err, chat.CodeBadContent)
}

func TestAllDevicesOfAnAccountHearAndLeaveTogether(t *testing.T) {
	w := newWorld(t, chat.Config{})
	phone, tab, bob := w.login("ann", "phone"), w.login("ann", "tab"), w.login("bob", "phone")
	own := chat.AccountLog("ann")
	tab.attach(own)
	phone.enter("kitchen")
	w.want("the tablet learns where the phone is", `
		ann.tab < ac/ann: attached after 0
		ann.phone < kitchen: attached after 0
		ann.phone < kitchen: ann joined
		ann.tab < ac/ann: entered kitchen`)
	tab.attach("kitchen")
	bob.enter("kitchen")
	w.happened()
	if err := tab.Leave(t.Context(), "kitchen"); err != nil {
		t.Errorf("Leave: %v", err)
	}
	bob.text("kitchen", "alone")
	w.want("both are out", `
		ann.phone < kitchen: ann left (left)
		ann.tab < kitchen: ann left (left)
		bob.phone < kitchen: ann left (left)
		ann.tab < ac/ann: exited kitchen
		bob.phone < kitchen: bob said alone`)
	if got := phone.Rooms(); len(got) != 0 {
		t.Errorf("the phone is still in %q", got)
	}
	_, err := phone.Attach(t.Context(), "kitchen")
	wantCode(t, "Attach after Leave", err, chat.CodeNotMember)
	phone.enter("kitchen")
	wantLines(t, "history of ann", tells(phone.history(own, chat.Page{})),
		"ac/ann: entered kitchen", "ac/ann: exited kitchen", "ac/ann: entered kitchen")
}

func TestDirectConversation(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	bob.attach(chat.AccountLog("bob"))
	ann.attach(chat.AccountLog("ann"))
	w.happened()
	place, err := ann.Direct(t.Context(), "bob")
	if err != nil || place.Room != "dm/ann/bob" || place.Ref != 0 {
		t.Fatalf("Direct: %+v, %v", place, err)
	}
	w.want("bob knows nothing", `ann.phone < dm/ann/bob: attached after 0`)
	ann.text(place.Room, "psst")
	w.want("bob is told that there is something", `
		bob.phone < ac/bob: conversation ann
		ann.phone < ac/ann: conversation bob
		ann.phone < dm/ann/bob: ann said psst`)
	bob.attach("dm/ann/bob")
	bob.text("dm/ann/bob", "what?")
	ann.text("dm/ann/bob", "nothing")
	w.want("both hear all", `
		bob.phone < dm/ann/bob: attached after 1
		ann.phone < dm/ann/bob: bob said what?
		bob.phone < dm/ann/bob: bob said what?
		ann.phone < dm/ann/bob: ann said nothing
		bob.phone < dm/ann/bob: ann said nothing`)
	wantLines(t, "what bob has missed", tells(bob.history("dm/ann/bob", chat.Page{Before: 2})), "dm/ann/bob: ann said psst")
	list, err := bob.Conversations(t.Context())
	if err != nil || len(list) != 1 || list[0].Log != "dm/ann/bob" || list[0].Peer != "ann" || list[0].Head != 3 {
		t.Errorf("bob's conversations are %+v, %v", list, err)
	}
	// Nobody else gets in, and nobody gets in under another name.
	eve := w.login("eve", "phone")
	for _, log := range []string{"dm/ann/bob", "dm/bob/ann", "ac/ann", "dm/eve/eve", "pr", "dm/eve"} {
		_, err := eve.Attach(t.Context(), log)
		wantCode(t, "Attach to "+log, err, chat.CodeNotMember)
		_, err = eve.History(t.Context(), log, chat.Page{})
		wantCode(t, "History of "+log, err, chat.CodeNotMember)
		_, err = eve.Say(t.Context(), log, 1, chat.Content{Text: "hi"})
		wantCode(t, "Say in "+log, err, chat.CodeNotMember)
	}
	for _, room := range []string{"dm/ann/bob", "ac/ann", "pr", "pr/native"} {
		_, err := eve.Join(t.Context(), room)
		wantCode(t, "Join "+room, err, chat.CodeBadName)
		_, err = w.connect("vic").Join(t.Context(), room)
		wantCode(t, "visitor's Join "+room, err, chat.CodeBadName)
	}
	_, err = ann.Direct(t.Context(), "ann")
	wantCode(t, "Direct with oneself", err, chat.CodeSelf)
	_, err = ann.Say(t.Context(), "ac/ann", 1, chat.Content{Text: "hi"})
	wantCode(t, "Say in one's own log", err, chat.CodeNotMember)
}

func TestSecondLoginOfOneDeviceReplacesTheFirst(t *testing.T) {
	w := newWorld(t, chat.Config{})
	old := w.login("ann", "phone")
	old.enter("kitchen")
	w.happened()
	fresh := w.login("ann", "phone")
	w.want("the old one is told", `ann.phone < : replaced ann.phone`)
	old.close()
	_, err := old.Say(t.Context(), "kitchen", 1, chat.Content{Text: "x"})
	wantCode(t, "Say of the old one", err, chat.CodeClosed)
	fresh.attach("kitchen")
	fresh.text("kitchen", "here")
	if s := w.hub.Stats(); s.Devices != 1 || s.Attached != 1 {
		t.Errorf("stats are %+v", s)
	}
}

func TestLogInRefuses(t *testing.T) {
	w := newWorld(t, chat.Config{})
	for _, who := range []chat.Login{
		{Account: "", Device: "d"}, {Account: "a/b", Device: "d"}, {Account: "ann", Device: ""}, {Account: "ann", Device: "=d"},
		{Account: "ann", Device: "a b"}, {Account: "ann", Device: "ä"}, {Account: "ann", Show: "\x1b", Device: "d"},
	} {
		_, err := w.hub.LogIn(t.Context(), who, nobody{})
		wantCode(t, fmt.Sprintf("%+v", who), err, chat.CodeBadName)
	}
	for i := range 32 {
		w.login("ann", fmt.Sprint(i))
	}
	_, err := w.hub.LogIn(t.Context(), chat.Login{Account: "ann", Device: "33"}, nobody{})
	wantCode(t, "device 33", err, chat.CodeTooMany)
	w.hub.Close()
	_, err = w.hub.LogIn(t.Context(), chat.Login{Account: "bob", Device: "1"}, nobody{})
	wantCode(t, "LogIn after Close", err, chat.CodeShuttingDown)
}

// The server dies at every possible point of Join and Leave; the next one completes what was begun.
func TestNodeThatDiesWhileEnteringOrLeavingIsCompleted(t *testing.T) {
	for steps := range 12 {
		inner := memory.New(memory.Config{})
		dying := &dyingEngine{Engine: inner, left: 1 << 30}
		w := newWorld(t, chat.Config{Engine: dying})
		ann := w.login("ann", "phone")
		dying.left = steps
		_, joinErr := ann.Join(t.Context(), "kitchen")
		leaveErr := ann.Leave(t.Context(), "kitchen")
		w.hub.Close()

		w = newWorld(t, chat.Config{Engine: inner})
		witness := w.connect("witness")
		witness.join("kitchen")
		ann = w.login("ann", "phone")
		ann.enter("kitchen")
		ann.text("kitchen", "here")
		if err := ann.Leave(t.Context(), "kitchen"); err != nil {
			t.Fatalf("%d steps: Leave: %v", steps, err)
		}
		if got := ann.Rooms(); len(got) != 0 {
			t.Errorf("%d steps: ann is in %q", steps, got)
		}
		bob := w.login("bob", "phone")
		bob.enter("kitchen")
		in := false
		for _, ev := range bob.history("kitchen", chat.Page{}) {
			if ev.Account == "ann" && ev.Kind != chat.KindSaid {
				if in == (ev.Kind == chat.KindJoined) {
					t.Errorf("%d steps (%v, %v): ann %v out of turn: %q", steps, joinErr, leaveErr, ev.Kind, tells(bob.history("kitchen", chat.Page{})))
				}
				in = !in
			}
		}
		if in {
			t.Errorf("%d steps: ann never left", steps)
		}
	}
}

// A dyingEngine changes nothing any more after a number of changes.
type dyingEngine struct {
	chat.Engine
	left int
}

func (e *dyingEngine) dead() bool { e.left--; return e.left < 0 }

func (e *dyingEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if e.dead() {
		return chat.Msg{}, errEngine
	}
	return e.Engine.Append(ctx, room, id, data)
}

func (e *dyingEngine) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	if e.dead() {
		return 0, errEngine
	}
	return e.Engine.Put(ctx, bucket, key, val, rev)
}

func (e *dyingEngine) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	if e.dead() {
		return errEngine
	}
	return e.Engine.Delete(ctx, bucket, key, rev)
}

func TestRoomsOfAccountsAreKept(t *testing.T) {
	kept := memory.New(memory.Config{})
	engine := route.New(route.Config{Kept: kept, Forgetting: memory.New(memory.Config{})})
	w := newWorld(t, chat.Config{Engine: engine})
	ann := w.login("ann", "phone")
	vic := w.connect("vic")
	vic.join("lab")
	if place := ann.enter("lab"); !place.Forgets { // Already, and stays so.
		t.Errorf("ann is not told that the room forgets: %+v", place)
	}
	if place := ann.enter("kitchen"); place.Forgets {
		t.Errorf("ann is told that the room forgets: %+v", place)
	}
	ann.text("kitchen", "kept")
	if vic.join("kitchen"); w.login("bob", "phone").enter("kitchen").Forgets {
		t.Error("bob is told that the room forgets")
	}
	if _, err := ann.Direct(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	ann.text("dm/ann/bob", "kept, too")
	heads, err := kept.Heads(t.Context(), []string{"lab", "kitchen", "dm/ann/bob", "ac/bob", "ac/ann"})
	if err != nil || fmt.Sprint(heads) != "[0 4 1 2 3]" {
		t.Errorf("kept logs end at %v, %v", heads, err)
	}
}

func TestResumeSaysWhenItCannot(t *testing.T) {
	engine := memory.New(memory.Config{RoomMessagesMax: 10})
	w := newWorld(t, chat.Config{Engine: engine})
	ann := w.login("ann", "phone")
	epoch := ann.enter("kitchen").Epoch
	for i := range 20 {
		ann.text("kitchen", fmt.Sprint(i))
	}
	for _, c := range []struct {
		epoch string
		after uint64
		want  bool
	}{
		{epoch, 21, false}, {epoch, 15, false}, {epoch, 12, false}, {epoch, 11, true}, {epoch, 3, true}, {epoch, 22, true},
		{"other", 21, true}, {"other", 0, false}, {epoch, 0, false},
	} {
		bob := w.login("ann", "tab")
		place, err := bob.Resume(t.Context(), "kitchen", c.epoch, c.after)
		if err != nil || place.Reload != c.want || place.Head != 21 {
			t.Errorf("Resume(%q, %d) is %+v, %v, want reload %v", c.epoch, c.after, place, err, c.want)
		}
	}
}

// A hardEngine refuses the first subscription to the log of an account, after a while.
type hardEngine struct {
	chat.Engine
	tries atomic.Int32
}

func (e *hardEngine) Subscribe(room string, f func(chat.Msg)) (func(), error) {
	if room == chat.AccountLog("ann") {
		time.Sleep(time.Second) // Fake.
		if e.tries.Add(1) == 1 {
			return nil, errEngine
		}
	}
	return e.Engine.Subscribe(room, f)
}

func TestLogInWaitsForTheEngineAndTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, chat.Config{Engine: &hardEngine{Engine: memory.New(memory.Config{})}})
		logIn := func(device string) func() error {
			return begin(func() error {
				_, err := w.hub.LogIn(t.Context(), chat.Login{Account: "ann", Device: device}, nobody{})
				return err
			})
		}
		first, second := logIn("phone"), logIn("tab")
		if err := first(); !errors.Is(err, errEngine) {
			t.Errorf("first LogIn: %v, want what the engine says", err)
		}
		if err := second(); err != nil {
			t.Errorf("second LogIn: %v", err)
		}
		if s := w.hub.Stats(); s.Accounts != 1 || s.Devices != 1 || s.Logs != 1 {
			t.Errorf("stats are %+v", s)
		}
	})
}

func TestDetachAndCloseEndTheFeed(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	w.happened()
	bob.Detach("kitchen")
	bob.Detach("kitchen")
	ann.text("kitchen", "one")
	w.want("bob does not listen", `ann.phone < kitchen: ann said one`)
	bob.attach("kitchen")
	ann.text("kitchen", "two")
	w.want("bob listens again", `
		bob.phone < kitchen: attached after 3
		ann.phone < kitchen: ann said two
		bob.phone < kitchen: ann said two`)
	bob.close()
	ann.text("kitchen", "three")
	ann.close()
	if s := w.hub.Stats(); s.Devices != 0 || s.Attached != 0 || s.Logs != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

// A device leaves and another one enters anew, on an engine that delivers all of that later.
func TestLeaveBeforeAJoinDoesNotEndIt(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, tab := w.login("ann", "phone"), w.login("ann", "tab")
		ann.enter("kitchen")
		e.holdDelivery()
		if err := tab.Leave(t.Context(), "kitchen"); err != nil {
			t.Errorf("Leave: %v", err)
		}
		ann.enter("kitchen")
		w.happened()
		e.deliver()
		ann.text("kitchen", "here again")
		w.want("all comes", `
			ann.phone < kitchen: ann left (left)
			ann.phone < kitchen: ann joined
			ann.phone < kitchen: ann said here again`)
		if got := ann.Rooms(); len(got) != 1 {
			t.Errorf("ann is in %q", got)
		}
	})
}

// A listEngine calls after between reading the enrolments and saying what it has read.
type listEngine struct {
	chat.Engine
	after func()
}

func (e *listEngine) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	list, err := e.Engine.List(ctx, bucket, prefix)
	if after := e.after; bucket == "enrolments" && after != nil {
		e.after = nil
		after()
	}
	return list, err
}

func TestWhatHappensDuringLogInIsNotMissed(t *testing.T) {
	w := newWorld(t, chat.Config{})
	tab := w.login("ann", "tab")
	tab.enter("kitchen")
	cfg := w.cfg
	cfg.Engine, cfg.Rand = &listEngine{w.engine, func() {
		if err := tab.Leave(t.Context(), "kitchen"); err != nil {
			t.Errorf("Leave: %v", err)
		}
		tab.enter("hall")
	}}, nil
	hub := must(chat.New(cfg))(t)
	defer hub.Close()
	d := must(hub.LogIn(t.Context(), chat.Login{Account: "ann", Device: "phone"}, nobody{}))(t)
	wantLines(t, "rooms", d.Rooms(), "hall")
}
