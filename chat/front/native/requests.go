package native

import (
	"context"
	"time"

	wire "udpchat/chat/wire/native"
)

// request decides who may ask for what, and when (SPEC.md 4). It returns an error only if the session is to end.
func (c *conn) request(work context.Context, now time.Time, head wire.Head, req wire.Request, size int) error {
	switch m := req.(type) {
	case wire.Unknown:
		return c.refuse(head, refusef(wire.CodeUnknownType, "this server knows no request %d", m.Of))
	case wire.Hello:
		return c.hello(now, head, m)
	}
	if c.version == 0 {
		return c.refuse(head, refusef(wire.CodeOutOfOrder, "a session begins with hello"))
	}
	switch m := req.(type) {
	case wire.Ping:
		if head.ID != 0 {
			c.reply(head, wire.Pong{Sent: m.Sent, Received: wire.At(now), Answered: wire.At(time.Now())})
		}
		return nil
	case wire.Register, wire.LogIn, wire.Guest:
		return c.logIn(work, head, m)
	case wire.Transfer:
		return c.transfer(work, head, m)
	case wire.Chunk, wire.Finish:
		return c.refuse(head, refusef(wire.CodeOutOfOrder, "files have sessions of their own"))
	}
	l := c.login
	if l == nil {
		return c.refuse(head, refusef(wire.CodeNotLoggedIn, "log in first"))
	}
	if m, ok := req.(wire.LogOut); ok {
		return c.logOut(work, head, m)
	}
	c.lanes.run(laneOf(req), size, func() { c.carryOut(work, l, head, req) })
	return nil
}

// Lanes that are no log's: for whispers, and for long answers.
const (
	whisperLane = "\x00whisper"
	longLane    = "\x00long"
)

// laneOf returns the lane of a request. What is about one log is carried out in the order in which it was asked.
func laneOf(req wire.Request) string {
	switch m := req.(type) {
	case wire.Say:
		return m.Log
	case wire.Join:
		return m.Room
	case wire.Attach:
		return m.Log
	case wire.Leave:
		return m.Log
	case wire.History:
		return m.Log
	case wire.Mark:
		return m.Log
	case wire.Typing:
		return m.Log
	case wire.Topic:
		return m.Log
	case wire.Who:
		return m.Log
	case wire.Whisper:
		return whisperLane // Whoever it is for may take a while to say that it came.
	}
	return ""
}

// carryOut carries out one request and answers it.
func (c *conn) carryOut(work context.Context, l *login, head wire.Head, req wire.Request) {
	defer func() {
		if v := recover(); v != nil {
			c.recovered(v)
		}
	}()
	ctx, cancel := context.WithTimeout(work, requestTimeout)
	defer cancel()
	reply, err := l.handle(ctx, req)
	if err != nil {
		c.reply(head, errorReply(err, c.front.cfg.Logger))
		return
	}
	c.answer(work, l, head, reply)
}

// answer queues an answer. Long ones go one after the other, each when the client has taken most of what was queued before.
func (c *conn) answer(work context.Context, l *login, head wire.Head, reply wire.Reply) {
	var b []byte
	if head.ID != 0 {
		b = frame(wire.AppendReply(nil, head, reply))
	}
	if len(b) <= longBytes {
		c.queue(l, reply, b)
		return
	}
	c.lanes.follow(longLane, len(b), func() {
		_ = c.session.Drained(work, pagesQueuedBytesMax) // An error says that the session ends.
		c.queue(l, reply, b)
	})
}

// queue queues the bytes of an answer, and behind a Place what was held for it.
func (c *conn) queue(l *login, reply wire.Reply, b []byte) {
	if place, ok := reply.(wire.Place); ok {
		l.receiver.release(place.Log, b)
		return
	}
	_ = c.session.Enqueue(b) // As above.
}

// handle carries out a request of somebody who has logged in.
func (l *login) handle(ctx context.Context, req wire.Request) (wire.Reply, error) {
	switch m := req.(type) {
	case wire.Say:
		return l.say(ctx, m)
	case wire.Join:
		return l.join(ctx, m)
	case wire.Attach:
		return l.attach(ctx, m)
	case wire.Direct:
		return l.direct(ctx, m)
	case wire.Leave:
		return wire.Done{}, l.device.Leave(ctx, m.Log)
	case wire.History:
		return l.history(ctx, m)
	case wire.Mark:
		return wire.Done{}, l.device.Mark(ctx, m.Log, m.Seq)
	case wire.Typing:
		return wire.Done{}, l.device.Typing(ctx, m.Log, m.On)
	case wire.Topic:
		return wire.Done{}, l.device.Topic(ctx, m.Log, m.Text)
	case wire.Rooms:
		return l.rooms(ctx, m)
	case wire.Conversations:
		return l.conversations(ctx, m)
	case wire.Presence:
		return wire.Done{}, l.presence(m)
	case wire.Who:
		return l.who(ctx, m)
	case wire.Since:
		return l.since(m), nil
	case wire.Contacts:
		return l.contacts(ctx, m)
	case wire.AddContact:
		return wire.Done{}, l.front.cfg.Accounts.AddContact(ctx, l.account, m.Name)
	case wire.RemoveContact:
		return wire.Done{}, l.removeContact(ctx, m)
	case wire.Block:
		return wire.Done{}, l.front.cfg.Accounts.Block(ctx, l.account, m.Name)
	case wire.Unblock:
		return wire.Done{}, l.unblock(ctx, m)
	case wire.Blocked:
		return l.blocked(ctx)
	case wire.Password:
		return wire.Done{}, l.password(ctx, m)
	case wire.Tokens:
		return l.tokens(ctx)
	case wire.Revoke:
		return wire.Done{}, l.revoke(ctx, m)
	case wire.Upload:
		return l.upload(ctx, m)
	case wire.Download:
		return l.download(ctx, m)
	case wire.Private:
		return wire.Done{}, l.private(ctx, m)
	case wire.Whisper:
		return wire.Done{}, l.whisper(ctx, m)
	}
	return nil, refusef(wire.CodeUnknownType, "this server does not carry out request %d", req.Type())
}
