package jsonchat

import (
	"context"
	"errors"
	"fmt"

	"udpchat/chat"
	wire "udpchat/chat/wire/jsonchat"
)

// converse follows a conversation that has just begun, and tells what was said in it before.
func (l *login) converse(ctx context.Context, peer string) error {
	log := chat.DirectLog(l.who.Name, peer)
	if !l.noteAttached(log) {
		return nil
	}
	place, err := l.dev.Attach(ctx, log)
	if err != nil || place.Head == 0 {
		return err
	}
	events, err := l.dev.History(ctx, log, chat.Page{Before: place.Head + 1})
	for _, ev := range events {
		if from, _ := ev.From(); from != l.speaks {
			err = errors.Join(err, l.forward(ctx, ev))
		}
	}
	return err
}

// forward sends a message to all connections of the token.
func (l *login) forward(ctx context.Context, ev *chat.Event) error {
	peer, ok := chat.DirectPeer(ev.RoomName, l.who.Name)
	if !ok || ev.Kind != chat.KindSaid && ev.Kind != chat.KindFile {
		return nil
	}
	m, err := l.device.front.message(ctx, l.who, peer, storedOf(ev))
	if err != nil {
		return fmt.Errorf("jsonchat: message %d: %w", ev.Seq, err)
	}
	l.device.forward(m)
	return nil
}

// forward sends a message to all connections of the token.
func (d *device) forward(m wire.Message) {
	text := wire.AppendResponse(nil, wire.Response{Name: wire.ForwardName, Body: m})
	var frames [2][]byte // By form: made once, for as many as want it.
	for _, c := range d.connections() {
		form := c.lastForm()
		if frames[form] == nil {
			frames[form] = wire.AppendFrame(nil, form, text, 0)
		}
		c.out.push(frames[form])
	}
}

// forwardHere sends a message to all connections that an account has on this server, but those of one token.
func (f *Front) forwardHere(name string, m wire.Message, but *device) {
	f.mu.Lock()
	var to []*device
	for _, d := range f.devices {
		if d == but {
			continue
		}
		if l := d.current(); l != nil && l.who.Name == name {
			to = append(to, d)
		}
	}
	f.mu.Unlock()
	for _, d := range to {
		d.forward(m)
	}
}
