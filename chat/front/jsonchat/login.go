package jsonchat

import (
	"context"
	"runtime/debug"
	"sync"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/session"
)

// A login is an account that is logged in with a token: a device of the core, which hears what happens in the account's
// direct conversations and tells the connections of the token. It is the core's Receiver for it.
type login struct {
	device *device
	who    account.Account // Constant, like the next three.
	id     string          // Of the account's token, by which it is revoked.
	speaks string          // The device's part of the ids of what it says; a new one each time, so that it may count from 1.
	dev    *chat.Device    // Constant after begin.
	cancel context.CancelFunc

	counter uint64 // Of what was said last. Guarded by the device's gate.

	mu       sync.Mutex
	attached map[string]bool // Logs of conversations. Guarded by mu.
	events   []*chat.Event   // Not yet told. Guarded by mu.
	telling  bool            // There is a goroutine that tells. Guarded by mu.
	ended    bool            // Guarded by mu.
	cursor   cursorState     // Guarded by mu.
	run      func()          // Tells until there is nothing more to tell. Constant after begin.
}

// begin makes a log-in; nil if its token is revoked meanwhile. The gate is held.
func (d *device) begin(ctx context.Context, who account.Account, id string) (*login, error) {
	r, _, err := d.front.tokens.read(ctx, d.token)
	if err != nil {
		return nil, err
	}
	l := &login{device: d, who: who, id: id, speaks: account.NewDevice(), attached: make(map[string]bool)}
	l.cursor.at = r.cursor(who.ID)
	// It lives as long as a connection of the token does, whichever that is.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.run = func() { l.tell(running) }
	if l.dev, err = d.hub.LogIn(ctx, chat.Login{Account: who.Name, Show: who.Show, Device: l.speaks}, l); err != nil {
		cancel()
		return nil, err
	}
	if err := l.attachAll(ctx); err != nil {
		l.end()
		return nil, err
	}
	// From now on it hears of it when its token is revoked. Whether that has happened before, the record says.
	_, _, err = d.front.cfg.Accounts.ByToken(ctx, d.front.tokens.unseal(d.token, r.Login))
	if err != nil {
		l.end()
		if !account.Is(err, account.CodeDenied) {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.hasEnded() {
		return nil, nil // Revoked while it began.
	}
	d.login = l
	return l, nil
}

// attachAll has the device hear of its account and of all conversations there are. New ones are announced in the account's
// log, so that comes first.
func (l *login) attachAll(ctx context.Context) error {
	if _, err := l.dev.Attach(ctx, chat.AccountLog(l.who.Name)); err != nil {
		return err
	}
	list, err := l.dev.Conversations(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Peer == "" {
			continue // A room: this protocol knows users only.
		}
		if _, err := l.dev.Attach(ctx, c.Log); err != nil && !is(err, chat.CodeNoUser) {
			return err
		}
		l.noteAttached(c.Log)
	}
	return nil
}

// noteAttached reports whether the device was not attached to that log before.
func (l *login) noteAttached(log string) (fresh bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh = !l.attached[log]
	l.attached[log] = true
	return fresh
}

// end closes the device of the core and stops telling. It may be called more than once, and by the one that tells.
func (l *login) end() {
	l.mu.Lock()
	ended := l.ended
	l.ended = true
	l.events = nil
	l.mu.Unlock()
	if ended {
		return
	}
	l.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	l.saveCursor(ctx, true)
	_ = l.dev.Close(ctx) // Always nil.
}

func (l *login) hasEnded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// Receive implements chat.Receiver.
func (l *login) Receive(ev *chat.Event) {
	switch ev.Kind {
	case chat.KindSaid, chat.KindFile:
		if from, _ := ev.From(); from == l.speaks {
			return // The token's own (PROTOCOL.md 4).
		}
	case chat.KindConversation, chat.KindRevoked, chat.KindReplaced:
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
		return
	case len(l.events) >= eventsMax:
		l.events = nil
		for _, c := range l.device.connections() {
			c.out.session.Abort(session.ErrSlow)
		}
		return
	}
	l.events = append(l.events, ev)
	if !l.telling {
		l.telling = true
		l.device.wg.Go(l.run) // Ends when there is nothing to tell, or with the log-in.
	}
}

// next returns the event to tell next; if there is none, nobody tells any more.
func (l *login) next() *chat.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) == 0 || l.ended {
		l.events, l.telling = nil, false
		return nil
	}
	ev := l.events[0]
	l.events = l.events[1:]
	return ev
}

// tell tells the connections what has happened. A panic is our mistake about one event and must not end the server.
func (l *login) tell(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			l.device.front.logPanic(v, debug.Stack())
			for _, c := range l.device.connections() {
				c.out.session.Abort(errPanicked)
			}
		}
	}()
	for ev := l.next(); ev != nil; ev = l.next() {
		err := l.tellOne(ctx, ev)
		if err != nil && ctx.Err() == nil {
			l.device.front.cfg.Logger.Warn("message not passed on", "user", l.who.Name, "err", err)
		}
	}
}

func (l *login) tellOne(ctx context.Context, ev *chat.Event) error {
	switch ev.Kind {
	case chat.KindConversation:
		return l.converse(ctx, ev.About)
	case chat.KindRevoked:
		if ev.About == l.id {
			l.device.drop(l)
		}
	case chat.KindReplaced:
		l.device.drop(l)
	case chat.KindSaid, chat.KindFile:
		return l.forward(ctx, ev)
	}
	return nil
}
