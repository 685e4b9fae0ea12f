package client

import (
	"fmt"
	"testing"
	"time"
)

// A pair of clocks: ours shows now, the server's is ahead.
type clocks struct {
	clock
	now   time.Time
	ahead time.Duration
}

// compare has the clocks compared, over a link that takes so long in each direction.
func (c *clocks) compare(up, down time.Duration) {
	const busy = 30 * time.Millisecond
	asked := c.now
	c.now = c.now.Add(up + busy + down)
	got := asked.Add(up + c.ahead)
	c.exchange(asked, got, got.Add(busy), c.now)
}

// took is what is believed of something that was under way for d and is here now.
func (c *clocks) took(d time.Duration) (time.Duration, bool) {
	return c.since(c.now.Add(c.ahead-d), c.now)
}

func TestClockBelievesTheQuickestExchange(t *testing.T) {
	c := clocks{now: time.Unix(1e9, 0), ahead: 90 * time.Second}
	if got, doubt := c.took(time.Second); got != 0 || doubt {
		t.Errorf("knows %v before it was told anything", got)
	}
	c.compare(400*time.Millisecond, 100*time.Millisecond) // 150 ms wrong.
	c.compare(52*time.Millisecond, 48*time.Millisecond)   // 2 ms wrong.
	c.compare(100*time.Millisecond, 900*time.Millisecond)
	if got, doubt := c.took(70 * time.Millisecond); got < 67*time.Millisecond || got > 73*time.Millisecond || doubt {
		t.Errorf("a message of 70 ms took %v", got)
	}
	if got, _ := c.took(-10 * time.Millisecond); got != 0 {
		t.Errorf("a message from the near future took %v", got)
	}
	c.now = c.now.Add(time.Hour)
	c.ahead += 3 * time.Second // They run at different speeds.
	c.compare(50*time.Millisecond, 50*time.Millisecond)
	if c.count != 4 {
		t.Errorf("%d exchanges are believed, want 4", c.count)
	}
}

// Whichever clock is set, and however quick the exchanges before were: nothing shows the difference as time under way, and
// the next exchange counts alone.
func TestClockThatIsSetIsNoticed(t *testing.T) {
	for _, by := range []time.Duration{-24 * time.Hour, -time.Hour, -time.Minute, -time.Second, time.Second, time.Minute, time.Hour} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			c := clocks{now: time.Unix(1e9, 0)}
			for range 2 * clockSamples {
				c.compare(time.Millisecond, time.Millisecond)
			}
			c.now = c.now.Add(3 * time.Second)
			c.ahead += by
			got, doubt := c.took(5 * time.Millisecond)
			switch {
			case got > 2*time.Second:
				t.Errorf("before the clocks are compared: %v", got)
			case by.Abs() > clockDoubt || by > 0:
				if !doubt || got != 0 {
					t.Errorf("before the clocks are compared: %v, doubt %v", got, doubt)
				}
			}
			c.compare(200*time.Millisecond, 200*time.Millisecond) // A slow one.
			if got, doubt := c.took(70 * time.Millisecond); got != 70*time.Millisecond || doubt || c.count != 1 {
				t.Errorf("after they are compared: %v, doubt %v, by %d exchanges", got, doubt, c.count)
			}
		})
	}
}

// What was under way for long because the network was away is believed, and the clocks are compared.
func TestClockBelievesALongWay(t *testing.T) {
	c := clocks{now: time.Unix(1e9, 0)}
	c.compare(time.Millisecond, time.Millisecond)
	c.now = c.now.Add(2 * time.Minute)
	if got, doubt := c.took(time.Minute); got != time.Minute || !doubt {
		t.Errorf("%v, doubt %v", got, doubt)
	}
}
