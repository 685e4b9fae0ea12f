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
