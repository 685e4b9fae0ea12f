package client

import (
	"errors"
	"slices"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

func TestRefusalsOfMessages(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		// m2 is refused for good; m3 is refused twice for now, while m4 and m5 are on their way.
		tries := map[string]int{}
		refuse := func(r native.Request) *native.Error {
			say, ok := r.(native.Say)
			if !ok {
				return nil
			}
			tries[say.Text]++
			switch {
			case say.Text == "m2":
				return &native.Error{Code: native.CodeNotMember}
			case say.Text == "m3" && tries["m3"] <= 2:
				return &native.Error{Code: native.CodeRateLimited, RetryAfter: native.For(time.Second)}
			}
			return nil
		}
		w.server.set(func() { w.server.refuse = refuse })
		var all []*Message
		for _, text := range numbered(1, 5) {
			m, err := c.Send("lobby", text)
			if err != nil {
				w.Fatal(err)
			}
			all = append(all, m)
		}
		if err := c.Flush(w.Context()); err != nil {
			w.Fatal(err)
		}
		var e native.Error
		if s := all[1].Status(); s.State != Failed || !errors.As(s.Err, &e) || e.Code != native.CodeNotMember {
			w.Errorf("the second: %+v", s)
		}
		got := w.server.texts("lobby")
		slices.Sort(got)
		if want := []string{"m1", "m3", "m4", "m5"}; !slices.Equal(got, want) {
			w.Errorf("stored %q, want %q", got, want)
		}
		// Its number was passed in the meantime, so it has a new one.
		w.server.mu.Lock()
		last := uint64(0)
		for _, ev := range w.server.log("lobby").events {
			if ev.Counter <= last {
				w.Errorf("number %d of the device came after %d", ev.Counter, last)
			}
			last = ev.Counter
		}
		w.server.mu.Unlock()
		c.Close()
		k.task.Wait()
	})
}
