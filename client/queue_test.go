package client

import (
	"fmt"
	"testing"

	"udpchat/chat/wire/native"
)

// A program that does not take its events misses what people were in between, and never what they are.
func TestQueueKeepsTheNewestPresence(t *testing.T) {
	var q queue
	const people = eventsMax + 1000
	for _, state := range []native.State{native.StateOnline, native.StateAway, native.StateOffline, native.StateOnline, native.StateAway} {
		for i := range people {
			q.offerPresence(Presence{Person{Account: fmt.Sprint(i), State: state}})
		}
	}
	if len(q.events) > eventsMax || len(q.late) > people {
		t.Errorf("%d events and %d late ones wait", len(q.events), len(q.late))
	}
	last := make(map[string]native.State)
	n := 0
	for ev := q.take(); ev != nil; ev = q.take() {
		p, _ := ev.(Presence)
		last[p.Account] = p.State
		n++
	}
	for i := range people {
		if got := last[fmt.Sprint(i)]; got != native.StateAway {
			t.Fatalf("%d is %v in the end", i, got)
		}
	}
	if n > 2*people || len(q.late) != 0 {
		t.Errorf("%d events were taken, and %d are left", n, len(q.late))
	}
	for i := range 2 * lateMax {
		q.offerPresence(Presence{Person{Account: fmt.Sprint(i)}})
	}
	if len(q.late) > lateMax {
		t.Errorf("%d late ones are kept", len(q.late))
	}
}

// What somebody was and the queue had no room for must not come behind what it is now, for which there is room.
func TestQueueKeepsPresenceInOrder(t *testing.T) {
	var q queue
	for range eventsMax {
		q.offer(Silent{})
	}
	q.offerPresence(Presence{Person{Account: "ann", State: native.StateAway}})
	q.take()
	q.offerPresence(Presence{Person{Account: "ann", State: native.StateOnline}})
	var last native.State
	for ev := q.take(); ev != nil; ev = q.take() {
		if p, ok := ev.(Presence); ok {
			last = p.State
		}
	}
	if last != native.StateOnline {
		t.Errorf("she is %v in the end", last)
	}
}
