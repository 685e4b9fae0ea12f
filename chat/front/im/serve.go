package im

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/im"
)

// A conn is one session. Owned by the goroutine that serves it, but for what is said otherwise.
type conn struct {
	front   *Front
	hub     *chat.Hub
	session *session.Session
	loop    front.Loop
	decoder wire.Decoder
	bucket  front.Bucket
	out     *out
	member  *member // nil before the log-in.

	idle *time.Timer           // Runs out when there was no command for too long.
	why  atomic.Pointer[error] // Why the session is to end although its connection lives. Set by end.
}

func newConn(f *Front, s *session.Session, h *chat.Hub) *conn {
	c := &conn{front: f, hub: h, session: s, out: &out{session: s}}
	c.loop = front.Loop{
		Session: s, Decoder: &c.decoder, Take: c.requests, Ended: c.ended,
		IdleFlush: front.Quiet(s, idleFlush),
	}
	c.idle = time.AfterFunc(f.cfg.Timeout, func() { c.end(ErrIdle) })
	return c
}

// end has the session end. It may be called anywhere and does not block.
func (c *conn) end(why error) {
	c.why.CompareAndSwap(nil, &why)
	c.loop.Wake()
}

// ended implements the Ended of a Loop.
func (c *conn) ended() error {
	if why := c.why.Load(); why != nil {
		return *why
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
		if err != nil {
			c.out.reply(refused(textInvalid))
			continue
		}
		if err := c.carryOut(ctx, req); err != nil {
			return err
		}
	}
}

// carryOut carries out one request. It returns an error only if the session is to end.
func (c *conn) carryOut(ctx context.Context, req wire.Request) error {
	if _, unknown := req.(wire.Unknown); unknown {
		c.out.reply(refused(textInvalid))
		return nil
	}
	c.idle.Reset(c.front.cfg.Timeout) // Only a valid command counts (PROTOCOL.md 3.2).
	switch r := req.(type) {
	case wire.Login:
		return c.logIn(ctx, r)
	case wire.Register:
		return c.register(ctx, r)
	case wire.Logout:
		return ErrGoodbye
	case wire.Refresh:
		return nil
	}
	m := c.member
	if m == nil {
		c.out.reply(refused(textNotLoggedIn))
		return nil
	}
	var rep wire.Reply
	switch r := req.(type) {
	case wire.Message:
		rep = m.message(ctx, r)
	case wire.Broadcast:
		rep = m.broadcast(ctx, r)
	case wire.WhoElse:
		rep = m.whoElse(ctx)
	case wire.WhoElseSince:
		rep = m.whoElseSince(r)
	case wire.Block:
		rep = m.block(ctx, r.User)
	case wire.Unblock:
		rep = m.unblock(ctx, r.User)
	case wire.StartPrivate:
		rep = m.startPrivate(ctx, r)
	case wire.RegisterFile:
		rep = m.registerFile(r)
	case wire.SearchFile:
		rep = m.searchFile(r.File)
	case wire.SearchChunk:
		rep = m.searchChunk(r)
	case wire.Accept:
		rep = m.accept(ctx, r)
	case wire.Decline:
		rep = m.decline(ctx, r)
	default:
		panic("BUG: im: request of no known type")
	}
	if rep != nil {
		c.out.reply(rep)
	}
	return nil
}

// close is the end of the session, whose loop has ended with err.
func (c *conn) close(ctx context.Context, err error) {
	c.idle.Stop()
	if c.member != nil {
		c.member.stop() // Nobody is in await then.
	}
	var last wire.Reply
	switch {
	case errors.Is(err, ErrIdle):
		last = wire.Fin{Text: textIdle}
	case errors.Is(err, ErrPassword):
		last = wire.Fin{Text: textPassword}
	case ctx.Err() != nil:
		last = wire.Fin{Text: textShutdown}
	case errors.Is(err, errInternal):
		last = wire.Fin{Text: "The server cannot go on"}
	}
	c.out.bye(ctx, last)
	if c.member != nil {
		c.member.close(ctx)
	}
}
