package client

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
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

// Somebody whose server is gone looks for it often. One that is there and does not let us in is left alone, however it says so.
func TestServerThatTurnsUsAwayIsNotHammered(t *testing.T) {
	for name, c := range map[string]struct {
		turn        func(w *world)
		least, most int // Attempts within 20 s.
	}{
		"nobody there": {func(w *world) { w.refuses = errors.New("connection refused") }, retryQuickTries, retryQuickTries + 10},
		"full":         {func(w *world) { w.refuses = &reliable.RefusedError{Code: reliable.CodeFull} }, 4, 12},
		"closes":       {func(w *world) { w.refuses = io.EOF }, 4, 12},
		"lets us connect and closes": {func(w *world) {
			w.server.set(func() { w.server.foreign = "HTTP/1.1 503 Service Unavailable\r\n" })
		}, 4, 12},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 0, func(w *world) {
				client := w.dial(Config{})
				k := collect(client)
				time.Sleep(time.Minute)
				w.mu.Lock()
				c.turn(w)
				before := len(w.dialled)
				w.mu.Unlock()
				w.server.crash(w.net)
				w.server.up(w.net)
				if _, err := client.Send("lobby", "hello"); err != nil { // So that it hears that it was forgotten.
					w.Error(err)
				}
				time.Sleep(21 * time.Second)
				w.mu.Lock()
				if n := len(w.dialled) - before; n < c.least || n > c.most {
					w.Errorf("it was asked %d times, want %d to %d", n, c.least, c.most)
				}
				w.mu.Unlock()
				client.Close()
				k.task.Wait()
			})
		})
	}
}

// Somebody else has a copy of our State and says something else under our number: that is no answer to what we say.
func TestAnotherMessageOfOurNumberIsNoAnswer(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		w.server.set(func() {
			w.server.refuse = func(r native.Request) *native.Error {
				if _, say := r.(native.Say); say {
					return &native.Error{Code: native.CodeUnavailable}
				}
				return nil
			}
		})
		m, err := c.Send("lobby", "ours")
		if err != nil {
			w.Fatal(err)
		}
		w.server.happen(native.Event{Log: "lobby", Kind: native.KindSaid, Account: "ann", Device: m.device, Counter: m.counter, Text: "theirs"})
		time.Sleep(time.Second)
		if is := m.Status(); is.State == Stored || len(of[Said](k)) != 1 {
			w.Errorf("it is %+v, and %d messages were heard", is, len(of[Said](k)))
		}
		w.server.set(func() { w.server.refuse = nil })
		if err := m.Wait(w.Context()); err != nil || m.Status().Seq != 2 {
			w.Errorf("it is %+v, %v", m.Status(), err)
		}
		c.Close()
		k.task.Wait()
	})
}
