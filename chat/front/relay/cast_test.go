package relay

import (
	"fmt"
	"testing"
)

// What others say is remembered for a while; of those who have it nothing must be, since those are many.
func TestOfThoseWhoHaveAStrangeBroadcastNothingIsKept(t *testing.T) {
	var c casts
	users := make([]*user, 100)
	for i := range users {
		users[i] = &user{}
		c.enter(users[i])
	}
	for i := range 2 * strangeMax {
		c.hear(fmt.Sprint(i))
		for _, u := range users[1:] {
			c.settle(fmt.Sprint(i), u, nil)
		}
		if i%2 == 0 {
			c.settle(fmt.Sprint(i), users[0], errNotTaken)
		}
	}
	if len(c.strange) != strangeMax || len(c.order) != strangeMax {
		t.Errorf("%d broadcasts are remembered, want %d", len(c.strange), strangeMax)
	}
	c.leave(users[0])
	for id, s := range c.strange {
		if s.pending != nil {
			t.Errorf("%s: there is a table of %d who have not answered", id, len(s.pending))
		}
	}
	last := fmt.Sprint(2*strangeMax - 2)
	for i, u := range users {
		var got error
		c.answer(last, u, func(err error) { got = err })
		if (got != nil) != (i == 0) {
			t.Errorf("user %d has answered %v", i, got)
		}
	}
}
