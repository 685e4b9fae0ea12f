package chat

import (
	"context"
	"strings"
	"sync"

	"udpchat/chat/names"
)

// A Login says who logs in. The caller has made sure that it is true.
type Login struct {
	Account string // The account's name in the form that identifies it; no "/" in it.
	Show    string // The name that others see; empty means Account.
	// Device is the first half of the ids of what it says. No other account has a device of that
	// name, and it is a new one for a client that has forgotten its counters. Printable ASCII, and
	// it does not begin with "=".
	Device string
	// WatchAll: the device is told about the presence of everybody, not only of those it has to do with.
	WatchAll bool
	// Whispers: the device can tell its user what is whispered to the account. Others are not told, and an
	// account without such a device is nobody to whisper to.
	Whispers bool
}

// A Device is one client of an account that is logged in. Its methods are safe for concurrent use;
// none may be called from within Receive.
type Device struct {
	hub      *Hub
	account  *account
	id       string // Constant after LogIn, like all up to mu.
	show     string
	receiver Receiver
	pacer    Pacer // The same; nil if it is none.
	watchAll bool
	whispers bool

	state Presence // Guarded by the account's mu.

	hidden    map[string]struct{} // Whom it watches who are there and who it was told are not. Guarded by the mu of people, like the next.
	watching  []string            // Whom it is told about, unless that is everybody.
	unwatched bool                // It is told about nobody any more.
	missed    bool                // It was told about members of a room, and then not any more.

	mu       sync.Mutex
	attached map[string]*attachment // By log. Guarded by mu; changed only with the room locked as well.
	closed   bool                   // Guarded by mu.
}

// LogIn makes a Device, which is attached to no log yet. r receives the events of those it is attached
// to. If the same device is logged in already, that one is closed: it is told so with KindReplaced, as
// the last event. The caller closes the Device. It refuses with CodeBadName, CodeTooMany or
// CodeShuttingDown.
func (h *Hub) LogIn(ctx context.Context, who Login, r Receiver) (*Device, error) {
	const op = "log in"
	if who.Show == "" {
		who.Show = who.Account
	}
	for _, name := range []string{who.Account, who.Show} {
		if err := names.Check(name, h.cfg.NameBytesMax); err != nil {
			return nil, h.refuse(op, CodeBadName, 0, err.Error())
		}
	}
	if strings.Contains(who.Account, "/") {
		return nil, h.refuse(op, CodeBadName, 0, "an account has no / in its name")
	}
	if !isDevice(who.Device) {
		return nil, h.refuse(op, CodeBadName, 0, "a device has a name of printable ASCII")
	}
	h.Start()
	a, err := h.enterAccount(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	d := &Device{hub: h, account: a, id: who.Device, show: who.Show, receiver: r, watchAll: who.WatchAll, whispers: who.Whispers}
	d.pacer, _ = r.(Pacer)
	old, err := a.add(d)
	if err != nil {
		h.leaveAccount(a)
		return nil, err
	}
	h.stats.devices.Add(1)
	if old != nil {
		_ = old.end(ctx, true) // Its markers stay to be written; d is there to do it.
	}
	return d, nil
}

// isDevice reports whether a device may be called that.
func isDevice(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= deviceBytesMax && !strings.HasPrefix(s, serverDevice)
}

// Account returns the name of the account.
func (d *Device) Account() string { return d.account.name }

// ID returns the device part of the ids of its messages.
func (d *Device) ID() string { return d.id }

// Show returns the name that others see.
func (d *Device) Show() string { return d.show }

// Close ends the connection of the device with the Hub; the account stays a member of its rooms. After it
// has returned, with or without an error, the Receiver is not called again. An error says that read markers
// could not be written down. It may be called again and returns nil.
func (d *Device) Close(ctx context.Context) error { return d.end(ctx, false) }

// end closes the device. The one that was replaced is told so.
func (d *Device) end(ctx context.Context, replaced bool) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	attached := make([]*attachment, 0, len(d.attached))
	for _, at := range d.attached {
		attached = append(attached, at)
	}
	d.mu.Unlock()
	for _, at := range attached {
		at.end()
	}
	d.hub.people.unwatch(d)
	if replaced {
		d.receiver.Receive(&Event{Kind: KindReplaced, Account: d.account.name, About: d.id})
	}
	d.account.remove(d)
	d.hub.stats.devices.Add(-1)
	err := d.account.flushMarks(ctx)
	d.hub.leaveAccount(d.account)
	return engineError("close", err)
}

// tell has the device receive an event that is about it alone, unless it is closed.
func (d *Device) tell(ev *Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed { // What it is told comes before the end, as with everything else.
		d.receiver.Receive(ev)
	}
}

// refuseClosed refuses what a closed device wants.
func (d *Device) refuseClosed(op string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.hub.isClosed():
		return d.hub.refuse(op, CodeShuttingDown, 0, "")
	case d.closed:
		return d.hub.refuse(op, CodeClosed, 0, "")
	}
	return nil
}
