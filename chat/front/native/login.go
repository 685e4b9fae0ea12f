package native

import (
	"context"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/native"
)

// A login is a session that has logged in. Requests under way use it at the same time.
type login struct {
	conn     *conn // Constant, like all up to order.
	front    *Front
	device   *chat.Device
	account  string
	guest    bool
	receiver *receiver
	order    order
}

// hello begins the session (SPEC.md 4).
func (c *conn) hello(now time.Time, head wire.Head, m wire.Hello) error {
	if c.version != 0 {
		return c.refuse(head, refusef(wire.CodeOutOfOrder, "the session has begun already"))
	}
	if m.VersionMin > wire.Version || m.Version < wire.VersionMin {
		c.reply(head, wire.Error{Code: wire.CodeVersion, Text: versionText})
		return ErrVersion
	}
	c.version = min(m.Version, wire.Version)
	c.arm()
	cfg := c.front.cfg
	can := wire.CanPrivate
	for bit, on := range map[wire.Capabilities]bool{
		wire.CanFiles: c.front.spool != nil, wire.CanGuests: cfg.Guests, wire.CanRegister: cfg.Open,
	} {
		if on {
			can |= bit
		}
	}
	welcome := wire.Welcome{
		Version: c.version, Capabilities: can, Agent: cfg.Agent, TextBytesMax: uint64(cfg.TextBytesMax),
		FileBytesMax: uint64(cfg.FileBytesMax), Seen: c.session.RemoteAddr().String(),
		Sent: m.Sent, Received: wire.At(now), Answered: wire.At(time.Now()),
	}
	if head.ID != 0 {
		c.reply(head, welcome)
	}
	return nil
}

const versionText = "this server speaks version 1 of the protocol"

// logIn carries out Register, LogIn or Guest. What comes behind it waits.
func (c *conn) logIn(work context.Context, head wire.Head, req wire.Request) error {
	if c.login != nil {
		return c.refuse(head, refusef(wire.CodeLoggedIn, "log out first"))
	}
	ctx, cancel := context.WithTimeout(work, requestTimeout)
	defer cancel()
	var who identity
	var err error
	switch m := req.(type) {
	case wire.Register:
		who, err = c.register(ctx, m)
	case wire.Guest:
		who, err = c.guest(ctx, m)
	case wire.LogIn:
		who, err = c.identify(ctx, m)
	}
	if err == nil {
		err = c.begin(ctx, who)
	}
	if err != nil {
		return c.refuse(head, err)
	}
	c.arm()
	if head.ID != 0 {
		c.reply(head, wire.LoggedIn{
			Account: who.account.Name, Show: who.account.Show, Device: who.device, Token: who.token,
			Own: chat.AccountLog(who.account.Name), Guest: who.account.Guest, Expires: wire.At(who.account.Expires),
		})
	}
	return nil
}

// An identity is who logs in, as has been proven.
type identity struct {
	account  account.Account
	device   string
	token    string // Of a new device.
	secret   string // The token it has logged in with, or will the next time.
	watchAll bool
}

// from is where the client is, for the limits on wrong passwords and new accounts.
func (c *conn) from() account.Attempt { return account.Attempt{From: c.session.RemoteAddr().Addr()} }

func (c *conn) register(ctx context.Context, m wire.Register) (identity, error) {
	secret, err := passwd.Clear(m.Password)
	if err != nil {
		return identity{}, refusef(wire.CodeBadSecret, "%v", err)
	}
	who, err := c.front.cfg.Accounts.Register(ctx, c.from(), m.Name, secret)
	if err != nil {
		return identity{}, err
	}
	return c.newDevice(ctx, who, m.Label, m.WatchAll)
}

func (c *conn) guest(ctx context.Context, m wire.Guest) (identity, error) {
	who, err := c.front.cfg.Accounts.Guest(ctx, c.from(), m.Name)
	if err != nil {
		return identity{}, err
	}
	return c.newDevice(ctx, who, m.Label, m.WatchAll)
}

func (c *conn) identify(ctx context.Context, m wire.LogIn) (identity, error) {
	if m.Token != "" {
		who, device, err := c.front.cfg.Accounts.ByToken(ctx, m.Token)
		if account.Is(err, account.CodeDenied) {
			err = refusef(wire.CodeBadToken, "the token is unknown or was revoked")
		}
		return identity{account: who, device: device, secret: m.Token, watchAll: m.WatchAll}, err
	}
	secret, err := passwd.Clear(m.Password)
	if err != nil {
		return identity{}, refusef(wire.CodeBadLogin, "wrong name or password") // No account has such a password.
	}
	who, err := c.front.cfg.Accounts.LogIn(ctx, c.from(), m.Name, secret)
	if err != nil {
		return identity{}, err
	}
	return c.newDevice(ctx, who, m.Label, m.WatchAll)
}

func (c *conn) newDevice(ctx context.Context, who account.Account, label string, watchAll bool) (identity, error) {
	token, err := c.front.cfg.Accounts.NewToken(ctx, who, label)
	return identity{account: who, device: token.Device, token: token.Text, secret: token.Text, watchAll: watchAll}, err
}

// begin logs the device in at the core.
func (c *conn) begin(ctx context.Context, who identity) error {
	l := &login{conn: c, front: c.front, account: who.account.Name, guest: who.account.Guest}
	l.receiver = &receiver{conn: c, account: l.account, device: who.device}
	device, err := c.hub.LogIn(ctx, chat.Login{
		Account: l.account, Show: who.account.Show, Device: who.device, WatchAll: who.watchAll, Whispers: true,
	}, l.receiver)
	if err != nil {
		return err
	}
	l.device = device
	c.login, c.device = l, who.device
	c.front.enter(l.account, c)
	// Whoever has revoked the token or changed the password before this has not found the session in the table.
	if _, _, err := c.front.cfg.Accounts.ByToken(ctx, who.secret); err != nil {
		c.leave(ctx)
		if account.Is(err, account.CodeDenied) {
			err = refusef(wire.CodeBadToken, "the token was revoked")
		}
		return err
	}
	return nil
}

// logOut carries out LogOut. What was asked before it is carried out first.
func (c *conn) logOut(ctx context.Context, head wire.Head, m wire.LogOut) error {
	c.lanes.settle()
	name, device := c.login.account, c.device
	c.leave(ctx)
	c.began = time.Now()
	c.arm()
	if m.Forget {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		err := c.front.cfg.Accounts.Revoke(ctx, name, device)
		if err != nil && !account.Is(err, account.CodeNotFound) { // Somebody else has done so.
			return c.refuse(head, err)
		}
	}
	if head.ID != 0 {
		c.reply(head, wire.Done{})
	}
	return nil
}

// leave ends being logged in. Nothing of the login is under way any more.
func (c *conn) leave(ctx context.Context) {
	l := c.login
	if l == nil {
		return
	}
	c.login = nil
	c.front.leave(l.account, c)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := l.device.Close(ctx); err != nil {
		c.front.cfg.Logger.Warn("others not told that a device has gone", "user", l.account, "err", err)
	}
}
