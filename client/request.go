package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"udpchat/chat/wire/native"
)

// A request is one that waits for its answer. settle is called once, with the machine's lock.
type request struct {
	what   native.Request
	again  bool // It may be sent twice: doing it again changes nothing.
	settle func(now time.Time, reply native.Reply, err error)
}

// check refuses what the server would refuse for its form alone: some of that in a row would end the session.
func check(what native.Request) error {
	if e, ok := errors.AsType[*native.SyntaxError](native.Check(what)); ok {
		text := e.Code.String() + ": expected " + e.Want
		if e.Field != "" {
			text = e.Code.String() + ": " + e.Field + ": expected " + e.Want
		}
		return native.Error{Code: e.Code, Field: e.Field, Text: text}
	}
	return nil
}

// do sends a request and returns the answer. It waits for a connection, if there is none; a request that was under way
// when the connection was lost is sent again if it may be. The error is ErrLost if it may not, a native.Error if the
// server refused.
func do[R native.Reply](ctx context.Context, c *Client, what native.Request, again bool) (R, error) {
	return doThen(ctx, c, what, again, func(R) {})
}

// doThen is do that calls then with the answer before anything that comes after it is looked at, with the lock held.
func doThen[R native.Reply](ctx context.Context, c *Client, what native.Request, again bool, then func(R)) (R, error) {
	var got R
	if err := check(what); err != nil {
		return got, err
	}
	var failed error
	done := make(chan struct{})
	r := &request{what: what, again: again, settle: func(_ time.Time, reply native.Reply, err error) {
		defer close(done)
		var ok bool
		if got, ok = reply.(R); err == nil && !ok {
			err = fmt.Errorf("the server answered with %T", reply)
		}
		if failed = err; err == nil {
			then(got)
		}
	}}
	c.mu.Lock()
	err := c.m.request(time.Now(), r)
	c.mu.Unlock()
	if err != nil {
		return got, err
	}
	c.wake()
	select {
	case <-done:
		return got, failed
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-done: // It was answered in the last moment.
		return got, failed
	default:
		c.m.forget(r)
		var none R
		return none, ctx.Err()
	}
}
