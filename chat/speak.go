package chat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

// Said is where a message is stored.
type Said struct {
	Seq  uint64
	Time time.Time // Zero if it was said again, and its content is no longer stored.
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
	peer, err := d.maySay(ctx, op, log)
	if err == nil && peer != "" {
		err = d.converse(ctx, op, peer)
	}
	if err != nil {
		return Said{}, err
	}
	seq, stale := d.hub.remember(log, d.id, counter)
	switch {
	case stale:
		return Said{}, d.hub.refuse(op, CodeStale, 0, "")
	case seq > 0:
		return d.hub.saidBefore(ctx, op, log, Msg{Seq: seq}, rec)
	}
	if err := d.hub.checkFile(ctx, op, c.File); err != nil {
		return Said{}, err
	}
	rec.account, rec.name = d.account.name, d.show
	data := rec.encode()
	msg, err := d.hub.cfg.Engine.Append(ctx, log, deviceID(d.id, counter), data)
	if err != nil {
		return Said{}, engineError(op, err)
	}
	if !bytes.Equal(msg.Data, data) {
		return d.hub.saidBefore(ctx, op, log, msg, rec)
	}
	return d.hub.said(ctx, log, msg), nil
}

// saidBefore answers a message whose counter the device has used before, if it is the message that is stored: a program
// whose state was put back to what it was a while ago must not take one for the other. What is not kept any more is
// believed.
func (h *Hub) saidBefore(ctx context.Context, op, log string, msg Msg, rec record) (Said, error) {
	if msg.Data == nil {
		msgs, err := h.cfg.Engine.Read(ctx, log, msg.Seq-1, msg.Seq+1, 1)
		if err != nil {
			return Said{}, engineError(op, err)
		}
		if len(msgs) > 0 {
			msg = msgs[0]
		}
	}
	if msg.Data != nil {
		is, err := decodeRecord(msg.Data)
		if err != nil {
			return Said{}, engineError(op, err)
		}
		if is.account, is.name, rec.account, rec.name = "", "", "", ""; is != rec {
			return Said{}, h.refuse(op, CodeReused, 0, "")
		}
	}
	return h.said(ctx, log, msg), nil
}

// said says where a message is. Some engines do not look further than the number of one that they have.
func (h *Hub) said(ctx context.Context, log string, msg Msg) Said {
	h.noteStored(log, msg.Seq)
	if msg.Time.IsZero() {
		if msgs, err := h.cfg.Engine.Read(ctx, log, msg.Seq-1, 0, 1); err == nil && len(msgs) > 0 && msgs[0].Seq == msg.Seq {
			msg.Time = msgs[0].Time
		}
	}
	return Said{Seq: msg.Seq, Time: msg.Time}
}

// checkFile refuses a file whose content is not there in full.
func (h *Hub) checkFile(ctx context.Context, op string, f *File) error {
	if f == nil {
		return nil
	}
	r, err := h.cfg.Engine.GetBlob(ctx, f.SHA256, f.Size)
	if errors.Is(err, ErrNotFound) {
		return h.refuse(op, CodeNotFound, 0, "the file was not uploaded")
	}
	if err != nil {
		return engineError(op, err)
	}
	defer r.Close()
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return h.refuse(op, CodeBadContent, 0, "the file has another size")
	}
	return nil
}

// MaySay refuses as Say would now, whatever is to be said. Nothing comes of it.
func (d *Device) MaySay(ctx context.Context, log string) error {
	_, err := d.maySay(ctx, "say", log)
	return err
}

// maySay refuses unless the device may say something in that log now. It returns the other account of a direct conversation,
// which need not have begun; empty: the log is a room's.
func (d *Device) maySay(ctx context.Context, op, log string) (peer string, err error) {
	if err := d.refuseClosed(op); err != nil {
		return "", err
	}
	peer, direct := DirectPeer(log, d.account.name)
	if !direct {
		_, err := d.account.entered(ctx, op, log)
		return "", err
	}
	if err := d.meet(ctx, op, peer); err != nil {
		return "", err
	}
	return peer, d.refuseBlocked(ctx, op, peer)
}
