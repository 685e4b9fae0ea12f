package jsonchat

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/jsonchat"
)

// A conn is one connection. Owned by the goroutine that serves it, but for out and form.
type conn struct {
	front   *Front
	hub     *chat.Hub
	out     outlet
	stop    func() bool // Ends the wait for the end of the context.
	decoder wire.Decoder
	buf     []byte
	bucket  front.Bucket
	own     token   // What TOKEN said on this connection; 0: it was not needed.
	device  *device // Of the last request; nil before the first.
	form    atomic.Uint32
	broken  error // Why a payload could not be read to its end; the session ends with it.
	partial bool  // A JSON text is coming in, and a read deadline is set.
	large   int   // Bytes of it that are counted in the Front's large.
}

// newConn returns what serves s until ctx ends, to be closed.
func newConn(ctx context.Context, f *Front, h *chat.Hub, s *session.Session) *conn {
	c := &conn{front: f, hub: h, buf: make([]byte, readBytes)}
	c.out.session = s
	c.out.drained = func(n int) error { return s.Drained(ctx, n) }
	c.stop = context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) }) // An error: it has ended, so it is awake.
	return c
}

// close gives back what belongs to the connection. Its context has ended.
func (c *conn) close() {
	c.stop()
	c.countLarge(0)
	if c.device != nil {
		c.front.leave(c, c.device)
	}
	c.out.wg.Wait()
}

// lastForm is how the client was heard to write its headers last.
func (c *conn) lastForm() wire.Form { return wire.Form(c.form.Load()) }

// serve reads the session until it ends, and returns why. Thousands of idle sessions wait in it for something to read: what
// else there is to do is done in functions of its own, so that it does not add to their stacks.
func (c *conn) serve(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := c.out.session.Read(c.buf)
		c.decoder.Feed(c.buf[:n])
		if n > 0 {
			if err := c.requests(ctx); err != nil {
				return err
			}
			if err := c.watchPartial(); err != nil {
				return err
			}
		}
		if err != nil && (ctx.Err() == nil || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return c.whyEnded(err)
		}
	}
}

// requests carries out the requests that the decoder has whole.
//
//go:noinline
func (c *conn) requests(ctx context.Context) error {
	for {
		frame, ok, err := c.decoder.Next()
		if bad, _ := errors.AsType[*wire.FrameError](err); bad != nil {
			c.form.Store(uint32(bad.Form))
			errSession := c.answer(wire.UnknownName, nil, errFrame)
			if !bad.Skipped {
				return err
			}
			if errSession != nil {
				return errSession
			}
			continue
		}
		if !ok {
			return nil
		}
		c.form.Store(uint32(frame.Form))
		if err := c.request(ctx, frame); err != nil {
			return err
		}
		if err := c.skipPayload(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// request carries out one request and answers it. An error ends the session.
func (c *conn) request(ctx context.Context, frame wire.Frame) error {
	req, number, err := wire.ParseRequest(frame.JSON)
	allowed := c.bucket.Take(time.Now(), c.front.cfg.RequestsPerSecond, c.front.cfg.RequestsBurst)
	if err != nil {
		return c.answer(wire.UnknownName, nil, errUnknown)
	}
	name := answerName(req)
	switch {
	case frame.Payload > c.front.cfg.FileBytesMax:
		_ = c.answer(name, nil, errFileTooLarge) // The connection ends anyway.
		return errFileTooLarge
	case !allowed && name == "":
		return nil
	case !allowed:
		return c.answer(name, nil, errTooFast)
	}
	if err := c.useToken(number); err != nil {
		return err
	}
	return c.carryOut(ctx, req, frame.Payload)
}

// useToken makes the connection one of the token's, or of a new one if it is none of ours (PROTOCOL.md 3).
func (c *conn) useToken(number int64) error {
	t := token(number)
	if !c.front.tokens.ours(number) {
		if c.own == 0 {
			c.own = c.front.tokens.fresh()
		}
		t = c.own
		if err := c.answer(wire.TokenName, wire.Token{TokenID: int64(t)}, nil); err != nil {
			return err
		}
	}
	if c.device != nil && c.device.token == t {
		return nil
	}
	if c.device != nil {
		c.front.leave(c, c.device)
	}
	c.device = c.front.enter(c, t)
	return nil
}

// answerName is what the answer to a request is called; empty: it has none.
func answerName(req wire.Request) string {
	switch req := req.(type) {
	case wire.Unknown:
		return wire.UnknownName
	case wire.AckFetch:
		return ""
	case wire.Malformed:
		if req.Request == (wire.AckFetch{}).Name() {
			return ""
		}
	}
	return req.Name()
}

// answer sends a response that has no payload. The error is the session's.
func (c *conn) answer(name string, body wire.Body, err error) error {
	if name == "" {
		return nil
	}
	return c.out.reply(c.frame(c.response(name, body, err), 0), nil, 0)
}

// response returns the response that a body, or what went wrong, amounts to.
func (c *conn) response(name string, body wire.Body, err error) wire.Response {
	if err != nil {
		return wire.Response{Name: name, Err: c.front.explain(err)}
	}
	return wire.Response{Name: name, Body: body}
}

// frame returns a response as the client wants it.
func (c *conn) frame(res wire.Response, payloadBytes int64) []byte {
	return wire.AppendFrame(nil, c.lastForm(), wire.AppendResponse(nil, res), payloadBytes)
}
