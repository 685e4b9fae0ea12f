package client

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

// TestFollowerGivesEachEventOnceWhateverHappens drives a follower by chance: events happen, answers are late, pages are
// short, the program has no room, connections are lost. In the end it must have given everything, once and in order.
func TestFollowerGivesEachEventOnceWhateverHappens(t *testing.T) {
	for range 300 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		var stored, gave []uint64
		room := 1
		f := &follower{log: "x", give: func(_ *follower, ev native.Event, _ bool) bool {
			if room == 0 {
				return false
			}
			room--
			gave = append(gave, ev.Seq)
			return true
		}}
		now := time.Unix(1e9, 0)
		var wire []any        // What the server has sent and has not come.
		var late *native.Page // What it has read and not sent.
		pushing := false
		happen := func() {
			seq := uint64(rng.IntN(3) + 1) // Numbers have gaps.
			if len(stored) > 0 {
				seq += stored[len(stored)-1]
			}
			stored = append(stored, seq)
			if pushing {
				wire = append(wire, native.Event{Log: "x", Seq: seq})
			}
		}
		page := func(after uint64, n int) (events []native.Event, more bool) {
			for _, seq := range stored {
				if seq <= after {
					continue
				}
				if len(events) == n {
					return events, true
				}
				events = append(events, native.Event{Log: "x", Seq: seq})
			}
			return events, false
		}
		ask := func(roomy bool) {
			n := 1 + rng.IntN(4)
			switch r := f.next(now, roomy).(type) {
			case native.Attach:
				p := native.Place{Log: "x", Epoch: "e"}
				if len(stored) > 0 {
					p.Head = stored[len(stored)-1]
				}
				if r.Epoch != "" {
					p.Events, p.More = page(r.After, n)
				}
				pushing = true
				wire = append(wire, p)
			case native.History:
				var p native.Page
				p.Events, p.More = page(max(r.After, r.Around)-min(r.Around, 1), n)
				late = &p // What happens meanwhile is pushed before it.
			}
		}
		come := func() {
			if late != nil && rng.IntN(2) == 0 {
				wire, late = append(wire, *late), nil
			}
			if len(wire) == 0 {
				return
			}
			switch r := wire[0].(type) {
			case native.Event:
				f.push(r)
			case native.Place:
				if f.epoch == "" {
					f.begin(r)
				} else {
					f.resume(r)
				}
			case native.Page:
				f.page(r)
			}
			wire = wire[1:]
		}
		ask(true)
		come()
		for range 200 {
			switch rng.IntN(8) {
			case 0, 1:
				happen()
			case 2:
				room = rng.IntN(4)
			case 3:
				ask(room > 0)
			case 4:
				if rng.IntN(4) == 0 {
					f.lost()
					wire, late, pushing = nil, nil, false
				}
			default:
				come()
			}
		}
		for room = 1 << 30; f.behind || !f.attached || len(wire) > 0 || late != nil; come() {
			ask(true)
		}
		if !slices.Equal(gave, stored) {
			t.Fatalf("seed %d: gave %v of %v", seed, gave, stored)
		}
	}
}
