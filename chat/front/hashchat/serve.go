package hashchat

import (
	"context"
	"errors"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/hashchat"
)

// A conn is one session. Owned by the goroutine that serves it.
type conn struct {
	front   *Front
	hub     *chat.Hub
	session *session.Session
	loop    front.Loop
	decoder wire.Decoder
	bucket  front.Bucket
	member  *member // nil before CONNECT.
}

func newConn(f *Front, s *session.Session, h *chat.Hub) *conn {
	c := &conn{front: f, hub: h, session: s}
	c.decoder.CutText = f.cfg.CutText
	c.loop = front.Loop{
		Session: s, Decoder: &c.decoder, Take: c.requests,
		IdleFlush: front.Quiet(s, f.cfg.IdleFlush),
	}
	return c
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
			err = c.illegal()
		} else {
			err = c.carryOut(ctx, req)
		}
		if err != nil {
			return err
		}
	}
}

// carryOut carries out one request. It returns an error only if the session is to end.
func (c *conn) carryOut(ctx context.Context, req wire.Request) error {
	switch r := req.(type) {
	case wire.Connect:
		return c.connect(ctx, r)
	case wire.Send:
		return c.send(ctx, r)
	case wire.Close:
		return ErrGoodbye
	case wire.Unknown:
		return c.illegal()
	}
	panic("BUG: hashchat: request of no known type")
}

// illegal is a line that is no request, or comes at the wrong time: it is ignored, or ends the session (PROTOCOL.md 4).
func (c *conn) illegal() error {
	if c.front.cfg.Numbered {
		return ErrIllegal
	}
	return nil
}

// connect carries out CONNECT. The client's ONLINE comes with its own KindJoined.
func (c *conn) connect(ctx context.Context, r wire.Connect) error {
	switch {
	case c.member != nil:
		return c.illegal()
	case c.front.users != nil && !c.front.users[r.Name]:
		return ErrNoUser
	case !wire.CanAddress(r.Name):
		return c.notLetIn(badName)
	}
	m := &member{front: c.front, session: c.session}
	user, err := c.hub.Enter(r.Name, m, chat.SmallIDs, chat.SharedName)
	if err != nil {
		return c.notLetIn(refused(err, c.front.cfg.Logger))
	}
	m.user = user
	c.member = m
	if m.room, err = user.Join(ctx, c.front.cfg.Room); err == nil {
		return nil
	}
	if err := c.loop.Stopped(ctx); err != nil {
		return err
	}
	return c.notLetIn(refused(err, c.front.cfg.Logger))
}

// notLetIn is why a session ends whose CONNECT was refused.
func (c *conn) notLetIn(a answer) error {
	if a == badName && c.front.cfg.Numbered {
		return ErrIllegal
	}
	return ErrRefused
}

// send carries out SEND. What the core refuses is silence, and so is nobody of that name, but for a name that belongs to
// somebody else by now, and a recipient who is not one of the users (PROTOCOL.md 3.1, 4).
func (c *conn) send(ctx context.Context, r wire.Send) error {
	m := c.member
	if m == nil {
		return c.illegal()
	}
	if r.All {
		err := m.user.Say(ctx, m.room, "", r.Text)
		if err != nil && ctx.Err() == nil && refused(err, c.front.cfg.Logger) == badName {
			return c.notLetIn(badName)
		}
		return nil
	}
	var end error
	for _, name := range r.To {
		_, err := m.user.Whisper(name, r.Text)
		switch {
		case err == nil:
		case isNobody(err) && c.front.users != nil && !c.front.users[name]:
			end = ErrNoUser
		case refused(err, c.front.cfg.Logger) == badName:
			return c.notLetIn(badName)
		}
	}
	return end
}

// close is the end of the session, whose loop has ended with err.
func (c *conn) close(ctx context.Context, err error) {
	bye := wire.AppendClosed(nil, wire.Closed{Why: c.front.whyOf(err)})
	reason := chat.ReasonLost
	switch {
	case errors.Is(err, ErrGoodbye):
		reason = chat.ReasonDisconnected
	case ctx.Err() != nil:
		reason = chat.ReasonShutdown
	case errors.Is(c.session.Err(), session.ErrSlow):
		reason = chat.ReasonSlow
	}
	m := c.member
	if m == nil {
		_ = c.session.Reply(bye) // An error says that nobody is there to hear it.
		return
	}
	m.leave(bye)
	defer c.front.forget(m)
	// The room is to hear of it also when ctx, which is the server's, has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := m.user.Close(ctx, reason); err != nil {
		c.front.cfg.Logger.Warn("rooms not told that a client left", "user", uint32(m.user.ID()), "err", err)
	}
}
