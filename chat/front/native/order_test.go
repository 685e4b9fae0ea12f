package native

import (
	"testing"
	"time"
)

// A client sends all it has, finds some of it refused, and sends it all again: the first comes into the log and one
// behind it is refused again in the meantime. What comes behind that must still wait.
func TestOrderHoldsWhileAnyMessageWaitsToBeRepeated(t *testing.T) {
	var o order
	now := time.Unix(1e9, 0)
	passes := func(counter uint64, want bool) {
		t.Helper()
		if err := o.check("x", counter, now); (err == nil) != want {
			t.Errorf("message %d: %v, want that it passes: %v", counter, err, want)
		}
	}
	o.fail("x", 5, now)
	o.fail("x", 8, now)
	passes(4, true)
	passes(5, true)
	passes(6, false)
	passes(8, false)
	o.settle("x", 5)
	passes(6, true)
	passes(8, true)
	passes(9, false)
	o.settle("x", 7)
	passes(9, false)
	o.settle("x", 8)
	passes(9, true)
	if o.failed != nil {
		t.Errorf("left over: %v", o.failed)
	}

	o.fail("x", 20, now)
	now = now.Add(orderTimeout) // The client has given it up.
	passes(21, true)
	for counter := uint64(1); counter <= 2*orderFailedMax; counter++ {
		o.fail("x", counter, now)
	}
	if n := len(o.failed["x"].counters); n != orderFailedMax {
		t.Errorf("%d are remembered, want %d", n, orderFailedMax)
	}
	passes(2*orderFailedMax, false)
}
