package chat

import (
	"context"
	"time"
)

// Said is where a message is stored.
type Said struct {
	Seq  uint64
	Time time.Time
}

// Say stores what the device says in a room of which the account is a member, or in a direct
// conversation, and returns when it is stored; the device is told of it like everybody who is attached.
// counter is above 0 and rises with every message of the device in that log, and is kept for every retry:
// saying the same counter again gives the first Said and changes nothing, whatever the content is. It
// refuses with CodeNotMember, CodeNoUser, CodeSelf, CodeBlocked, CodeTooLong, CodeTooMany, CodeBadContent,
// CodeNotFound (the file), CodeStale, CodeClosed or CodeShuttingDown. After any other error the message may
// or may not be stored; a retry settles it.
func (d *Device) Say(ctx context.Context, log string, counter uint64, c Content) (Said, error) {
	const op = "say"
	if counter == 0 {
		return Said{}, d.hub.refuse(op, CodeBadContent, 0, "a message has no counter")
	}
	rec, err := d.hub.contentRecord(op, c)
	if err != nil {
		return Said{}, err
	}
	if err := d.maySay(ctx, op, log); err != nil {
		return Said{}, err
	}
	rec.account, rec.name = d.account.name, d.show
	msg, err := d.hub.cfg.Engine.Append(ctx, log, deviceID(d.id, counter), rec.encode())
	if err != nil {
		return Said{}, engineError(op, err)
	}
	return Said{Seq: msg.Seq, Time: msg.Time}, nil
}

// maySay refuses unless the device may say something in that log now.
func (d *Device) maySay(ctx context.Context, op, log string) error {
	if err := d.refuseClosed(op); err != nil {
		return err
	}
	peer, direct := DirectPeer(log, d.account.name)
	if !direct {
		if _, ok := d.account.entered(log); !ok {
			return d.hub.refuse(op, CodeNotMember, 0, "")
		}
		return nil
	}
	if err := d.meet(ctx, op, peer); err != nil {
		return err
	}
	if err := d.refuseBlocked(ctx, op, peer); err != nil {
		return err
	}
	return d.converse(ctx, op, peer)
}
