package im

import (
	"context"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/im"
)

// logIn carries out either half of a log-in: is there such a user, and is that the password (PROTOCOL.md 3.1).
func (c *conn) logIn(ctx context.Context, r wire.Login) error {
	switch {
	case c.member != nil:
		c.out.reply(refused(textInvalid))
		return nil
	case !r.HasPassword:
		return c.askUser(ctx, r.User)
	}
	secret, err := passwd.Clear(r.Password)
	if err != nil {
		secret = passwd.Secret{} // Nobody has it. It is tried all the same, and counts.
	}
	who, err := c.front.cfg.Accounts.LogIn(ctx, c.attempt(), r.User, secret)
	if err != nil {
		return c.notLetIn(ctx, err)
	}
	return c.begin(ctx, who, textSuccess)
}

// askUser says whether there is such a user. It is the one answer of this protocol that tells, and its clients need it.
func (c *conn) askUser(ctx context.Context, name string) error {
	a, err := c.front.cfg.Accounts.Lookup(ctx, name)
	switch {
	case account.Is(err, account.CodeNoAccount), err == nil && a.Guest:
		c.out.reply(refused(textNoSuchUser))
	case err != nil:
		c.out.reply(c.front.unforeseen(ctx, err))
	default:
		c.out.reply(ok(textSuccess))
	}
	return nil
}

// register makes a user, who is logged in then.
func (c *conn) register(ctx context.Context, r wire.Register) error {
	if c.member != nil {
		c.out.reply(refused(textInvalid))
		return nil
	}
	secret, err := passwd.Clear(r.Password)
	if err != nil {
		secret = passwd.Secret{} // Refused as no password.
	}
	who, err := c.front.cfg.Accounts.Register(ctx, c.attempt(), r.User, secret)
	if err != nil {
		return c.notLetIn(ctx, err)
	}
	return c.begin(ctx, who, textRegistered)
}

func (c *conn) attempt() account.Attempt {
	return account.Attempt{From: c.session.RemoteAddr().Addr(), NameLock: c.front.cfg.BlockDuration}
}

// notLetIn answers a refused log-in.
func (c *conn) notLetIn(ctx context.Context, err error) error {
	rep, final := c.front.logInRefused(ctx, err)
	c.out.reply(rep)
	if final {
		return ErrNotLetIn
	}
	return nil
}

// begin logs a user in, who has proven to be who; text is the answer.
func (c *conn) begin(ctx context.Context, who account.Account, text string) error {
	m := newMember(c, who)
	if !c.front.enter(m) {
		c.out.reply(wire.Text{Code: wire.Shut, Text: textOnline})
		return ErrNotLetIn
	}
	// What happens from here on the user is told, but after the answer.
	c.out.hold()
	if c.hub.IsOnline(who.Name) && deliver(ctx, c.hub, who.Name, who.Name, letter{Kind: letterHere}) == nil { // Elsewhere.
		c.front.leave(m)
		c.out.release(wire.Text{Code: wire.Shut, Text: textOnline})
		return ErrNotLetIn
	}
	device, err := c.hub.LogIn(ctx, chat.Login{Account: who.Name, Show: who.Show, Device: account.NewDevice(), WatchAll: true, Whispers: true}, m)
	if err != nil {
		c.front.leave(m)
		c.out.release(c.front.sayRefused(ctx, err))
		return ErrNotLetIn
	}
	m.device = device
	c.member = m // From here on, close closes it.
	if err := m.start(ctx); err != nil {
		c.out.release(c.front.unforeseen(ctx, err))
		return errInternal
	}
	c.out.release(ok(text))
	return nil
}

// start has a user who is logged in told what there is to tell.
func (m *member) start(ctx context.Context) error {
	blocked, err := m.front.cfg.Accounts.Blocked(ctx, m.account.Name)
	if err != nil {
		return err
	}
	m.mu.Lock()
	for _, name := range blocked {
		m.blocked[name] = true
	}
	m.ready = true
	m.mu.Unlock()
	// The account's own log first: a conversation that begins now is in it, or in the list.
	if _, err := m.device.Attach(ctx, chat.AccountLog(m.account.Name)); err != nil {
		return err
	}
	// From now on it hears of another password. Whether there was one before, the account says.
	current, err := m.front.cfg.Accounts.IsCurrent(ctx, m.account)
	if err != nil {
		return err
	}
	if !current {
		m.end(ErrPassword)
	}
	if _, err := m.device.Join(ctx, m.front.cfg.Room); err != nil {
		m.front.unforeseen(ctx, err) // Without broadcasts, then.
	}
	talks, err := m.device.Conversations(ctx)
	if err != nil {
		return err
	}
	for _, t := range talks {
		if t.Peer != "" {
			m.follow(t.Log)
		}
	}
	return nil
}
