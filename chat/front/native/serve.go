package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// A conn is one session. There may be very many, nearly all idle. Owned by the goroutine that serves it unless something
// else is said.
type conn struct {
	front   *Front           // Constant, like hub and session.
	hub     *chat.Hub        //
	session *session.Session // Safe for concurrent use.
	lanes   lanes            // Where requests are carried out.

	buf        []byte
	decoder    *message.Decoder
	greeted    int       // How much of the greeting has come.
	began      time.Time // For the time there is to log in.
	version    uint64    // 0: no Hello yet.
	bucket     bucket
	disturbing bucket // Of requests that disturb others.
	refused    int    // Requests in a row that were too fast.
	malformed  int    // Malformed messages in a row.
	login      *login // nil: nobody. Requests under way have it for themselves.
	device     string // Of the login. Constant while the session is in the front's table, where others look at it.

	mu      sync.Mutex
	why     error // Why the session must end. Guarded by mu.
	drained bool  // The client was told that the server goes down. Guarded by mu.
}

func newConn(f *Front, h *chat.Hub, s *session.Session) *conn {
	return &conn{
		front: f, hub: h, session: s, buf: make([]byte, readBytes), began: time.Now(),
		decoder: message.NewDecoder(message.Config{
			MessageBytesMax: wire.RequestBytesMax, BufferBytes: readBytes, Budget: f.budget,
		}),
	}
}

// serve reads the session until it ends, and returns why. Thousands of idle sessions wait in it for something to read: what
// else there is to do is done in functions of its own, so that it does not add to their stacks.
func (c *conn) serve(work context.Context) error {
	c.arm()
	for {
		if err := c.stopped(); err != nil {
			return err
		}
		n, err := c.session.Read(c.buf)
		if err := c.took(work, n, err); err != nil {
			return err
		}
	}
}

// arm sets the time until which the client must have said something that matters: to begin, to log in; none after that.
// It is followed by stopped, because it may have undone a wake.
func (c *conn) arm() {
	var at time.Time
	switch {
	case c.version == 0:
		at = c.began.Add(helloTimeout)
	case c.login == nil:
		at = c.began.Add(logInTimeout)
	}
	_ = c.session.SetReadDeadline(at) // If it fails the connection has ended; Read knows better why.
}

// wake makes the reader return, or fail at once when it reads next. Any goroutine may call it.
func (c *conn) wake() {
	_ = c.session.SetReadDeadline(time.Unix(1, 0)) // An error says that the session has ended: it is awake.
}

// end has the session end because of err. The first counts. Any goroutine may call it, also from within Receive.
func (c *conn) end(err error) {
	c.mu.Lock()
	if c.why == nil {
		c.why = err
	}
	c.mu.Unlock()
	c.wake()
}

// stopped returns why the session must end, or nil.
func (c *conn) stopped() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// took takes what came and sees to the messages it completes. It returns an error when the session has ended.
//
//go:noinline
func (c *conn) took(work context.Context, n int, readErr error) error {
	b, err := c.greet(c.buf[:n])
	if err != nil {
		return err
	}
	c.decoder.Feed(b)
	for {
		m, ok, err := c.decoder.Next()
		switch {
		case err == nil && !ok:
			return c.silence(readErr)
		case err == nil:
			err = c.message(work, m)
		case errors.Is(err, message.ErrBudget): // What it was nobody knows, so nothing may overtake it.
			c.reply(wire.Head{}, errorReply(err, c.front.cfg.Logger))
			err = fmt.Errorf("native: long message: %w", err)
		case message.Refused(err):
			err = c.refuse(wire.Head{}, err)
		default: // Nothing can be found behind it (SPEC.md 1).
			c.reply(wire.Head{}, wire.Error{Code: wire.CodeMalformed, Text: "frame has no length"})
			err = fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if err == nil {
			err = c.stopped()
		}
		if err != nil {
			return err
		}
	}
}

// silence returns what the end of a Read means.
func (c *conn) silence(readErr error) error {
	if err := c.stopped(); err != nil {
		return err
	}
	if errors.Is(readErr, os.ErrDeadlineExceeded) && !errors.Is(readErr, net.ErrClosed) {
		c.reply(wire.Head{}, wire.Error{Code: wire.CodeNotLoggedIn, Text: "you did not log in in time"})
		return ErrSilent
	}
	return readErr
}

// greet takes the greeting off what came first.
func (c *conn) greet(b []byte) ([]byte, error) {
	n := min(len(b), len(Greeting)-c.greeted)
	if n == 0 {
		return b, nil
	}
	if !strings.HasPrefix(Greeting[c.greeted:], string(b[:n])) {
		c.reply(wire.Head{}, wire.Error{Code: wire.CodeMalformed, Text: "a session begins with UC1 and a newline"})
		return nil, fmt.Errorf("%w: no greeting", ErrMalformed)
	}
	c.greeted += n
	return b[n:], nil
}

// message sees to one message. It returns an error only if the session is to end.
func (c *conn) message(work context.Context, m []byte) error {
	now := time.Now()
	head, req, err := wire.DecodeRequest(m)
	if wait := c.limit(now, req, len(m)); wait > 0 {
		return c.tooFast(head, req, wait)
	}
	c.refused = 0
	switch {
	case len(m) == 0:
		return nil // A sign of life (SPEC.md 1).
	case err != nil:
		return c.refuse(head, err)
	}
	c.malformed = 0
	return c.request(work, now, head, req, len(m))
}

// limit takes a request from all allowances that it counts for, and returns how long to wait if one of them is used up.
func (c *conn) limit(now time.Time, req wire.Request, size int) time.Duration {
	price := 1 + size/payBytes
	if wait := c.bucket.take(now, c.front.pace, price); wait > 0 {
		return wait
	}
	if disturbs(req) {
		if wait := c.disturbing.take(now, pace{disturbingPerSecond, disturbingBurst}, 1); wait > 0 {
			return wait
		}
	}
	if c.login != nil {
		if wait := c.front.accounts.take(now, c.login.account, price); wait > 0 {
			return wait
		}
		if searches(req) {
			if wait := c.front.searches.take(now, c.login.account, 1); wait > 0 {
				return wait
			}
		}
	}
	if n, limited := network(c.session.RemoteAddr().Addr()); limited {
		return c.front.networks.take(now, n, price)
	}
	return 0
}

// searches reports whether a request asks about everybody or everything.
func searches(req wire.Request) bool {
	switch m := req.(type) {
	case wire.Who:
		return m.Log == ""
	case wire.Since, wire.Contacts, wire.Rooms, wire.Conversations, wire.Upload:
		return true
	}
	return false
}

// disturbs reports whether a request reaches others at once and is kept nowhere, or has all servers look who is meant, so that
// nobody needs many of them.
func disturbs(req wire.Request) bool {
	switch req.(type) {
	case wire.Typing, wire.Presence, wire.Whisper, wire.Private, wire.AddContact, wire.Revoke:
		return true
	}
	return false
}

// tooFast refuses a request that came too soon. It returns ErrTooFast if that was one in a row too many.
func (c *conn) tooFast(head wire.Head, req wire.Request, wait time.Duration) error {
	if m, ok := req.(wire.Say); ok && c.login != nil {
		c.login.order.fail(m.Log, m.Counter, time.Now())
	}
	c.reply(wire.Head{ID: head.ID}, wire.Error{Code: wire.CodeRateLimited, Text: "too many requests", RetryAfter: wire.For(wait)})
	if c.refused++; c.refused >= refusedMax {
		return ErrTooFast
	}
	return nil
}

// refuse answers a request that failed. It returns ErrMalformed if it was one malformed message in a row too many.
func (c *conn) refuse(head wire.Head, err error) error {
	reply := errorReply(err, c.front.cfg.Logger)
	c.reply(head, reply)
	if reply.Code == wire.CodeMalformed {
		if c.malformed++; c.malformed >= malformedMax {
			return ErrMalformed
		}
	}
	return nil
}

// reply queues an answer. Any goroutine may call it.
func (c *conn) reply(to wire.Head, m wire.Reply) {
	// The error says that the session has ended; its reader finds out.
	_ = c.session.Reply(frame(wire.AppendReply(nil, to, m)))
}

// push queues what answers nothing. Any goroutine may call it.
func (c *conn) push(m wire.Push) {
	_ = c.session.Enqueue(frame(wire.AppendPush(nil, m))) // As above.
}

// close is the end of the session, which has ended with err. What is under way gets a moment to be completed, since its
// client may still be there to hear of it, and its result matters anyway.
func (c *conn) close(ctx context.Context, cancel context.CancelFunc, err error) {
	c.farewell(ctx, err)
	grace := time.AfterFunc(drainGrace, cancel)
	c.lanes.settle()
	grace.Stop()
	c.leave(ctx)
	c.decoder.Close()
}

// farewell tells the client why the session ends, if it can be told anything.
func (c *conn) farewell(ctx context.Context, err error) {
	switch {
	case errors.Is(err, ErrReplaced):
		c.reply(wire.Head{}, wire.Error{Code: wire.CodeLoggedIn, Text: "this device began another session"})
	case errors.Is(err, ErrRevoked):
		c.reply(wire.Head{}, wire.Error{Code: wire.CodeRevoked, Text: "the token of this device was revoked"})
	case errors.Is(err, errPanicked):
		c.reply(wire.Head{}, wire.Error{Code: wire.CodeInternal, Text: "internal error"})
	case ctx.Err() != nil:
		c.drain(c.front.cfg.ComeBackAfter, c.front.cfg.ComeBackTo)
	}
}

// drain tells the client, once, that the server goes down.
func (c *conn) drain(after time.Duration, to string) {
	c.mu.Lock()
	drained := c.drained
	c.drained = true
	c.mu.Unlock()
	if !drained {
		c.push(wire.Drain{After: wire.For(after), Address: to, Text: "the server is going down"})
	}
}

// recovered ends the session after a panic on a lane, which would end the program.
func (c *conn) recovered(v any) {
	text := fmt.Sprint(v)
	c.front.cfg.Logger.Error("request panicked", "peer", c.session.RemoteAddr().String(),
		"err", text[:min(len(text), panicTextBytesMax)], "stack", string(debug.Stack()))
	c.end(errPanicked)
}
