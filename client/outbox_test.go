package client

import (
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

// A message that a server in trouble had stored, shown in the log, and then could not acknowledge, was shown as waiting for
// ever after.
func TestStoredMessageIsNotRefusedAfterwards(t *testing.T) {
	var last uint64
	o := &outbox{device: "d", number: func() (uint64, error) { last++; return last, nil }}
	now := time.Now()
	first, second := &Message{Log: "lobby", Text: "one"}, &Message{Log: "lobby", Text: "two"}
	for _, m := range []*Message{first, second} {
		if err := o.add(m, now); err != nil {
			t.Fatal(err)
		}
		if o.next(now) != m {
			t.Fatal("it is not sent")
		}
	}
	o.stored(first, 7, now, now)
	if o.refused(first, native.Error{Code: native.CodeUnavailable}, now) {
		t.Error("it has failed")
	}
	if is := first.Status(); is.State != Stored || is.Err != nil || is.Seq != 7 {
		t.Errorf("it is %+v", is)
	}
	if o.flying != 1 || o.halted || len(o.queue) != 1 {
		t.Errorf("%d are on their way and %d wait, halted: %v", o.flying, len(o.queue), o.halted)
	}
}

// A server that says of every number that it is used would have a message sent, and the State written, again and again
// without a pause.
func TestMessageWhoseEveryNumberIsUsedIsNotSentWithoutAPause(t *testing.T) {
	n := &numbers{state: &memoryState{}}
	o := &outbox{device: "d", number: n.next, skip: n.skip}
	begin := time.Now()
	now := begin
	m := &Message{Log: "lobby", Text: "one"}
	if err := o.add(m, now); err != nil {
		t.Fatal(err)
	}
	had := map[uint64]bool{}
	const sends = 100
	for range sends {
		if now = later(now, o.nextAt()); o.next(now) != m || had[m.counter] {
			t.Fatalf("it is not sent, or again with number %d", m.counter)
		}
		had[m.counter] = true
		if o.refused(m, native.Error{Code: native.CodeReused}, now) {
			t.Fatalf("it has failed: %+v", m.Status())
		}
	}
	if took, want := now.Sub(begin), (sends-sayTriesMax-2)*sayRetry; took < want || len(had) != sends {
		t.Errorf("sent %d times within %v, want at least %v", sends, took, want)
	}
}

// The server says that a number was used while it may have, and cannot say so just now, what stands behind it: that must not
// become another message.
func TestWhatMayBeStoredKeepsItsNumberWhenOthersGetNewOnes(t *testing.T) {
	n := &numbers{state: &memoryState{}}
	o := &outbox{device: "d", number: n.next, skip: n.skip}
	now := time.Now()
	used, unknown, waits := &Message{Log: "lobby", Text: "one"}, &Message{Log: "kitchen", Text: "two"}, &Message{Log: "lobby", Text: "three"}
	for _, m := range []*Message{used, unknown} {
		if err := o.add(m, now); err != nil || o.next(now) != m {
			t.Fatal("it is not sent")
		}
	}
	if err := o.add(waits, now); err != nil {
		t.Fatal(err)
	}
	before := []uint64{used.counter, unknown.counter, waits.counter}
	o.refused(used, native.Error{Code: native.CodeReused}, now)
	o.refused(unknown, native.Error{Code: native.CodeUnavailable}, now)
	for now = now.Add(time.Minute); o.next(now) != nil; {
	}
	if used.counter <= before[2] || waits.counter <= used.counter || unknown.counter != before[1] {
		t.Errorf("numbers %d became %d, %d, %d", before, used.counter, unknown.counter, waits.counter)
	}
}
