package reliable

import "time"

// timers is when which connection wants its next turn, for all connections of an endpoint: a heap, ordered by time. A
// time that moves to later, as nearly all do, stays where it is until the earlier one has come: that costs a look, where
// moving it would cost every turn. Times are counted from the endpoint's start.
type timers struct{ heap []*Conn }

// set has pop return the connection at the time at, and not before.
func (t *timers) set(c *Conn, at time.Duration) {
	k := &c.task
	k.at = at
	switch {
	case !k.timed:
		k.timed, k.heapAt, k.index = true, at, len(t.heap)
		t.heap = append(t.heap, c)
		t.up(k.index)
	case at < k.heapAt:
		k.heapAt = at
		t.up(k.index)
	}
}

// remove forgets the connection.
func (t *timers) remove(c *Conn) {
	if !c.task.timed {
		return
	}
	c.task.timed = false
	i, last := c.task.index, len(t.heap)-1
	moved := t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	if i < last {
		t.place(i, moved)
		t.up(i)
		t.down(moved.task.index)
	}
	if last == 0 {
		t.heap = nil
	}
}

// pop returns a connection whose time has come and forgets it; nil: there is none.
func (t *timers) pop(now time.Duration) *Conn {
	for len(t.heap) > 0 && t.heap[0].task.heapAt <= now {
		c := t.heap[0]
		if c.task.at <= now {
			t.remove(c)
			return c
		}
		c.task.heapAt = c.task.at
		t.down(0)
	}
	return nil
}

// next returns when pop may have something to return, false for never.
func (t *timers) next() (time.Duration, bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.heap[0].task.heapAt, true
}

func (t *timers) place(i int, c *Conn) { t.heap[i], c.task.index = c, i }

func (t *timers) up(i int) {
	c := t.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if t.heap[parent].task.heapAt <= c.task.heapAt {
			break
		}
		t.place(i, t.heap[parent])
		i = parent
	}
	t.place(i, c)
}

func (t *timers) down(i int) {
	c := t.heap[i]
	for {
		child := 2*i + 1
		if child >= len(t.heap) {
			break
		}
		if child+1 < len(t.heap) && t.heap[child+1].task.heapAt < t.heap[child].task.heapAt {
			child++
		}
		if c.task.heapAt <= t.heap[child].task.heapAt {
			break
		}
		t.place(i, t.heap[child])
		i = child
	}
	t.place(i, c)
}
