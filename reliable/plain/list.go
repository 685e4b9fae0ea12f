package plain

import "time"

// list keeps connections, the one longest silent first. A connection is in one list at most.
type list struct {
	oldest, newest *Conn
	n              int
}

// push puts c at the end: it was heard now.
func (q *list) push(now time.Duration, c *Conn) {
	c.heard, c.in = now, q
	c.older, c.newer = q.newest, nil
	if q.newest != nil {
		q.newest.newer = c
	} else {
		q.oldest = c
	}
	q.newest = c
	q.n++
}

// remove takes c out of its list, if it is in one.
func (c *Conn) remove() {
	q := c.in
	if q == nil {
		return
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		q.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		q.newest = c.older
	}
	c.in, c.older, c.newer = nil, nil, nil
	q.n--
}

// move puts c at the end of q.
func (c *Conn) move(now time.Duration, q *list) {
	c.remove()
	q.push(now, c)
}
