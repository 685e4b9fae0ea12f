package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

func numbered(from, to int) (texts []string) {
	for i := from; i <= to; i++ {
		texts = append(texts, fmt.Sprintf("m%d", i))
	}
	return texts
}

func TestJoinAndSayAcrossLoss(t *testing.T) {
	inWorld(t, 0.2, func(w *world) {
		w.server.set(func() { w.server.lag = time.Hour })
		w.server.happen(native.Event{Log: "lobby", Kind: native.KindSaid, Account: "bob", Text: "before"})
		c := w.dial(Config{})
		k := collect(c)
		p, err := c.Join(w.Context(), "lobby", 10)
		if err != nil || p.Log != "lobby" || p.Head != 1 {
			w.Fatalf("Join = %+v, %v", p, err)
		}
		m, err := c.Say(w.Context(), "lobby", "hello")
		if err != nil {
			w.Fatal(err)
		}
		s := m.Status()
		if s.State != Stored || s.Seq != 2 || s.After < 100*time.Millisecond || s.After > time.Second {
			w.Errorf("status %+v", s)
		}
		w.server.happen(native.Event{Log: "lobby", Kind: native.KindSaid, Account: "bob", Text: "after"})
		time.Sleep(2 * time.Second)
		if got, want := k.said(t, "lobby"), []string{"before", "hello", "after"}; !slices.Equal(got, want) {
			w.Errorf("heard %q, want %q", got, want)
		}
		said := of[Said](k)
		if !said[0].Past || said[0].Mine || said[1].Past || !said[1].Mine || !said[1].Here || said[1].ID() != m.ID() || said[2].Mine {
			w.Errorf("events %+v", said)
		}
		// The server's clock is an hour ahead; the link's delay is 50 ms.
		if d := said[2].Took; d < 45*time.Millisecond || d > 500*time.Millisecond {
			w.Errorf("the last one took %v", d)
		}
		if err := c.Close(); err != nil {
			w.Error(err)
		}
		k.task.Wait()
		if err := c.Err(); err != nil {
			w.Errorf("Err after Close: %v", err)
		}
		if _, err := c.Send("lobby", "x"); !errors.Is(err, ErrClosed) {
			w.Errorf("Send after Close: %v", err)
		}
	})
}

// A server whose clock is set an hour ahead, back, and an hour behind has nobody read that a message took an hour, and
// after the next few messages everybody reads how long it took.
func TestServerWhoseClockIsSetKeepsLatenciesTrue(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		time.Sleep(20 * time.Minute) // Now it is asked for seldom.
		for _, lag := range []time.Duration{2 * time.Hour, time.Hour, 0, time.Hour} {
			w.server.mu.Lock()
			w.server.lag = lag
			w.server.mu.Unlock()
			for i := range 20 {
				if _, err := c.Say(w.Context(), "lobby", fmt.Sprint(i)); err != nil {
					w.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			said := of[Said](k)
			for i, ev := range said[len(said)-20:] {
				if ev.Took > 500*time.Millisecond || i >= 15 && ev.Took < 45*time.Millisecond {
					w.Errorf("%v ahead: message %d took %v", lag, i, ev.Took)
				}
			}
		}
		if err := c.Close(); err != nil {
			w.Error(err)
		}
		k.task.Wait()
	})
}

func TestEverythingIsStoredOnceAndInOrderAcrossCrashes(t *testing.T) {
	inWorld(t, 0.1, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		const most = 150
		var all []*Message
		for i := 1; i <= most; i++ {
			m, err := c.Send("lobby", fmt.Sprintf("m%d", i))
			if err != nil {
				w.Fatal(err)
			}
			all = append(all, m)
			time.Sleep(100 * time.Millisecond) // So that a crash is noticed before the next one.
			if i%50 == 25 {
				w.server.crash(w.net)
				time.Sleep(time.Second)
				w.server.up(w.net)
			}
		}
		ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
		defer cancel()
		if err := c.Flush(ctx); err != nil {
			w.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		want := numbered(1, most)
		if got := w.server.texts("lobby"); !slices.Equal(got, want) {
			w.Errorf("stored %d: %q", len(got), got)
		}
		if got := k.said(t, "lobby"); !slices.Equal(got, want) {
			w.Errorf("heard %d: %q", len(got), got)
		}
		for i, m := range all {
			if s := m.Status(); s.State != Stored || s.Seq != uint64(i+1) {
				w.Fatalf("message %d: %+v", i+1, s)
			}
		}
		if n := len(of[Offline](k)); n != 3 {
			w.Errorf("lost the connection %d times, want 3", n)
		}
		c.Close()
		k.task.Wait()
	})
}

// However long it was dead, within the ten seconds in which that is looked at often: over UDP the server itself says that it
// does not know the connection any more, or a hello is on its way to it every half second.
func TestKilledServerIsFoundAsSoonAsItRunsAgain(t *testing.T) {
	for _, down := range []time.Duration{0, 100 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 9 * time.Second} {
		t.Run(down.String(), func(t *testing.T) {
			inWorld(t, 0, func(w *world) {
				c := w.dial(Config{})
				k := collect(c)
				time.Sleep(time.Second)
				w.server.crash(w.net)
				m, err := c.Send("lobby", "hello")
				if err != nil {
					w.Fatal(err)
				}
				time.Sleep(down)
				w.server.up(w.net)
				start := time.Now()
				if err := m.Wait(w.Context()); err != nil || m.Status().Seq != 1 {
					w.Errorf("%+v, %v", m.Status(), err)
				}
				// A probe or hello every 500 ms, then four round trips: the reset, the handshake, the log-in with the message.
				if d := time.Since(start); d > 900*time.Millisecond {
					w.Errorf("stored after %v", d)
				}
				if off := of[Offline](k); len(off) != 1 {
					w.Errorf("offline: %+v", off)
				}
				c.Close()
				k.task.Wait()
			})
		})
	}
}

// TestServerThatCannotSayThatItForgotIsFoundWithinSeconds: an older one, or one that has another name now.
func TestServerThatCannotSayThatItForgotIsFoundWithinSeconds(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.crash(w.net)
		w.server.node = "elsewhere"
		w.server.up(w.net)
		start := time.Now()
		m, err := c.Say(w.Context(), "lobby", "hello")
		if err != nil {
			w.Fatal(err)
		}
		if d := time.Since(start); d > suspectAfter+2*time.Second || m.Status().Seq != 1 {
			w.Errorf("stored as %d after %v", m.Status().Seq, d)
		}
		off := of[Offline](k)
		if len(off) != 1 || !errors.Is(off[0].Err, ErrSilent) || len(of[Silent](k)) != 1 {
			w.Errorf("offline: %+v", off)
		}
		if on := of[Online](k); len(on) != 2 || on[1].Away < suspectAfter {
			w.Errorf("online: %+v", on)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestALostAnswerIsNoSecondMessage(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.set(func() { w.server.mute = func(r native.Request) bool { _, say := r.(native.Say); return say } })
		m, err := c.Send("lobby", "hello") // Not a member: its event does not come either.
		if err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Second)
		if s := m.Status(); s.State != Sent {
			w.Errorf("without an answer: %+v", s)
		}
		w.server.set(func() { w.server.mute = nil })
		w.server.crash(w.net)
		w.server.up(w.net)
		if err := m.Wait(w.Context()); err != nil || m.Status().Seq != 1 {
			w.Errorf("%+v, %v", m.Status(), err)
		}
		if got := w.server.texts("lobby"); len(got) != 1 {
			w.Errorf("stored %q", got)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestOwnEventIsAnAnswerToo(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		w.server.set(func() { w.server.mute = func(r native.Request) bool { _, say := r.(native.Say); return say } })
		if m, err := c.Say(w.Context(), "lobby", "hello"); err != nil || m.Status().Seq != 1 {
			w.Errorf("%+v, %v", m.Status(), err)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestRestartedClientNeverUsesANumberTwice(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		state := &memoryState{}
		for i := range 3 {
			c := w.dial(Config{State: &killedState{state}})
			k := collect(c)
			if _, err := c.Say(w.Context(), "lobby", fmt.Sprintf("m%d", i+1)); err != nil {
				w.Fatal(err)
			}
			c.Close() // Its State does not hear of it: it was killed.
			k.task.Wait()
		}
		if got := w.server.texts("lobby"); !slices.Equal(got, numbered(1, 3)) {
			w.Errorf("stored %q", got)
		}
		w.server.set(func() {
			if w.server.devices != 1 {
				w.Errorf("%d devices, want one", w.server.devices)
			}
		})
	})
}

// A killedState is one of a client that is killed: numbers set aside are never given back.
type killedState struct{ *memoryState }

func (k *killedState) Save(s Saved) error {
	if s.Counter >= k.saved.Counter {
		k.saved = s
	}
	return nil
}

// What no server could make sense of is not sent: some of that in a row would end the session, and hold up what is meant.
func TestWhatMakesNoSenseIsNotSent(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		_, sayErr := c.Send("lobby", "caf\xe9")
		_, joinErr := c.Join(w.Context(), "caf\xe9", 0)
		_, emptyErr := c.Join(w.Context(), "", 0)
		for _, err := range []error{
			sayErr, joinErr, emptyErr, c.SetTopic(w.Context(), "lobby", "caf\xe9"), c.AddContact(w.Context(), strings.Repeat("x", 100)),
		} {
			if err == nil {
				w.Error("was not refused")
			}
		}
		if e, ok := errors.AsType[native.Error](joinErr); !ok || e.Code != native.CodeMalformed || !strings.Contains(e.Text, "UTF-8") {
			w.Errorf("Join: %v", joinErr)
		}
		if !strings.HasSuffix(emptyErr.Error(), "room: expected at least one byte") {
			w.Errorf("Join of a room without a name: %v", emptyErr)
		}
		time.Sleep(500 * time.Millisecond)
		w.server.set(func() {
			for _, req := range w.server.asked {
				switch req.(type) {
				case native.Say, native.Join, native.Topic, native.AddContact:
					w.Errorf("the server was asked %+v", req)
				}
			}
		})
		if err := c.Close(); err != nil {
			w.Error(err)
		}
		k.task.Wait()
	})
}

// A State that is put back to what it was a while ago, as with the rest of a disk, gives numbers that were used before.
// Whatever is said then is stored all the same, once and in order, and is not taken for what was said then.
func TestStateThatIsPutBackLosesNothing(t *testing.T) {
	inWorld(t, 0.1, func(w *world) {
		state := &memoryState{}
		var want []string
		talk := func(from, n int) {
			c := w.dial(Config{State: state})
			k := collect(c)
			if _, err := c.Join(w.Context(), "lobby", 100); err != nil {
				w.Fatal(err)
			}
			for i := range n {
				text := fmt.Sprint("m", from+i)
				if _, err := c.Send("lobby", text); err != nil {
					w.Fatal(err)
				}
				want = append(want, text)
				if i%7 == 0 {
					time.Sleep(time.Second)
				}
			}
			if err := c.Flush(w.Context()); err != nil {
				w.Fatal(err)
			}
			if err := c.Close(); err != nil {
				w.Error(err)
			}
			k.task.Wait()
			for _, o := range of[Outgoing](k) {
				if o.Status.State == Failed {
					w.Errorf("%s failed: %v", o.Message.Text, o.Status.Err)
				}
			}
		}
		talk(0, 1)
		copied := state.saved
		talk(100, 30)
		for i := range 3 {
			state.saved = copied
			talk(200+100*i, 50)
		}
		var got []string
		w.server.set(func() {
			for _, ev := range w.server.log("lobby").events {
				if ev.Kind == native.KindSaid {
					got = append(got, ev.Text)
				}
			}
		})
		if !slices.Equal(got, want) {
			w.Errorf("stored %q, want %q", got, want)
		}
	})
}

func TestAProgramThatDoesNotTakeEventsLosesNone(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		const most = eventsMax + 1000
		for i := 1; i <= most; i++ {
			w.server.happen(native.Event{Log: "lobby", Kind: native.KindSaid, Account: "bob", Text: fmt.Sprintf("m%d", i)})
			if i%50 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
		}
		time.Sleep(5 * time.Second)
		c.mu.Lock()
		held := len(c.m.queue.events)
		c.mu.Unlock()
		if held > eventsMax+10 {
			w.Errorf("%d events are held, want at most %d", held, eventsMax)
		}
		// Nothing is stuck meanwhile: what we say is stored.
		if _, err := c.Say(w.Context(), "other", "x"); err != nil {
			w.Error(err)
		}
		k := collect(c)
		time.Sleep(10 * time.Second)
		if got := k.said(t, "lobby"); !slices.Equal(got, numbered(1, most)) {
			w.Errorf("heard %d of %d", len(got), most)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestLogThatBeganAnewIsReloaded(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		for _, text := range numbered(1, 5) {
			w.server.happen(native.Event{Log: "lobby", Kind: native.KindSaid, Account: "bob", Text: text})
		}
		time.Sleep(time.Second)
		w.server.crash(w.net)
		w.server.set(func() { w.server.logs["lobby"] = &storedLog{epoch: "another"} })
		w.server.happen(native.Event{Log: "lobby", Kind: native.KindSaid, Account: "bob", Text: "new"})
		w.server.up(w.net)
		time.Sleep(time.Minute)
		if got, want := k.said(t, "lobby"), append(numbered(1, 5), "new"); !slices.Equal(got, want) {
			w.Errorf("heard %q, want %q", got, want)
		}
		if got := of[Reload](k); len(got) != 1 || got[0].Log != "lobby" {
			w.Errorf("reloads %+v", got)
		}
		c.Close()
		k.task.Wait()
	})
}

// TestServerThatWaitsForItsStoreIsNotLeft: a server may take seconds to store, and says so when it is asked.
func TestServerThatWaitsForItsStoreIsNotLeft(t *testing.T) {
	inWorld(t, 0.1, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.set(func() { w.server.mute = func(r native.Request) bool { _, say := r.(native.Say); return say } })
		m, err := c.Send("lobby", "hello")
		if err != nil {
			w.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		if s := m.Status(); s.State != Sent || s.Sends != 1 || len(of[Offline](k))+len(of[Silent](k)) > 0 {
			w.Errorf("%+v, lost %d times", s, len(of[Offline](k)))
		}
		c.Close()
		k.task.Wait()
	})
}

// TestOrderHoldsThoughTheServerFindsUsTooFast: the server takes so many messages a second, and refuses those behind a refused
// one until that has come again.
func TestOrderHoldsThoughTheServerFindsUsTooFast(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		var left float64 = 50
		last, behind := time.Now(), uint64(0)
		w.server.set(func() {
			w.server.refuse = func(r native.Request) *native.Error {
				say, ok := r.(native.Say)
				if !ok {
					return nil
				}
				left, last = min(50, left+100*time.Since(last).Seconds()), time.Now()
				switch {
				case left < 1:
					if behind == 0 || say.Counter < behind {
						behind = say.Counter
					}
					return &native.Error{Code: native.CodeRateLimited, RetryAfter: 10}
				case behind != 0 && say.Counter > behind:
					return &native.Error{Code: native.CodeUnavailable, RetryAfter: 2000}
				}
				left--
				behind = 0
				return nil
			}
		})
		const most = 1000
		for _, text := range numbered(1, most) {
			if _, err := c.Send("lobby", text); err != nil {
				w.Fatal(err)
			}
		}
		start := time.Now()
		if err := c.Flush(w.Context()); err != nil {
			w.Fatal(err)
		}
		if got := w.server.texts("lobby"); !slices.Equal(got, numbered(1, most)) {
			w.Errorf("stored %d, out of order: %v", len(got), got)
		}
		if d := time.Since(start); d > 30*time.Second {
			w.Errorf("%d messages at 100 a second took %v", most, d)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestRequestsAreMadeAgainUnlessTheyWouldDoSomethingTwice(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.set(func() { w.server.mute = func(native.Request) bool { return true } })
		results := make(chan error, 2)
		go func() { _, err := c.Blocked(w.Context()); results <- err }()
		go func() { results <- c.ChangePassword(w.Context(), "a", "b") }()
		time.Sleep(time.Second)
		w.server.set(func() { w.server.mute = nil })
		w.server.crash(w.net)
		w.server.up(w.net)
		// The scripted server answers Blocked with Done, which is not what was asked for.
		var lost, answered int
		for range 2 {
			if err := <-results; errors.Is(err, ErrLost) {
				lost++
			} else {
				answered++
			}
		}
		if lost != 1 || answered != 1 {
			w.Errorf("%d lost and %d answered, want one of each", lost, answered)
		}
		c.Close()
		k.task.Wait()
	})
}

// Lists of people are asked for until all are there. A server of before there were pages gives what it has.
func TestPeopleAreAllListed(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		w.server.everybody = []string{"bob", "cat", "dan", "eve", "fay"}
		c := w.dial(Config{})
		defer c.Close()
		who := func(ctx context.Context) ([]Person, error) { return c.Who(ctx, "kitchen") }
		for what, list := range map[string]func(context.Context) ([]Person, error){"contacts": c.Contacts, "who": who} {
			for _, one := range []bool{false, true} {
				w.server.set(func() { w.server.onePage = one })
				people, err := list(w.Context())
				if err != nil {
					w.Fatal(err)
				}
				var got []string
				for _, p := range people {
					got = append(got, p.Account)
				}
				want := w.server.everybody
				if one {
					want = want[:2]
				}
				if !slices.Equal(got, want) {
					w.Errorf("%s, one page %t: got %q, want %q", what, one, got, want)
				}
			}
		}
	})
}

func TestAnAnswerThatMakesNoSenseFailsItsRequestOnly(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.set(func() { w.server.garble = func(r native.Request) bool { _, ok := r.(native.Blocked); return ok } })
		if _, err := c.Blocked(w.Context()); err == nil {
			w.Error("Blocked succeeded")
		}
		if _, err := c.Say(w.Context(), "lobby", "hello"); err != nil || len(of[Offline](k)) > 0 {
			w.Errorf("Say: %v, lost the connection %d times", err, len(of[Offline](k)))
		}
		c.Close()
		k.task.Wait()
	})
}
