package relay

import (
	"context"
	"errors"
	"sync"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/relay"
)

// A conn is one session. Owned by the goroutine that serves it, but for what is said otherwise.
type conn struct {
	front   *Front
	hub     *chat.Hub
	loop    front.Loop // Its Wake may be called by anybody.
	decoder wire.Decoder
	bucket  front.Bucket
	user    *user          // nil before REGISTER.
	wg      sync.WaitGroup // The goroutine that carries out the user's SENDs, if this is where they come.
	pipe    pipe           // Anybody's, by its methods.
}

func newConn(f *Front, s *session.Session, h *chat.Hub) *conn {
	c := &conn{front: f, hub: h, pipe: pipe{session: s, wait: f.cfg.ReceiptTimeout, saySend: f.cfg.SaySend}}
	c.loop = front.Loop{
		Session: s, Decoder: &c.decoder, Take: c.requests, Ended: c.ended, IdleFlush: f.cfg.IdleFlush,
	}
	if front.Quiet(s, f.cfg.IdleFlush) == 0 {
		c.decoder.KeepHeads = true
		c.loop.IdleFlush = idleFlushUDP
	}
	return c
}

// ended returns why the session is to end although its connection lives.
func (c *conn) ended() error {
	if c.user != nil && c.front.ended(c.user) {
		return ErrOther
	}
	return nil
}

// requests carries out the requests which the decoder has whole.
func (c *conn) requests(ctx context.Context) error {
	for {
		req, ok, err := c.decoder.Next()
		if err == nil && !ok {
			return nil
		}
		if err := c.loop.Await(ctx, &c.bucket, c.front.cfg.RequestsPerSecond, c.front.cfg.RequestsBurst); err != nil {
			return err
		}
		if c.decoder.Spaced() {
			c.pipe.setSpaced()
			if c.user != nil {
				c.user.spaced.Store(true)
			}
		}
		if err != nil {
			return c.incomplete()
		}
		if err := c.handle(ctx, req); err != nil {
			return err
		}
	}
}

// handle carries out one request, and answers if it is refused. It returns an error only if the session is to end.
func (c *conn) handle(ctx context.Context, req wire.Request) error {
	err := c.carryOut(ctx, req)
	if refused, ok := errors.AsType[*refusal](err); ok {
		c.pipe.answer(wire.Error{Code: refused.code})
		return nil
	}
	return err
}

// carryOut carries out one request. It returns a refusal, or why the session is to end.
func (c *conn) carryOut(ctx context.Context, req wire.Request) error {
	switch r := req.(type) {
	case wire.Register:
		return c.register(ctx, r)
	case wire.Incomplete:
		return c.incomplete()
	}
	sends, hears := c.may()
	switch r := req.(type) {
	case wire.Send:
		if !sends {
			return &refusal{wire.CodeNotRegistered}
		}
		if c.decoder.Bytes() {
			c.user.bytes.Store(true)
		}
		c.user.submit(c, r)
		return nil
	case wire.Received:
		return c.receipt(hears, r.From, nil)
	case wire.Failed:
		if r.Code == wire.CodeIncomplete {
			return c.receipt(hears, "", errHeader)
		}
		return c.receipt(hears, "", errNotTaken)
	case wire.Unknown:
		if !sends && !hears {
			return &refusal{wire.CodeNotRegistered}
		}
		return c.incomplete()
	}
	panic("BUG: relay: request of no known type")
}

// may reports whether SENDs may come here, which takes both registrations and the connection for it, and whether the user
// may be sent something, so that receipts may come.
func (c *conn) may() (sends, hears bool) {
	if c.user == nil {
		return false, false
	}
	u := c.user
	u.mu.Lock()
	defer u.mu.Unlock()
	hears = u.room != 0
	return hears && u.send == &c.pipe, hears
}

// receipt is what the client says about the FORWARD it was sent last, on either connection.
func (c *conn) receipt(hears bool, from string, err error) error {
	if !hears {
		return &refusal{wire.CodeNotRegistered}
	}
	c.user.receipt(from, err)
	return nil
}

// incomplete is the end of a session that cannot be read any further (PROTOCOL.md 3.4).
func (c *conn) incomplete() error {
	c.pipe.answer(wire.Error{Code: wire.CodeIncomplete})
	return ErrIncomplete
}

// close is the end of the session, whose loop has ended with err. Its steps are deferred, last one first, so that a panic
// in one does not keep the others.
func (c *conn) close(ctx context.Context, err error) {
	defer c.wg.Wait()
	defer c.pipe.close()
	if c.user != nil {
		if cause := c.pipe.session.Err(); cause != nil {
			err = cause
		}
		c.front.end(ctx, c.user, err)
	}
}
