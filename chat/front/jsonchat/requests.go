package jsonchat

import (
	"context"
	"fmt"

	"udpchat/chat/account"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/jsonchat"
)

// carryOut carries out a request and answers it. An error ends the session.
func (c *conn) carryOut(ctx context.Context, req wire.Request, payloadBytes int64) error {
	var body wire.Body
	var err error
	switch req := req.(type) {
	case wire.State:
		body, err = c.state(ctx)
	case wire.Register:
		body, err = c.register(ctx, req)
	case wire.Login:
		body, err = c.logIn(ctx, req)
	case wire.Logout:
		err = c.device.unbind(ctx)
	case wire.Profile:
		body, err = c.front.profile(ctx, req.UserID)
	case wire.ModifyPasswd:
		err = c.modifyPasswd(ctx, req)
	case wire.ModifyProfile:
		body, err = c.modifyProfile(ctx, req)
	case wire.SendMsg:
		body, err = c.sendMsg(ctx, req.Message, payloadBytes)
		if c.broken != nil {
			return c.broken // There is nobody to answer, and nothing of ours went wrong.
		}
	case wire.AckFetch:
		c.ackFetch(ctx, req.Timestamp)
		return nil
	case wire.FetchMsg:
		return c.fetchMsg(ctx)
	case wire.FindFile:
		err = c.findFile(ctx, req.FileMD5)
	case wire.FetchFile:
		return c.fetchFile(ctx, req.MsgMD5)
	case wire.SearchUsr:
		body, err = c.front.search(ctx, req.Username)
	case wire.AddContact:
		return c.addContact(ctx, req.UserID)
	case wire.FetchContact:
		return c.fetchContact(ctx)
	case wire.Malformed:
		err = malformed(req.Want)
	case wire.Unknown:
		err = errUnknown
	default:
		panic(fmt.Sprintf("BUG: jsonchat: request %T", req))
	}
	return c.answer(answerName(req), body, err)
}

// login returns the log-in of the connection's token, or errNotLoggedIn.
func (c *conn) login(ctx context.Context) (*login, error) {
	l, err := c.device.logged(ctx)
	if err == nil && l == nil {
		err = errNotLoggedIn
	}
	return l, err
}

func (c *conn) state(ctx context.Context) (wire.Body, error) {
	l, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	return c.front.userInfo(ctx, l.who.Name)
}

// attempt is where the client comes from, for those who count wrong passwords.
func (c *conn) attempt() account.Attempt {
	return account.Attempt{From: c.out.session.RemoteAddr().Addr()}
}

func (c *conn) register(ctx context.Context, r wire.Register) (wire.Body, error) {
	secret, err := secretOf(r.Passwd)
	if err != nil {
		return nil, err
	}
	bound, err := c.device.bound(ctx)
	if err != nil {
		return nil, err
	}
	who, err := c.front.cfg.Accounts.Register(ctx, c.attempt(), nameOf(r.Username), secret)
	if err != nil {
		return nil, err
	}
	if bound { // As recorded: the user is there, and the answer is an error (PROTOCOL.md 5.1).
		return nil, errTokenBound
	}
	if err := c.device.bind(ctx, who); err != nil {
		return nil, err
	}
	return c.front.userInfo(ctx, who.Name)
}

func (c *conn) logIn(ctx context.Context, r wire.Login) (wire.Body, error) {
	secret, err := secretOf(r.Passwd)
	if err != nil {
		return nil, err
	}
	name := nameOf(r.Username)
	who, err := c.front.cfg.Accounts.LogIn(ctx, c.attempt(), name, secret)
	if account.Is(err, account.CodeDenied) {
		// The protocol says which of the two was wrong; SEARCHUSR would say it, too.
		if there, existsErr := c.front.cfg.Accounts.Exists(ctx, name); existsErr == nil && !there {
			return nil, errNoUser
		}
	}
	if err != nil {
		return nil, err
	}
	if err := c.device.bind(ctx, who); err != nil {
		return nil, err
	}
	return c.front.userInfo(ctx, who.Name)
}

func (c *conn) modifyPasswd(ctx context.Context, r wire.ModifyPasswd) error {
	l, err := c.login(ctx)
	if err != nil {
		return err
	}
	old, err := secretOf(r.Passwd)
	if err != nil {
		return errOldPassword
	}
	secret, err := secretOf(*r.NewPasswd)
	if err != nil {
		return err
	}
	err = c.front.cfg.Accounts.ChangePassword(ctx, c.attempt(), l.who.Name, old, secret, l.id)
	if account.Is(err, account.CodeDenied) {
		return errOldPassword
	}
	return err
}

// secretOf takes a password as clients send it: its MD5, or by some the password itself (PROTOCOL.md 5.1).
func secretOf(passwdText string) (passwd.Secret, error) {
	if secret, err := passwd.FromMD5(passwdText); err == nil {
		return secret, nil
	}
	secret, err := passwd.Clear(passwdText)
	if err != nil {
		return passwd.Secret{}, errBadPassword
	}
	return secret, nil
}
