package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Presence is whether an account is there. It is a state, never in a log: who hears of it late or not at
// all has missed nothing but the moment.
type Presence uint8

const (
	// Offline: no device of the account is logged in, or one may not know.
	Offline Presence = iota
	// Away: devices are logged in, and all of them have said that nobody looks at them.
	Away
	// Online: some device is logged in that is not away.
	Online
)

// String returns a word for logs.
func (p Presence) String() string {
	switch p {
	case Offline:
		return "offline"
	case Away:
		return "away"
	case Online:
		return "online"
	}
	return fmt.Sprintf("Presence(%d)", uint8(p))
}

// A Person is somebody who is there, or was a while ago.
type Person struct {
	Account string // Empty for a visitor.
	User    JoinID // Of a visitor, on its node: one on another node may have the same. 0 for an account.
	Name    string // To show.
	State   Presence
	Arrived time.Time // When the account came online last, and Seen when it was last online. Zero for visitors.
	Seen    time.Time
}

// SetPresence says whether somebody looks at the device: Online, as after LogIn, or Away. It refuses
// with CodeBadContent, CodeClosed or CodeShuttingDown.
func (d *Device) SetPresence(state Presence) error {
	const op = "set presence"
	if err := d.refuseClosed(op); err != nil {
		return err
	}
	if state != Online && state != Away {
		return d.hub.refuse(op, CodeBadContent, 0, "a device is online or away")
	}
	d.account.setState(d, state)
	return nil
}

// setState changes what a device says of itself, and with it the account's presence.
func (a *account) setState(d *Device, state Presence) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.devices[d.id] == d {
		d.state = state
		a.showLocked()
	}
}

// showLocked tells the table of people what the account's devices on this node make of its presence.
func (a *account) showLocked() {
	state, show, whispers := Offline, "", false
	for _, d := range a.devices {
		whispers = whispers || d.whispers
		if show == "" || d.state >= state {
			show = d.show
		}
		state = max(state, d.state)
	}
	a.hub.people.setOwn(a.name, show, state, whispers, a.blocked.Load(), time.Now())
}

// Who returns who is there of those in a room of which the account is a member, or in a direct
// conversation, in the order in which they came: first accounts, then visitors, on all nodes. Those whom the account has blocked,
// or who have blocked it, are not among them. It refuses like History.
func (d *Device) Who(ctx context.Context, log string) ([]Person, error) {
	const op = "who"
	if _, err := d.mayRead(ctx, op, log); err != nil {
		return nil, err
	}
	accounts := []string{d.account.name}
	if peer, ok := DirectPeer(log, d.account.name); ok {
		accounts = append(accounts, peer)
	} else if log != AccountLog(d.account.name) {
		var err error
		if accounts, err = d.hub.roster(ctx, log); err != nil {
			return nil, engineError(op, err)
		}
	}
	here := d.hub.people.online(d, accounts)
	if r := d.hub.opened(log); r != nil {
		here = append(here, r.visitors()...)
	}
	return here, nil
}

// Members returns the accounts that are members of a room, there or not, in the order of their names. It
// refuses like History.
func (d *Device) Members(ctx context.Context, room string) ([]string, error) {
	const op = "members"
	if _, err := d.mayRead(ctx, op, room); err != nil {
		return nil, err
	}
	accounts, err := d.hub.roster(ctx, room)
	if err != nil {
		return nil, engineError(op, err)
	}
	return accounts, nil
}

// Online returns all accounts that are there on any node, itself included, in the order in which they came;
// without those whom the account has blocked or who have blocked it.
func (d *Device) Online() []Person { return d.hub.people.online(d, nil) }

// Since is Online, with those who were there within the last given time. It goes back to the start of this
// node at most, and forgets those who were there longest ago if they are too many.
func (d *Device) Since(ago time.Duration) []Person {
	return d.hub.people.since(d, time.Now().Add(-ago))
}

// IsOnline reports whether a device of the account is logged in on any node, as far as this one knows.
func (h *Hub) IsOnline(account string) bool { return h.people.state(account) != Offline }

// visitors returns the users that are in the room, on all nodes, in the order in which they joined.
func (r *room) visitors() []Person {
	elsewhere := r.hub.people.elsewhere(r.name)
	r.mu.Lock()
	all := make([]seat, 0, len(r.members)+len(elsewhere))
	for _, m := range r.members {
		all = append(all, seat{since: m.since, name: m.user.name, user: m.user.id})
	}
	r.mu.Unlock()
	for _, s := range elsewhere {
		if !s.account {
			all = append(all, s.seat)
		}
	}
	slices.SortFunc(all, func(a, b seat) int { return cmp.Compare(a.since, b.since) })
	list := make([]Person, len(all))
	for i, s := range all {
		list[i] = Person{User: s.user, Name: s.name, State: Online}
	}
	return list
}

// byArrival sorts people as they came; those who came at once by name.
func byArrival(list []Person) {
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(a.Arrived.Compare(b.Arrived), cmp.Compare(a.Account, b.Account))
	})
}
