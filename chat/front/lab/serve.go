package lab

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"udpchat/chat/front"
	wire "udpchat/chat/wire/lab"
)

// A conn reads one session of a peer. Owned by the goroutine that serves it.
type conn struct {
	peer      *peer
	front     *Front
	link      *link
	buf       []byte
	stop      func() bool // ends the wait for the end of the context
	decoder   wire.Decoder
	bucket    front.Bucket
	malformed int  // Malformed or too long messages in a row.
	flushes   bool // Silence may end a message here: not on reliable UDP (PROTOCOL.md 2.3).
	deadline  bool // A read deadline is set.
}

// serve reads l, a session of p, until it ends, and returns why. Thousands of idle sessions wait in it for something to
// read: what else there is to do is done in functions of its own, so that it does not add to their stacks.
func (p *peer) serve(ctx context.Context, l *link) error {
	c := newConn(ctx, p, l)
	defer c.stop()
	for {
		if err := c.ready(ctx); err != nil {
			return err
		}
		n, err := l.session.Read(c.buf)
		if err := c.took(ctx, n, err); err != nil {
			return err
		}
	}
}

// newConn returns what reads l, to be stopped.
//
//go:noinline
func newConn(ctx context.Context, p *peer, l *link) *conn {
	c := &conn{peer: p, front: p.front, link: l, flushes: front.Quiet(l.session, p.front.cfg.IdleFlush) > 0}
	c.stop = context.AfterFunc(ctx, l.wake)
	size := readBytes
	if l.plain() {
		size = readPlainBytes
	}
	c.buf = make([]byte, size)
	return c
}

// ready prepares for what comes next. It returns an error when the session has ended.
//
//go:noinline
func (c *conn) ready(ctx context.Context) error {
	c.arm()
	return c.stopped(ctx) // After arm, which may have undone a wake.
}

// took takes what came, which may be silence, and carries out all requests it completes. It returns an error when the
// session has ended.
func (c *conn) took(ctx context.Context, n int, readErr error) error {
	c.decoder.Feed(c.buf[:n])
	if err := c.requests(ctx); err != nil {
		return err
	}
	if err := c.stopped(ctx); err != nil {
		return err
	}
	silent := c.deadline && errors.Is(readErr, os.ErrDeadlineExceeded) && !errors.Is(readErr, net.ErrClosed)
	if c.flushes && (silent || errors.Is(readErr, io.EOF)) && c.decoder.Pending() {
		c.decoder.Flush()
		if err := c.requests(ctx); err != nil {
			return err
		}
	}
	if silent {
		return nil
	}
	return readErr
}

// arm sets the read deadline by which silence ends the message that is held, if it may.
func (c *conn) arm() {
	var at time.Time
	if c.flushes && c.decoder.Pending() {
		at = time.Now().Add(c.front.cfg.IdleFlush)
	}
	if at.IsZero() && !c.deadline {
		return
	}
	c.deadline = !at.IsZero()
	_ = c.link.session.SetReadDeadline(at) // If it fails the connection has ended; Read knows better why.
}

// stopped returns why the loop must end although the session has not, or nil.
func (c *conn) stopped(ctx context.Context) error {
	if err := c.peer.ending(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// requests carries out the requests which the decoder has whole.
func (c *conn) requests(ctx context.Context) error {
	for {
		req, ok, err := c.decoder.Next()
		switch {
		case err != nil:
			err = c.refuse(c.link, err)
		case !ok:
			return nil
		case !c.bucket.Take(time.Now(), c.front.cfg.RequestsPerSecond, c.front.cfg.RequestsBurst):
			err = c.refuse(c.link, refusef(wire.CodeRateLimited, "too many requests"))
		default:
			err = c.carryOut(ctx, req)
		}
		if err != nil {
			return err
		}
	}
}

// carryOut carries out one request and answers if it fails. It returns an error only if the session is to end.
func (c *conn) carryOut(ctx context.Context, req wire.Request) error {
	to, err := c.handle(ctx, req)
	if err == nil {
		c.malformed = 0
		return nil
	}
	if errors.Is(err, ErrGoodbye) {
		return err
	}
	// The end makes requests fail in ways that are nobody's business.
	if stopped := c.stopped(ctx); stopped != nil {
		return stopped
	}
	return c.refuse(to, err)
}

// refuse answers with the ERROR that err amounts to. It returns ErrMalformed if that was one malformed message in a row
// too many, whoever found the fault: a number out of range is one too (PROTOCOL.md 5.6).
func (c *conn) refuse(to *link, err error) error {
	reply := errorReply(err, c.front.cfg.Logger)
	to.reply(wire.AppendError(nil, reply))
	switch reply.Code {
	case wire.CodeMalformed, wire.CodeTooLong:
		c.malformed++
	case wire.CodeUnknownMessage: // Part of a malformed message, perhaps: it does not begin a new row.
	default:
		c.malformed = 0
	}
	if c.malformed >= malformedMax {
		return ErrMalformed
	}
	return nil
}
