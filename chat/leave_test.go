package chat_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"udpchat/chat"
)

func TestFailedJoinGivesItsPlaceBack(t *testing.T) {
	e := newFakeEngine(t)
	w := newWorld(t, chat.Config{Engine: e, RoomsPerUserMax: 1})
	ann := w.connect("ann")
	e.failOn(chat.KindJoined, false)
	if _, err := ann.Join(t.Context(), "kitchen"); !errors.Is(err, errEngine) {
		t.Errorf("Join: %v", err)
	}
	e.failNever()
	ann.join("hall")
}

func TestJoinThatTheEngineDoesNotTake(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann := w.connect("ann")
		e.failOn(chat.KindJoined, false)
		_, err := ann.Join(t.Context(), "kitchen")
		if !errors.Is(err, errEngine) || err.Error() != "chat: join: "+errEngine.Error() {
			t.Errorf("Join: %v", err)
		}
		wantCode(t, "Say", ann.Say(t.Context(), 1, "", "hi"), chat.CodeNotMember)
		e.failNever()
		ann.join("kitchen")
		w.want("the second attempt", `ann < kitchen: ann joined`)
	})
}

// TestJoinThatTheEngineTakesWithAnError: the event decides, not the error.
func TestJoinThatTheEngineTakesWithAnError(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann, bob := w.connect("ann"), w.connect("bob")
		kitchen := bob.join("kitchen")
		w.happened()
		e.failOn(chat.KindJoined, true)
		if _, err := ann.Join(t.Context(), "kitchen"); !errors.Is(err, errEngine) {
			t.Errorf("Join: %v", err)
		}
		// The same once more, the record coming back when Join has long returned.
		ann.leave(kitchen)
		e.holdDelivery()
		if _, err := ann.Join(t.Context(), "kitchen"); !errors.Is(err, errEngine) {
			t.Errorf("Join: %v", err)
		}
		e.deliver()
		if got := ann.Rooms(); !slices.Equal(got, []chat.RoomRef{kitchen}) {
			t.Errorf("ann is in %d, want %d", got, kitchen)
		}
		ann.say(kitchen, "I am in")
		if err := ann.close(t.Context(), chat.ReasonLost); err != nil {
			t.Errorf("Close: %v", err)
		}
		w.want("ann is in twice", `
			ann < kitchen: ann joined
			bob < kitchen: ann joined
			ann < kitchen: ann left (left)
			bob < kitchen: ann left (left)
			ann < kitchen: ann joined
			bob < kitchen: ann joined
			ann < kitchen: ann said I am in
			bob < kitchen: ann said I am in
			ann < kitchen: ann left (lost)
			bob < kitchen: ann left (lost)`)
		w.wantMembers(1)
	})
}

func TestLeaveThatTheEngineDoesNotTake(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann := w.connect("ann")
		kitchen := ann.join("kitchen")
		e.failOn(chat.KindLeft, false)
		if err := ann.Leave(t.Context(), kitchen); !errors.Is(err, errEngine) {
			t.Errorf("Leave: %v", err)
		}
		ann.say(kitchen, "still here")
		e.failNever()
		ann.leave(kitchen)
		w.want("ann stays until she may leave", `
			ann < kitchen: ann joined
			ann < kitchen: ann said still here
			ann < kitchen: ann left (left)`)
		w.wantMembers(0)
	})
}

func TestLeaveThatTheEngineTakesWithAnError(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann := w.connect("ann")
		kitchen := ann.join("kitchen")
		e.failOn(chat.KindLeft, true)
		if err := ann.Leave(t.Context(), kitchen); !errors.Is(err, errEngine) {
			t.Errorf("Leave: %v", err)
		}
		wantCode(t, "Say", ann.Say(t.Context(), kitchen, "", "hi"), chat.CodeNotMember)
		w.wantMembers(0)
	})
}

// TestLeaveComesAfterWhatWasSaid: nobody speaks after having left.
func TestLeaveComesAfterWhatWasSaid(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann := w.connect("ann")
		kitchen := ann.join("kitchen")
		release := e.holdAppends()
		said := begin(func() error { return ann.Say(t.Context(), kitchen, "", "one more thing") })
		e.openForOthers()
		left := begin(func() error { return ann.Leave(t.Context(), kitchen) })
		wantCode(t, "Say while leaving", ann.Say(t.Context(), kitchen, "", "hi"), chat.CodeNotMember)
		wantCode(t, "Leave while leaving", ann.Leave(t.Context(), kitchen), chat.CodeNotMember)
		rejoined := begin(func() error { _, err := ann.Join(t.Context(), "kitchen"); return err })
		release()
		if err := errors.Join(said(), left(), rejoined()); err != nil {
			t.Errorf("Say, Leave and Join: %v", err)
		}
		w.want("one after the other", `
			ann < kitchen: ann joined
			ann < kitchen: ann said one more thing
			ann < kitchen: ann left (left)
			ann < kitchen: ann joined`)
	})
}

// TestLeaveThatGivesUpWaiting: the user stays.
func TestLeaveThatGivesUpWaiting(t *testing.T) {
	slowWorld(t, func(t *testing.T, w *world, e *fakeEngine) {
		ann := w.connect("ann")
		kitchen := ann.join("kitchen")
		release := e.holdAppends()
		said := begin(func() error { return ann.Say(t.Context(), kitchen, "", "slow") })
		if err := ann.Leave(within(t, time.Second), kitchen); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Leave: %v, want that its time is over", err)
		}
		release()
		if err := said(); err != nil {
			t.Errorf("Say: %v", err)
		}
		ann.say(kitchen, "still here")
		ann.leave(kitchen)
		w.wantMembers(0)
	})
}
