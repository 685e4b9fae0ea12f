package relay

import (
	"context"
	"strings"

	wire "udpchat/chat/wire/relay"
)

// all is the name that means everybody else, in any case.
const all = "ALL"

// submit carries out a SEND of the user, after those before it. c is the connection it came on, whose Serve waits for the
// goroutine.
func (u *user) submit(c *conn, s wire.Send) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.sends) >= sendsMax {
		u.send.answer(wire.Error{Code: wire.CodeUnable})
		return
	}
	u.sends = append(u.sends, s)
	if u.sending {
		return
	}
	u.sending = true
	// Owns the SENDs that wait. Ends when there are none, or with the user.
	c.wg.Go(u.carryOut)
}

// carryOut carries out the SENDs that wait, one after the other, and answers each.
func (u *user) carryOut() {
	for {
		u.mu.Lock()
		if len(u.sends) == 0 || u.ctx.Err() != nil {
			u.sends, u.sending = nil, false
			u.mu.Unlock()
			return
		}
		s := u.sends[0]
		u.sends = u.sends[1:]
		answers := u.send
		u.mu.Unlock()
		err := u.deliver(s)
		switch {
		case u.ctx.Err() != nil: // Nobody is there to be answered.
		case err == nil:
			if u.spaced.Load() {
				answers.setSaySend()
			}
			answers.answer(wire.Sent{To: s.To})
		default:
			answers.answer(wire.Error{Code: codeOf(err, u.front.cfg.Logger)})
		}
	}
}

// deliver carries out one SEND and waits until everybody it is for has acknowledged it. It returns what else became of it.
func (u *user) deliver(s wire.Send) error {
	ctx, cancel := context.WithTimeout(u.ctx, answerTimeout)
	defer cancel()
	if strings.EqualFold(s.To, all) {
		return u.broadcast(ctx, s.Text)
	}
	receipt, err := u.user.Whisper(s.To, s.Text)
	if err != nil {
		return err
	}
	return receipt.Wait(ctx)
}

// broadcast says text to the room and waits for the receipts of the users who are there, on this server and others.
func (u *user) broadcast(ctx context.Context, text string) error {
	k := newCast()
	u.mu.Lock()
	u.casting = k
	room := u.room
	u.mu.Unlock()
	err := u.user.Say(ctx, room, "", text)
	if err == nil {
		err = u.awaitAll(ctx, k)
	}
	u.mu.Lock()
	u.casting = nil
	u.mu.Unlock()
	if missing := u.front.casts.end(k); err == nil {
		err = missing
	}
	return err
}

// awaitAll waits until all have answered, and returns what those on other servers have.
func (u *user) awaitAll(ctx context.Context, k *cast) error {
	select {
	case <-k.begun:
	case <-ctx.Done():
		return nil // The cast knows that something is missing.
	}
	receipt := u.user.Ask(k.said)
	select {
	case <-k.done:
	case <-ctx.Done():
	}
	if receipt.Wait(ctx) != nil {
		return errNotTaken // Whatever it was: it was not this sender's head (PROTOCOL.md 3.3).
	}
	return nil
}
