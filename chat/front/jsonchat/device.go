package jsonchat

import (
	"context"
	"sync"

	"udpchat/chat"
	"udpchat/chat/account"
)

// A device is all connections that use one token on this server.
type device struct {
	front *Front
	hub   *chat.Hub
	token token
	gate  gate           // Of who logs in or out, or says something.
	wg    sync.WaitGroup // Holds what log-ins have running. The last connection waits for it.
	conns int            // Guarded by the Front's mu.

	mu    sync.Mutex
	users map[*conn]struct{} // The connections. Guarded by mu.
	login *login             // nil: nobody is known to be logged in. Guarded by mu.
}

// enter makes c a connection of a token.
func (f *Front) enter(c *conn, t token) *device {
	f.mu.Lock()
	d := f.devices[t]
	if d == nil {
		d = &device{front: f, hub: c.hub, token: t, gate: newGate(), users: make(map[*conn]struct{})}
		f.devices[t] = d
	}
	d.conns++
	f.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users[c] = struct{}{}
	return d
}

// leave undoes enter. The last connection ends the log-in here; the client is still logged in.
func (f *Front) leave(c *conn, d *device) {
	d.mu.Lock()
	delete(d.users, c)
	d.mu.Unlock()
	f.mu.Lock()
	d.conns--
	last := d.conns == 0
	if last {
		delete(f.devices, d.token)
	}
	f.mu.Unlock()
	if !last {
		return
	}
	if l := d.current(); l != nil {
		d.drop(l)
	}
	d.wg.Wait()
}

// current returns the log-in, or nil.
func (d *device) current() *login {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.login
}

// drop ends a log-in. It may be called more than once, and before begin has returned it.
func (d *device) drop(l *login) {
	l.end() // First, so that begin does not put it back.
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.login == l {
		d.login = nil
	}
}

// connections returns the connections there are now.
func (d *device) connections() []*conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*conn, 0, len(d.users))
	for c := range d.users {
		all = append(all, c)
	}
	return all
}

// logged returns the log-in of the token, which another connection or server may have made; nil if there is none.
func (d *device) logged(ctx context.Context) (*login, error) {
	if l := d.current(); l != nil {
		return l, nil
	}
	if err := d.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer d.gate.leave()
	if l := d.current(); l != nil {
		return l, nil
	}
	r, _, err := d.front.tokens.read(ctx, d.token)
	if err != nil || len(r.Login) == 0 {
		return nil, err
	}
	who, id, err := d.front.cfg.Accounts.ByToken(ctx, d.front.tokens.unseal(d.token, r.Login))
	if account.Is(err, account.CodeDenied) {
		return nil, nil // Revoked meanwhile.
	}
	if err != nil {
		return nil, err
	}
	return d.begin(ctx, who, id)
}

// bind logs an account in with the token, in place of whoever was. Somebody has checked who it is.
func (d *device) bind(ctx context.Context, who account.Account) error {
	if err := d.gate.enter(ctx); err != nil {
		return err
	}
	defer d.gate.leave()
	if err := d.unbindGated(ctx); err != nil {
		return err
	}
	made, err := d.front.cfg.Accounts.NewToken(ctx, who, "jsonchat")
	if err != nil {
		return err
	}
	sealed := d.front.tokens.seal(d.token, made.Text)
	if err := d.front.tokens.change(ctx, d.token, func(r *tokenRecord) { r.Login = sealed }); err != nil {
		return err
	}
	_, err = d.begin(ctx, who, made.Device)
	return err // Whoever has revoked it at this very moment is right: the next request says so.
}

// unbind logs out whoever is logged in with the token.
func (d *device) unbind(ctx context.Context) error {
	if err := d.gate.enter(ctx); err != nil {
		return err
	}
	defer d.gate.leave()
	return d.unbindGated(ctx)
}

func (d *device) unbindGated(ctx context.Context) error {
	if l := d.current(); l != nil {
		d.drop(l)
	}
	r, _, err := d.front.tokens.read(ctx, d.token)
	if err != nil || len(r.Login) == 0 {
		return err
	}
	accounts := d.front.cfg.Accounts
	who, id, err := accounts.ByToken(ctx, d.front.tokens.unseal(d.token, r.Login))
	if err == nil {
		err = accounts.Revoke(ctx, who.Name, id)
	}
	if err != nil && !account.Is(err, account.CodeDenied) && !account.Is(err, account.CodeNotFound) {
		return err
	}
	return d.front.tokens.change(ctx, d.token, func(r *tokenRecord) { r.Login = nil })
}

// bound reports whether somebody is logged in with the token.
func (d *device) bound(ctx context.Context) (bool, error) {
	l, err := d.logged(ctx)
	return l != nil, err
}
