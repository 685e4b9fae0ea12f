package relay

import (
	"context"
	"strings"
	"unicode"

	"udpchat/chat"
	wire "udpchat/chat/wire/relay"
)

// register carries out REGISTER (PROTOCOL.md 3.1). It returns a refusal, or why the session is to end.
func (c *conn) register(ctx context.Context, r wire.Register) error {
	u, err := c.front.take(ctx, c, r)
	if err != nil {
		return err
	}
	c.user = u
	if c.decoder.Spaced() {
		u.spaced.Store(true)
	}
	if r.Role == wire.ToSend {
		c.pipe.answer(wire.Registered(r))
		u.mu.Lock()
		defer u.mu.Unlock()
		u.send = &c.pipe
		return nil
	}
	c.pipe.hold() // Until the client knows that it is registered.
	u.mu.Lock()
	u.recv = &c.pipe
	u.mu.Unlock()
	room, err := u.user.Join(ctx, c.front.cfg.Room)
	if err != nil {
		if stopped := c.loop.Stopped(ctx); stopped != nil {
			return stopped
		}
		c.pipe.answer(wire.Error{Code: codeOf(err, c.front.cfg.Logger)})
		return ErrFull
	}
	u.mu.Lock()
	u.room = room
	u.mu.Unlock()
	c.pipe.answer(wire.Registered(r))
	c.pipe.release()
	return nil
}

// take gives a connection its place in the user of that name, who is made if need be.
func (f *Front) take(ctx context.Context, c *conn, r wire.Register) (*user, error) {
	malformed := &refusal{wire.CodeMalformedName}
	if !isName(r.Name) {
		return nil, malformed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.users[r.Name]
	switch {
	case c.user != nil && c.user != u:
		return nil, malformed // Another name on the same connection.
	case u != nil && (u.gone || u.conns[r.Role] != nil):
		return nil, malformed
	case u != nil:
		u.conns[r.Role] = c
		return u, nil
	}
	u = &user{front: f, name: r.Name, conns: map[wire.Role]*conn{r.Role: c}}
	var err error
	if u.user, err = c.hub.Enter(r.Name, u, chat.SmallIDs, chat.SoleName); err != nil {
		code := codeOf(err, f.cfg.Logger)
		if code == wire.CodeMalformedName {
			return nil, malformed
		}
		c.pipe.answer(wire.Error{Code: code})
		return nil, ErrFull
	}
	u.ctx, u.cancel = context.WithCancel(ctx)
	f.users[r.Name] = u
	return u, nil
}

// isName reports whether a name is of letters and digits, and not the one that means everybody.
func isName(name string) bool {
	if name == "" || strings.EqualFold(name, all) {
		return false
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}
