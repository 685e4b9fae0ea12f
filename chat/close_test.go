package chat_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"udpchat/chat"
)

func TestCloseLeavesRoomsInTheOrderOfTheirNumbers(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.connect("ann"), w.connect("bob")
	for _, room := range []string{"a", "b", "c", "d"} {
		bob.join(room)
	}
	for _, room := range []string{"d", "b", "c"} {
		ann.join(room)
	}
	w.happened()
	if err := ann.close(t.Context(), chat.ReasonDisconnected); err != nil {
		t.Errorf("Close: %v", err)
	}
	w.want("ann says goodbye", `
		ann < b: ann left (disconnected)
		bob < b: ann left (disconnected)
		ann < c: ann left (disconnected)
		bob < c: ann left (disconnected)
		ann < d: ann left (disconnected)
		bob < d: ann left (disconnected)`)
	w.wantMembers(4)
	if got := ann.Rooms(); len(got) != 0 {
		t.Errorf("ann is still in %d", got)
	}
}

func TestClosedUserRefuses(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.connect("ann")
	kitchen := ann.join("kitchen")
	ctx := t.Context()
	for range 2 {
		if err := ann.close(ctx, chat.ReasonLost); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	w.happened()
	_, err := ann.Join(ctx, "kitchen")
	wantCode(t, "Join", err, chat.CodeClosed)
	wantCode(t, "Say", ann.Say(ctx, kitchen, "", "hi"), chat.CodeClosed)
	wantCode(t, "Leave", ann.Leave(ctx, kitchen), chat.CodeNotMember)
	w.want("nothing happens", "")
}

// A panicking is a client whose Receiver panics when it is told that it has left.
type panicking struct{}

func (panicking) Receive(ev *chat.Event) {
	if ev.Kind == chat.KindLeft {
		panic("test: no way out")
	}
}

// Whoever panics in Close may be recovered from by the caller. Then the server lives on, and nobody is in a room who has
// no connection any more.
func TestPanicWhileLeavingLeavesNobodyBehind(t *testing.T) {
	w := newWorld(t, chat.Config{})
	bad, err := w.hub.Connect("bad", panicking{}, chat.SmallIDs)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"a", "b"} {
		if _, err := bad.Join(t.Context(), room); err != nil {
			t.Fatal(err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Close did not panic")
			}
		}()
		_ = bad.Close(t.Context(), chat.ReasonLost) // Panics.
	}()
	w.wantMembers(0)
	if _, ok := w.hub.User(bad.ID()); ok {
		t.Error("its JoinID is still taken")
	}
	ann := w.connect("ann")
	a := ann.join("a")
	ann.say(a, "anybody?")
	if err := bad.Close(t.Context(), chat.ReasonLost); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestCloseForNoReasonIsABug(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.connect("ann")
	defer func() {
		if got := recover(); got != "BUG: chat: Close with none" {
			t.Errorf("Close panicked with %v", got)
		}
	}()
	ann.Close(t.Context(), 0)
}

func TestCloseWaitsForAJoinUnderWay(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.join("kitchen")
		w.happened()
		release := e.holdAppends()
		joined := begin(func() error { _, err := ann.Join(t.Context(), "kitchen"); return err })
		closed := begin(func() error { return ann.close(t.Context(), chat.ReasonLost) })
		again := begin(func() error { return ann.Close(t.Context(), chat.ReasonLost) })
		_, err := ann.Join(t.Context(), "hall")
		wantCode(t, "Join of another room during Close", err, chat.CodeClosed)
		w.want("nothing happens before the engine lets it", "")
		release()
		if err := errors.Join(joined(), closed(), again()); err != nil {
			t.Errorf("Join, Close and another Close: %v", err)
		}
		w.want("all happens", `
			ann < kitchen: ann joined
			bob < kitchen: ann joined
			ann < kitchen: ann left (lost)
			bob < kitchen: ann left (lost)`)
		w.wantMembers(1)
	})
}

// TestCloseThatCannotWaitForAJoin: the join lands after Close has given up. Nobody must be left
// behind, and the room must hear of both.
func TestCloseThatCannotWaitForAJoin(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.join("kitchen")
		w.happened()
		release := e.holdAppends()
		joined := begin(func() error { _, err := ann.Join(t.Context(), "kitchen"); return err })
		err := ann.close(within(t, time.Second), chat.ReasonLost)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want that its time is over", err)
		}
		if _, ok := w.hub.User(ann.ID()); ok {
			t.Error("the user is still there after Close")
		}
		release()
		wantCode(t, "Join", joined(), chat.CodeClosed)
		w.want("the others hear of both, ann of nothing", `
			bob < kitchen: ann joined
			bob < kitchen: ann left (lost)`)
		w.wantMembers(1)
	})
}

// TestCloseThatCannotLeave: the engine does not take KindLeft.
func TestCloseThatCannotLeave(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		kitchen := ann.join("kitchen")
		bob.join("kitchen")
		w.happened()
		e.failOn(chat.KindLeft, false)
		if err := ann.close(t.Context(), chat.ReasonLost); !errors.Is(err, errEngine) {
			t.Errorf("Close: %v, want what the engine says", err)
		}
		e.failNever()
		w.wantMembers(1)
		bob.say(kitchen, "where is ann?")
		w.want("bob is alone", `bob < kitchen: bob said where is ann?`)
	})
}

// TestCloseBeforeOwnJoinIsDelivered: an engine may answer Append before it delivers.
func TestCloseBeforeOwnJoinIsDelivered(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.join("kitchen")
		w.happened()
		e.holdDelivery()
		if _, err := ann.Join(within(t, time.Second), "kitchen"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Join: %v, want that its time is over", err)
		}
		closed := begin(func() error { return ann.close(t.Context(), chat.ReasonLost) })
		e.deliver()
		if err := closed(); err != nil {
			t.Errorf("Close: %v", err)
		}
		w.want("both are delivered", `
			ann < kitchen: ann joined
			bob < kitchen: ann joined
			ann < kitchen: ann left (lost)
			bob < kitchen: ann left (lost)`)
		w.wantMembers(1)
	})
}

// TestCloseThatDoesNotSeeItsOwnEvents: KindJoined and KindLeft are in the log, but come back only
// after Close had to return.
func TestCloseThatDoesNotSeeItsOwnEvents(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.join("kitchen")
		w.happened()
		e.holdDelivery()
		if _, err := ann.Join(within(t, time.Second), "kitchen"); err == nil {
			t.Error("Join returned before its event was delivered")
		}
		if err := ann.close(within(t, time.Second), chat.ReasonLost); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want that its time is over", err)
		}
		e.deliver()
		w.want("bob hears of both", `
			bob < kitchen: ann joined
			bob < kitchen: ann left (lost)`)
		w.wantMembers(1)
	})
}

// TestJoinThatLandsDuringClose: Join got an error long ago, the record comes back now.
func TestJoinThatLandsDuringClose(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.join("kitchen")
		ann.join("hall")
		w.happened()
		e.holdDelivery()
		e.failOn(chat.KindJoined, true)
		if _, err := ann.Join(t.Context(), "kitchen"); !errors.Is(err, errEngine) {
			t.Errorf("Join: %v", err)
		}
		closed := begin(func() error { return ann.close(t.Context(), chat.ReasonLost) })
		e.deliver()
		if err := closed(); err != nil {
			t.Errorf("Close: %v", err)
		}
		w.want("ann is in and out", `
			ann < kitchen: ann joined
			bob < kitchen: ann joined
			ann < hall: ann left (lost)
			ann < kitchen: ann left (lost)
			bob < kitchen: ann left (lost)`)
		w.wantMembers(1)
	})
}

// TestJoinThatLandsAfterItsEviction: Close has given up one room and is busy with another when the
// join of the first one lands.
func TestJoinThatLandsAfterItsEviction(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		e.stubborn = true
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.join("kitchen")
		ann.join("hall")
		w.happened()
		releaseJoin := e.holdAppends()
		joined := begin(func() error { _, err := ann.Join(t.Context(), "kitchen"); return err })
		releaseLeave := e.holdAppends()
		closed := begin(func() error { return ann.close(within(t, time.Second), chat.ReasonLost) })
		time.Sleep(2 * time.Second) // Fake: Close evicts ann from the kitchen meanwhile.
		e.openForOthers()
		releaseJoin()
		wantCode(t, "Join", joined(), chat.CodeClosed)
		releaseLeave()
		if err := closed(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want that its time is over", err)
		}
		w.want("the kitchen hears of both once, ann of nothing", `
			bob < kitchen: ann joined
			bob < kitchen: ann left (lost)
			ann < hall: ann left (lost)`)
		w.wantMembers(1)
	})
}
