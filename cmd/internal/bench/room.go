package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// A crowd is one room with its members, all of them reading until stop.
type crowd struct {
	dial    *dialler
	members []*member

	deliveries atomic.Int64  // measured messages read by members that read
	lost       atomic.Int64  // members whose connection ended before the run did
	left       atomic.Int64  // notices that a member left
	halt       atomic.Bool   // members that shall stop have stopped
	ended      chan struct{} // closed when the run is over
	over       atomic.Bool   // connections are being closed on purpose
	readers    sync.WaitGroup

	mu    sync.Mutex
	delay *hdr.Histogram // guarded by mu; in µs; nil while nobody measures
	why   map[string]int // guarded by mu; how members were lost
}

// transportOf returns which transport member i uses.
func transportOf(transport string, i int) string {
	if transport == "mixed" {
		return [...]string{"tcp", "udp"}[i%2]
	}
	return transport
}

// gather opens n connections, joins them to one room and starts their readers. The last stop of them will stop reading
// when they are told.
func gather(ctx context.Context, server, transport string, n, stop int, progress func(string, ...any)) (*crowd, error) {
	d, err := newDialler(server)
	if err != nil {
		return nil, err
	}
	c := &crowd{dial: d, members: make([]*member, n), why: make(map[string]int), ended: make(chan struct{})}
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	var joined atomic.Int64
	work := make(chan int)
	for range min(dialsAtOnce, n) {
		wg.Go(func() {
			for i := range work {
				conn, err := d.dial(ctx, transportOf(transport, i))
				if err == nil {
					c.members[i], err = join(conn, "bench", fmt.Sprintf("member%d", i))
				}
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					continue
				}
				// Everybody reads from the moment of joining: notices of the others fill the outbox.
				c.members[i].stops = i >= n-stop
				c.readers.Go(func() { c.read(c.members[i]) })
				if k := joined.Add(1); k%500 == 0 {
					progress("%d of %d members joined", k, n)
				}
			}
		})
	}
	for i := range n {
		if failed.Load() != nil {
			break
		}
		work <- i
	}
	close(work)
	wg.Wait()
	if err := failed.Load(); err != nil {
		c.close()
		return nil, *err
	}
	return c, nil
}

// read counts what one member is told until its connection ends.
func (c *crowd) read(m *member) {
	for {
		if m.stops && c.halt.Load() {
			<-c.ended // Without a look at the connection, as a stopped process.
			return
		}
		msg, err := m.next()
		if err != nil {
			if !c.over.Load() {
				c.lost.Add(1)
				c.mu.Lock()
				c.why[err.Error()]++
				c.mu.Unlock()
			}
			return
		}
		switch {
		case msg.left:
			if m == c.members[0] {
				c.left.Add(1)
			}
		case !m.stops:
			c.deliveries.Add(1)
			c.note(msg.planned)
		}
	}
}

// note puts a delay into the histogram, if there is one.
func (c *crowd) note(planned time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.delay != nil {
		// Beyond the histogram's range the largest value stands for all.
		_ = c.delay.RecordValue(min(max(time.Since(planned).Microseconds(), 0), c.delay.HighestTrackableValue()))
	}
}

// stop makes the members that shall stop read nothing any more.
func (c *crowd) stop() { c.halt.Store(true) }

// listening is how many members each message is counted for.
func (c *crowd) listening() int64 {
	n := int64(0)
	for _, m := range c.members {
		if m != nil && !m.stops {
			n++
		}
	}
	return n - c.lost.Load()
}

// await waits until at least want deliveries have happened.
func (c *crowd) await(ctx context.Context, want func() int64) error {
	last, since := c.deliveries.Load(), time.Now()
	for c.deliveries.Load() < want() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Microsecond):
		}
		if now := c.deliveries.Load(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > stallMax {
			return fmt.Errorf("bench: nothing delivered for %v: %d of %d deliveries, lost members: %v", stallMax, now, want(), c.why)
		}
	}
	return nil
}

// measure starts a new histogram of delays and returns the function that ends it.
func (c *crowd) measure() func() *hdr.Histogram {
	c.mu.Lock()
	c.delay = hdr.New(1, time.Minute.Microseconds(), 3)
	c.mu.Unlock()
	return func() *hdr.Histogram {
		c.mu.Lock()
		defer c.mu.Unlock()
		h := c.delay
		c.delay = nil
		return h
	}
}

func (c *crowd) close() {
	c.over.Store(true)
	close(c.ended)
	var wg sync.WaitGroup
	for _, m := range c.members {
		if m != nil {
			wg.Go(func() { _ = m.conn.Close() }) // The run is over.
		}
	}
	wg.Wait()
	c.dial.close()
	c.readers.Wait()
}

// ErrLost says that the run went through, but members that read were cut off.
var ErrLost = errors.New("bench: members lost")

// lostMembers describes members that were cut off, nil if none were.
func (c *crowd) lostMembers() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.why) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %v", ErrLost, c.why)
}
