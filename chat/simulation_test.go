package chat_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// TestNothingIsLostOrDoubledWhileNodesDie lets people on several nodes talk in rooms and with each other, while nodes
// are killed and started, the engine fails now and then, and connections break. In the end everybody must have exactly
// what is in the logs, and what was acknowledged must be there.
func TestNothingIsLostOrDoubledWhileNodesDie(t *testing.T) {
	for range 4 {
		seed := rand.Uint64()
		if faults := simulate(t, seed, planted{}); len(faults) > 0 {
			t.Errorf("seed %d: %d faults, the first: %s", seed, len(faults), faults[0])
		}
	}
}

// TestSimulationFindsPlantedMistakes is the test of the one above.
func TestSimulationFindsPlantedMistakes(t *testing.T) {
	for name, plant := range map[string]planted{
		"loses": {loses: true}, "doubles": {doubles: true}, "forgets": {forgets: true}, "disorder": {disorder: true},
	} {
		found := false
		for range 20 { // One in eight does not notice what is forgotten: nobody comes to miss it.
			seed := rand.Uint64()
			faults := simulate(t, seed, plant)
			if found = len(faults) > 0; found {
				t.Logf("%s: seed %d: %d faults, the first: %s", name, seed, len(faults), faults[0])
				break
			}
		}
		if !found {
			t.Errorf("%s: not found", name)
		}
	}
}

// simulate runs one simulation and returns what the checker found.
func simulate(t *testing.T, seed uint64, plant planted) (faults []string) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{
			t: t, engine: memory.New(memory.Config{RoomMessagesMax: 1 << 20, RoomBytesMax: 1 << 30}), plant: plant,
			rnd: testRand(seed), nodes: make([]*clusterNode, 3),
		}
		for i := range c.nodes {
			c.start(t.Context(), i)
		}
		const messages = 25
		var talkers []*talker
		for i := range 6 {
			account := string(rune('a' + i/2)) // Two devices each.
			talkers = append(talkers, newTalker(c, account, fmt.Sprint(account, i)))
		}
		var talking, dying sync.WaitGroup
		over := make(chan struct{})
		dying.Go(func() { // Kills nodes until all is said.
			for {
				select {
				case <-over:
					return
				case <-time.After(time.Duration(50+c.intN(400)) * time.Millisecond):
				}
				i := c.intN(len(c.nodes))
				c.kill(i)
				c.wait(200)
				c.start(t.Context(), i)
			}
		})
		for _, tk := range talkers {
			talking.Go(func() { tk.talk(t.Context(), messages) })
		}
		for i := range 2 {
			talking.Go(func() { wander(t.Context(), c, fmt.Sprint("z", i)) })
		}
		talking.Wait()
		close(over)
		dying.Wait()
		if left := leaveForGood(t.Context(), c); !left {
			faults = append(faults, "z cannot leave")
		}
		for _, tk := range talkers {
			tk.catchUp(t.Context())
		}
		faults = append(faults, check(t.Context(), c.engine, talkers)...)
		faults = append(faults, checkVisitors(t.Context(), c)...)
		for i := range c.nodes {
			c.kill(i)
		}
		c.engine.Close()
	})
	return faults
}

// check compares what everybody has with what is in the logs.
func check(ctx context.Context, engine chat.Engine, talkers []*talker) (faults []string) {
	logs := map[string][]chat.Msg{}
	for _, tk := range talkers {
		faults = append(faults, tk.faults...)
		for log, copied := range tk.copies {
			if logs[log] == nil {
				msgs, err := engine.Read(ctx, log, 0, 0, 1<<20)
				if err != nil {
					faults = append(faults, err.Error())
				}
				logs[log] = msgs
			}
			if got, want := entries(copied.events), stored(logs[log]); !slices.Equal(got, want) {
				faults = append(faults, fmt.Sprintf("%s has of %s\n%q, which is\n%q", tk.device, log, got, want))
			}
			if in := turns(copied.events); in["z"] {
				faults = append(faults, "z is still in "+log)
			} else if in["out of turn"] {
				faults = append(faults, fmt.Sprintf("somebody came or went out of turn in %s: %q", log, tells(copied.events)))
			}
			said := map[string]bool{}
			last := uint64(0)
			for _, ev := range copied.events {
				if ev.Kind != chat.KindSaid {
					continue
				}
				if said[ev.Text] {
					faults = append(faults, fmt.Sprintf("%s has %q of %s twice", tk.device, ev.Text, log))
				}
				said[ev.Text] = true
				if dev, counter := ev.From(); dev == tk.device {
					if counter <= last {
						faults = append(faults, fmt.Sprintf("%s: message %d comes after %d in %s", tk.device, counter, last, log))
					}
					last = counter
				}
			}
		}
		for at, seq := range tk.acked {
			want := fmt.Sprint(seq, " ", tk.device, "-", at.counter)
			if !slices.Contains(stored(logs[at.log]), want) {
				faults = append(faults, fmt.Sprintf("%s was told that %q is in %s", tk.device, want, at.log))
			}
		}
	}
	return faults
}

// checkVisitors wants of every visitor that what it was told is one piece of the log, which begins when it joined.
func checkVisitors(ctx context.Context, c *cluster) (faults []string) {
	msgs, err := c.engine.Read(ctx, "kitchen", 0, 0, 1<<20)
	if err != nil {
		return []string{err.Error()}
	}
	want := stored(msgs)
	for i, v := range c.visitors {
		v.mu.Lock()
		got := entries(v.events)
		v.mu.Unlock()
		if len(got) == 0 {
			continue // Its node died first.
		}
		from := slices.Index(want, got[0])
		if from < 0 || len(got) > len(want)-from || !slices.Equal(got, want[from:from+len(got)]) {
			faults = append(faults, fmt.Sprintf("visitor %d was told of %q, in %q", i, got, want))
		}
	}
	return faults
}

// turns returns who is in a room after all that happened in it, and "out of turn" if somebody came while in it
// or left while not.
func turns(evs []*chat.Event) map[string]bool {
	in := map[string]bool{}
	for _, ev := range evs {
		if ev.Account != "" && (ev.Kind == chat.KindJoined || ev.Kind == chat.KindLeft) {
			comes := ev.Kind == chat.KindJoined
			in["out of turn"] = in["out of turn"] || in[ev.Account] == comes
			in[ev.Account] = comes
		}
	}
	return in
}

// wander joins and leaves a room, with one device of two of the same account, and does not mind what comes of it.
func wander(ctx context.Context, c *cluster, device string) {
	for range 25 {
		d, err := c.some().hub.LogIn(ctx, chat.Login{Account: "z", Device: device}, nobody{})
		if err != nil {
			c.wait(50)
			continue
		}
		if c.intN(2) == 0 {
			_, _ = d.Join(ctx, "kitchen")
		} else {
			_ = d.Leave(ctx, "kitchen")
		}
		c.wait(20)
		_ = d.Close(ctx)
	}
}

// leaveForGood reports whether the wanderer could leave in the end.
func leaveForGood(ctx context.Context, c *cluster) bool {
	for range 100 {
		d, err := c.some().hub.LogIn(ctx, chat.Login{Account: "z", Device: "z0"}, nobody{})
		if err != nil {
			continue
		}
		err = d.Leave(ctx, "kitchen")
		_ = d.Close(ctx)
		if e, ok := errors.AsType[*chat.Error](err); err == nil || ok && e.Code == chat.CodeNotMember {
			return true
		}
		c.wait(50)
	}
	return false
}

func entries(evs []*chat.Event) (list []string) {
	for _, ev := range evs {
		list = append(list, fmt.Sprint(ev.Seq, " ", ev.ID))
	}
	return list
}

func stored(msgs []chat.Msg) (list []string) {
	for _, m := range msgs {
		list = append(list, fmt.Sprint(m.Seq, " ", m.ID))
	}
	return list
}
