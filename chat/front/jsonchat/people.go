package jsonchat

import (
	"bytes"
	"context"
	"encoding/base64"
	"unicode"
	"unicode/utf8"

	"udpchat/chat/account"
	"udpchat/chat/names"
	wire "udpchat/chat/wire/jsonchat"
)

// A user is what is remembered of an account that somebody asked for.
type user struct {
	id   int64
	show string
}

// nameOf returns the name that a username stands for: what is in its base64, or the username itself if that is no UTF-8 or
// has control characters, which nobody types (PROTOCOL.md 5.1). Whether an account can be called that is another question.
func nameOf(username string) string {
	b, err := base64.StdEncoding.DecodeString(username)
	if err != nil || !utf8.Valid(b) || bytes.ContainsFunc(b, unicode.IsControl) {
		return username
	}
	return string(b)
}

// usernameOf is the reverse.
func usernameOf(show string) string { return base64.StdEncoding.EncodeToString([]byte(show)) }

// user returns the number of an account and the name to show, by its canonical name. Both change next to never: a spelling
// that was changed on another server is seen late.
func (f *Front) user(ctx context.Context, name string) (user, error) {
	f.mu.Lock()
	u, ok := f.users[name]
	f.mu.Unlock()
	if ok {
		return u, nil
	}
	a, err := f.cfg.Accounts.Lookup(ctx, name)
	if err != nil {
		return user{}, err
	}
	return f.remember(a), nil
}

// remember notes what is known of an account.
func (f *Front) remember(a account.Account) user {
	u := user{int64(a.ID), a.Show}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.users) >= usersMax {
		clear(f.users)
	}
	f.users[a.Name] = u
	return u
}

// userInfo returns an account, by its canonical name, as clients see it.
func (f *Front) userInfo(ctx context.Context, name string) (wire.UserInfo, error) {
	u, err := f.user(ctx, name)
	if err != nil {
		return wire.UserInfo{}, err
	}
	info := wire.UserInfo{UserID: u.id, Username: usernameOf(u.show)}
	p, err := f.cfg.Accounts.Profile(ctx, name)
	if err != nil {
		return wire.UserInfo{}, err
	}
	if p.Avatar != "" {
		info.Avatar = &p.Avatar
	}
	return info, nil
}

// byID returns the account of a userid, or errNoUser.
func (f *Front) byID(ctx context.Context, id int64) (account.Account, error) {
	if id <= 0 {
		return account.Account{}, errNoUser
	}
	return f.cfg.Accounts.ByID(ctx, uint64(id))
}

// profile answers PROFILE.
func (f *Front) profile(ctx context.Context, id int64) (wire.Body, error) {
	a, err := f.byID(ctx, id)
	if err != nil {
		return nil, err
	}
	f.remember(a)
	return f.userInfo(ctx, a.Name)
}

// search answers SEARCHUSR.
func (f *Front) search(ctx context.Context, username string) (wire.Body, error) {
	a, err := f.cfg.Accounts.Lookup(ctx, nameOf(username))
	if err != nil {
		return nil, err
	}
	f.remember(a)
	return f.userInfo(ctx, a.Name)
}

// modifyProfile keeps the avatar, and how the name is written (PROTOCOL.md 5.2).
func (c *conn) modifyProfile(ctx context.Context, r wire.ModifyProfile) (wire.Body, error) {
	l, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	accounts := c.front.cfg.Accounts
	show := nameOf(r.Username)
	if name, err := names.Account(show); err != nil || name != l.who.Name {
		if there, err := accounts.Exists(ctx, show); err != nil || there {
			return nil, orRefusal(err, errRenameTaken)
		}
		return nil, errRename
	}
	p, err := accounts.Profile(ctx, l.who.Name)
	if err != nil {
		return nil, err
	}
	p.Avatar = ""
	if r.Avatar != nil {
		p.Avatar = *r.Avatar
	}
	if len(p.Avatar) > avatarBytesMax {
		return nil, errAvatar
	}
	if err := accounts.SetShow(ctx, l.who.Name, show); err != nil {
		return nil, err
	}
	if err := accounts.SetProfile(ctx, l.who.Name, p); err != nil {
		return nil, err
	}
	a, err := accounts.Lookup(ctx, l.who.Name)
	if err != nil {
		return nil, err
	}
	c.front.remember(a)
	return c.front.userInfo(ctx, a.Name)
}

// addContact answers ADDCONTACT, and then as if FETCHCONTACT had been asked for (PROTOCOL.md 5).
func (c *conn) addContact(ctx context.Context, id int64) error {
	err := c.addOne(ctx, id)
	if err := c.answer(wire.AddContact{}.Name(), nil, err); err != nil {
		return err
	}
	return c.fetchContact(ctx)
}

func (c *conn) addOne(ctx context.Context, id int64) error {
	l, err := c.login(ctx)
	if err != nil {
		return err
	}
	peer, err := c.front.byID(ctx, id)
	if err != nil {
		return err
	}
	return c.front.cfg.Accounts.AddContact(ctx, l.who.Name, peer.Name)
}

// fetchContact answers FETCHCONTACT. An error ends the session.
func (c *conn) fetchContact(ctx context.Context) error {
	name := wire.FetchContact{}.Name()
	return c.heavily(ctx, name, func(l *login) error {
		body, err := c.contacts(ctx, l)
		return c.answer(name, body, err)
	})
}

// contacts returns the three lists.
func (c *conn) contacts(ctx context.Context, l *login) (wire.Body, error) {
	lists, err := c.front.cfg.Accounts.Lists(ctx, l.who.Name)
	if err != nil {
		return nil, err
	}
	var body wire.Contacts
	room := contactsBytesMax
	for _, part := range []struct {
		names []string
		to    *[]wire.UserInfo
	}{{lists.Mutual, &body.Contacts}, {lists.Pending, &body.Pending}, {lists.Requesting, &body.Requesting}} {
		for _, name := range part.names {
			info, err := c.front.userInfo(ctx, name)
			if account.Is(err, account.CodeNoAccount) {
				continue // A guest whose time is over.
			}
			if err != nil {
				return nil, err
			}
			if info.Avatar != nil && len(*info.Avatar) > room {
				info.Avatar = nil
			}
			if info.Avatar != nil {
				room -= len(*info.Avatar)
			}
			*part.to = append(*part.to, info)
		}
	}
	return body, nil
}

// orRefusal returns err, or r if that is nil.
func orRefusal(err error, r refusal) error {
	if err != nil {
		return err
	}
	return r
}
