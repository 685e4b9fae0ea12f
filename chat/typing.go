package chat

import "context"

// Typing tells the others in a room or a direct conversation that somebody is writing something, or has
// stopped. It is sent and forgotten: a client that has heard nothing for some seconds takes it for stopped, and no
// direct conversation begins by it. It refuses like Say.
func (d *Device) Typing(ctx context.Context, log string, on bool) error {
	const op = "typing"
	if _, err := d.maySay(ctx, op, log); err != nil {
		return err
	}
	rec := record{kind: KindTyping, account: d.account.name, name: d.show}
	if on {
		rec.number = 1
	}
	if err := d.hub.cfg.Engine.Send(log, rec.encode()); err != nil {
		return engineError(op, err)
	}
	return nil
}
