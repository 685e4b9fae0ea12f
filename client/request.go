package client

import (
	"context"
	"fmt"
	"time"

	"udpchat/chat/wire/native"
)

// A request is one that waits for its answer. It is pure; settle is called once.
type request struct {
	what   native.Request
	again  bool // It may be sent twice: doing it again changes nothing.
	settle func(now time.Time, reply native.Reply, err error)
	asked  time.Time // When it was sent.
}

// An answer is what a request of the program waits for.
type answer struct {
	done  chan struct{}
	reply native.Reply
	err   error
}

// do sends a request and returns the answer. It waits for a connection, if there is none; a request that was under way
// when the connection was lost is sent again if it may be. The error is a *LostError if it may not, a native.Error if
// the server refused.
func do[R native.Reply](ctx context.Context, c *Client, what native.Request, again bool) (R, error) {
	var none R
	a := &answer{done: make(chan struct{})}
	r := &request{what: what, again: again, settle: func(_ time.Time, reply native.Reply, err error) {
		a.reply, a.err = reply, err
		close(a.done)
	}}
	c.mu.Lock()
	err := c.m.request(time.Now(), r)
	c.mu.Unlock()
	if err != nil {
		return none, err
	}
	c.wake()
	select {
	case <-a.done:
	case <-ctx.Done():
		c.mu.Lock()
		c.m.forget(r)
		c.mu.Unlock()
		return none, ctx.Err()
	}
	if a.err != nil {
		return none, a.err
	}
	reply, ok := a.reply.(R)
	if !ok {
		return none, fmt.Errorf("the server answered with %T", a.reply)
	}
	return reply, nil
}
