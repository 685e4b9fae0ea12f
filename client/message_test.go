package client

import (
	"errors"
	"testing"
	"time"
)

// A message comes to its end once, whether the server's answer or its own event comes first.
func TestTheEndOfAMessageIsToldOnce(t *testing.T) {
	inWorld(t, 0.2, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		for i, text := range numbered(1, 20) {
			w.server.set(func() { w.server.eager = i%2 == 0 })
			if _, err := c.Say(w.Context(), "lobby", text); err != nil {
				w.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		ends := make(map[*Message]int)
		for _, ev := range of[Outgoing](k) {
			if ev.Status.State == Stored {
				ends[ev.Message]++
			}
		}
		for m, n := range ends {
			if n != 1 {
				w.Errorf("%s: %d times", m.Text, n)
			}
		}
		if len(ends) != 20 {
			w.Errorf("%d messages came to an end, want 20", len(ends))
		}
		c.Close()
		k.task.Wait()
	})
}

// Whoever gives up a server that says nothing any more does not wait for it once more.
func TestCloseDoesNotWaitForAServerThatIsSilent(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		w.net.Path(serverAddr, clientAddr).Cut(true)
		m, err := c.Send("lobby", "hello")
		if err != nil {
			w.Fatal(err)
		}
		time.Sleep(suspectAfter + time.Second)
		if n := c.Link().Unstored; n != 1 {
			w.Errorf("%d messages are not stored, want 1", n)
		}
		start := time.Now()
		c.Close()
		if d := time.Since(start); d > time.Second {
			w.Errorf("Close took %v", d)
		}
		if s := m.Status(); s.State != Failed || !errors.Is(s.Err, ErrUnknown) {
			w.Errorf("the message: %+v", s)
		}
		k.task.Wait()
	})
}
