package native

import (
	"context"

	"udpchat/chat/account"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/native"
)

// password carries out Password. This device stays logged in; the others have to log in anew.
func (l *login) password(ctx context.Context, m wire.Password) error {
	if l.guest {
		return refusef(wire.CodeNotAllowed, "guests have no password")
	}
	old, err := passwd.Clear(m.Old)
	if err != nil {
		return refusef(wire.CodeBadLogin, "wrong password")
	}
	secret, err := passwd.Clear(m.New)
	if err != nil {
		return refusef(wire.CodeBadSecret, "%v", err)
	}
	err = l.front.cfg.Accounts.ChangePassword(ctx, l.conn.from(), l.account, old, secret, l.receiver.device)
	if err != nil {
		return err
	}
	return l.front.expel(l.account, "", l.receiver.device)
}

func (l *login) tokens(ctx context.Context) (wire.Reply, error) {
	devices, err := l.front.cfg.Accounts.Tokens(ctx, l.account)
	if err != nil {
		return nil, err
	}
	list := wire.TokenList{}
	for _, d := range devices {
		list.Devices = append(list.Devices, wire.Device{
			Device: d.Device, Label: printable(d.Label), Made: wire.At(d.Created), Used: wire.At(d.Used),
			Current: d.Device == l.receiver.device,
		})
	}
	return list, nil
}

// revoke carries out Revoke, and ends the sessions of the device.
func (l *login) revoke(ctx context.Context, m wire.Revoke) error {
	err := l.front.cfg.Accounts.Revoke(ctx, l.account, m.Device)
	unknown := account.Is(err, account.CodeNotFound)
	if err != nil && !unknown {
		return err
	}
	// Also of a device that has no token any more: perhaps it was revoked a moment ago, and other nodes could not be told.
	if err := l.front.expel(l.account, m.Device, ""); err != nil {
		return err
	}
	if unknown {
		return refusef(wire.CodeBadToken, "no such device")
	}
	return nil
}
