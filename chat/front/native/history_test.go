package native

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	wire "udpchat/chat/wire/native"
)

// Somebody comes back while others talk: what was missed and what comes live is everything, once, in order.
func TestResumeHasNeitherGapNorRepeat(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		place := ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		last := bob.event(wire.KindJoined).Seq
		bob.hangUp()
		w.end(bob)
		const missed, live = 120, 60
		for i := range missed {
			ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: uint64(i + 1), Text: fmt.Sprint(i)})
		}
		bob = w.again(bob, "bob again")
		id := bob.send(wire.Attach{Log: "kitchen", Epoch: place.Epoch, After: last, N: 50})
		for i := range live {
			ann.send(wire.Say{Log: "kitchen", Counter: uint64(missed + i + 1), Text: fmt.Sprint(missed + i)})
		}
		back := bob.answer(id).(wire.Place)
		events := back.Events
		if len(events) != 50 || !back.More || back.Reload || back.Epoch != place.Epoch {
			t.Fatalf("got %d events, %+v", len(events), back)
		}
		for more := true; more; {
			page := ask[wire.Page](bob, wire.History{
				Log: "kitchen", N: 50, After: events[len(events)-1].Seq, Before: back.Head + 1, Epoch: back.Epoch,
			})
			events, more = append(events, page.Events...), page.More
		}
		for len(events) < missed+live {
			events = append(events, bob.event(wire.KindSaid))
		}
		for i, ev := range events {
			if ev.Text != fmt.Sprint(i) || ev.Seq <= last {
				t.Fatalf("event %d is %+v", i, ev)
			}
			last = ev.Seq
		}
		if rest := bob.take(); len(rest) != 0 {
			t.Errorf("more came: %+v", rest)
		}
		bob.refused(wire.CodeEpoch, wire.History{Log: "kitchen", N: 1, Epoch: "other"})
	})
}

// What cannot be continued is said so, with what to begin anew with.
func TestResumeOfAnotherLifeReloads(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: 1, Text: "a"})
		ann = w.again(ann, "ann again")
		place := ask[wire.Place](ann, wire.Attach{Log: "kitchen", Epoch: "another", After: 7, N: 10})
		if !place.Reload || len(place.Events) != 2 || place.Epoch == "another" {
			t.Errorf("got %+v", place)
		}
	})
}

// History by number, by time, around both, and in pieces.
func TestHistoryPages(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "r"})
		const n = 40
		seqs, times := make([]uint64, n), make([]wire.Instant, n)
		for i := range n {
			time.Sleep(time.Second)
			said := ask[wire.Said](ann, wire.Say{Log: "r", Counter: uint64(i + 1), Text: fmt.Sprint(i)})
			seqs[i], times[i] = said.Seq, said.Time
		}
		for _, c := range []struct {
			name     string
			ask      wire.History
			from, to int
			more     bool
		}{
			{"newest", wire.History{N: 5}, n - 5, n, true},
			{"before", wire.History{N: 5, Before: seqs[20]}, 15, 20, true},
			{"after", wire.History{N: 5, After: seqs[20]}, 21, 26, true},
			{"after, to the end", wire.History{N: 100, After: seqs[20]}, 21, n, false},
			{"between", wire.History{N: 100, After: seqs[20], Before: seqs[25]}, 21, 25, false},
			{"around", wire.History{N: 6, Around: seqs[20]}, 17, 23, true},
			{"at a time", wire.History{N: 6, At: times[20]}, 17, 23, true},
			{"at a moment before a time", wire.History{N: 6, At: times[20] - 1}, 17, 23, true},
			{"at a moment after a time", wire.History{N: 6, At: times[20] + 1}, 18, 24, true},
			{"at a time to come", wire.History{N: 6, At: times[n-1] + 1e9}, n - 3, n, true},
		} {
			c.ask.Log = "r"
			page := ask[wire.Page](ann, c.ask)
			var got []string
			for _, ev := range page.Events {
				got = append(got, ev.Text)
			}
			var want []string
			for i := c.from; i < c.to; i++ {
				want = append(want, fmt.Sprint(i))
			}
			if !slices.Equal(got, want) || page.More != c.more {
				t.Errorf("%s: got %v, more %v; want %v, %v", c.name, got, page.More, want, c.more)
			}
		}
		first := ask[wire.Page](ann, wire.History{Log: "r", N: 6, At: 1})
		if len(first.Events) != 3 || first.Events[0].Kind != wire.KindJoined {
			t.Errorf("at the beginning of time: got %+v", first)
		}
	})
}

// Long texts make short pages, and all that was asked for at once does not fill the outbox.
func TestLongPagesWaitForTheClient(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "r"})
		const n = 40
		for i := range uint64(n) {
			ask[wire.Said](ann, wire.Say{Log: "r", Counter: i + 1, Text: strings.Repeat("x", 20<<10)})
		}
		slow := w.again(ann, "slow")
		var ids []uint64
		for range 100 {
			ids = append(ids, slow.send(wire.History{Log: "r", N: n, After: 1}))
		}
		for _, id := range ids {
			page, ok := slow.answer(id).(wire.Page)
			if !ok || len(page.Events) == 0 || len(page.Events) > 3 || !page.More {
				t.Fatalf("got %d events, more %v", len(page.Events), page.More)
			}
		}
	})
}
