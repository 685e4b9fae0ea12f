package client

import (
	"slices"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

func TestDrainIsObeyed(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.push(native.Drain{After: native.For(5 * time.Second), Text: "upgrade"})
		time.Sleep(100 * time.Millisecond)
		drained := time.Now()
		m, err := c.Say(w.Context(), "lobby", "while it is away")
		if err != nil {
			w.Fatal(err)
		}
		if d := time.Since(drained); d < 4900*time.Millisecond || d > 12*time.Second {
			w.Errorf("came back after %v, want 5 to 10 s", d)
		}
		if m.Status().Sends != 1 {
			w.Errorf("sent %d times", m.Status().Sends)
		}
		if got := of[Draining](k); len(got) != 1 || got[0].Text != "upgrade" {
			w.Errorf("draining: %+v", got)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestDrainToAnAddressWhereNobodyIsLeadsBack(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.push(native.Drain{After: native.For(time.Second), Address: "10.0.0.9:4000"})
		time.Sleep(100 * time.Millisecond)
		if _, err := c.Say(w.Context(), "lobby", "hello"); err != nil {
			w.Fatal(err)
		}
		want := []string{serverAddr.String(), "10.0.0.9:4000", serverAddr.String()}
		if w.mu.Lock(); !slices.Equal(w.dialled, want) {
			w.Errorf("dialled %v, want %v", w.dialled, want)
		}
		w.mu.Unlock()
		c.Close()
		k.task.Wait()
	})
}
