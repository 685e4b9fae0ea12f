package chat_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// A wildClock is an engine on a machine whose clock is set an hour ahead for a while, and then an hour back.
type wildClock struct{ chat.Engine }

func wild(m chat.Msg) chat.Msg {
	switch {
	case m.Seq > 40:
		m.Time = m.Time.Add(-time.Hour)
	case m.Seq > 20:
		m.Time = m.Time.Add(time.Hour)
	}
	return m
}

func (e wildClock) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	m, err := e.Engine.Append(ctx, room, id, data)
	return wild(m), err
}

func (e wildClock) Read(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	msgs, err := e.Engine.Read(ctx, room, after, before, n)
	msgs = slices.Clone(msgs)
	for i := range msgs {
		msgs[i] = wild(msgs[i])
	}
	return msgs, err
}

func (e wildClock) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	return e.Engine.Subscribe(room, func(m chat.Msg) { f(wild(m)) })
}

// Order goes by numbers: when the clock is set, everybody is told everything, once and in order, who comes back misses
// nothing, and a search by time comes to an end.
func TestClockThatIsSetChangesNoOrder(t *testing.T) {
	w := newWorld(t, chat.Config{Engine: wildClock{memory.New(memory.Config{})}})
	ann, bob := w.login("ann", "phone"), w.login("bob", "phone")
	ann.enter("kitchen")
	bob.enter("kitchen")
	begin := time.Now()
	var want []string
	for i := range 60 {
		ann.text("kitchen", fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
		if i == 30 {
			bob.Detach("kitchen")
			bob.attach("kitchen")
		}
	}
	texts := func(evs []*chat.Event) (texts []string) {
		for _, ev := range evs {
			if ev.Kind == chat.KindSaid {
				texts = append(texts, ev.Text)
			}
		}
		return texts
	}
	bob.mu.Lock()
	wantLines(t, "told", texts(bob.events), want...)
	bob.mu.Unlock()
	w.restart()
	back := w.login("bob", "phone")
	back.attach("kitchen")
	wantLines(t, "read", texts(back.history("kitchen", chat.Page{N: 100})), want...)
	for _, d := range []time.Duration{-2 * time.Hour, -time.Hour, 0, time.Hour, 2 * time.Hour} {
		if got := texts(back.history("kitchen", chat.Page{At: begin.Add(d), N: 10})); len(got) == 0 {
			t.Errorf("nothing around %v", d)
		}
	}
}
