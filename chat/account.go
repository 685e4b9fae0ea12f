package chat

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// An account is what this Hub knows about one account while a device of it is logged in here: its
// devices, the rooms it is a member of, and whom it has blocked. It is read once, and then follows the
// account's own log, in which every node writes down what it changes.
type account struct {
	hub     *Hub
	name    string
	log     *room         // Its own log, held. Constant once it is ready.
	ready   chan struct{} // Closed when it was read, or could not be.
	err     error         // Why it could not be read. Constant once it is ready.
	holders int           // Devices logged in or about to be. Guarded by the hub's mu.

	blocked atomic.Pointer[map[string]struct{}] // Replaced, never changed; nil is nobody.

	mu         sync.Mutex
	devices    map[string]*Device // By id. Guarded by mu.
	rooms      map[string]uint64  // Rooms it is a member of, with the Seq of its KindJoined. Guarded by mu.
	talks      map[string]bool    // Those with whom it is known to have a direct conversation. Guarded by mu.
	marks      map[string]uint64  // Read markers by log. Guarded by mu.
	dirtyMarks map[string]bool    // Logs whose marker is still to be written. Guarded by mu.
	friends    []string           // Whose presence its devices are told. Guarded by mu.
	backlog    []*Event           // Events that came before it was ready. Guarded by mu.
	heard      uint64             // Seq of the last event of its own log that was followed. Guarded by mu.
	changed    chan struct{}      // Closed when heard rises, or with the last device; nil while nobody waits. Guarded by mu.
	over       bool               // It follows no longer. Guarded by mu.
	loaded     bool               // Nothing is put into backlog any more. Guarded by mu.
}

// enterAccount returns the account of that name, ready; the caller owes a leaveAccount.
func (h *Hub) enterAccount(ctx context.Context, name string) (*account, error) {
	const op = "log in"
	for {
		h.mu.Lock()
		if h.isClosed() {
			h.mu.Unlock()
			return nil, h.refuse(op, CodeShuttingDown, 0, "")
		}
		a := h.accounts[name]
		first := a == nil
		if first {
			a = &account{hub: h, name: name, ready: make(chan struct{}), devices: make(map[string]*Device)}
			h.accounts[name] = a
		}
		a.holders++
		h.mu.Unlock()
		if first {
			a.err = a.load(ctx)
			close(a.ready)
		}
		select {
		case <-a.ready:
		case <-ctx.Done():
			h.leaveAccount(a)
			return nil, fmt.Errorf("chat: %s: %w", op, context.Cause(ctx))
		}
		if a.err == nil {
			return a, nil
		}
		h.leaveAccount(a)
		if first {
			return nil, engineError(op, a.err)
		}
		// Whoever read it could not; its ctx may have ended. We try ourselves.
	}
}

// leaveAccount is the end of one enterAccount. The last one forgets the account.
func (h *Hub) leaveAccount(a *account) {
	h.mu.Lock()
	a.holders--
	last := a.holders == 0
	if h.accounts[a.name] == a && (last || isDone(a.ready) && a.err != nil) {
		delete(h.accounts, a.name)
	}
	h.mu.Unlock()
	if !last {
		return
	}
	a.end()
	if a.log != nil {
		h.release(a.log)
	}
}

// end is the end of the account on this Hub.
func (a *account) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.notifyLocked()
	if set := a.blocked.Load(); set != nil {
		for peer := range *set {
			a.hub.blockings.add(peer, -1)
		}
	}
	a.blocked.Store(nil)
}

func isDone(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// load reads what there is to know about the account, after it has begun to follow its log.
func (a *account) load(ctx context.Context) error {
	log, err := a.hub.hold("log in", AccountLog(a.name))
	if err != nil {
		return err
	}
	a.log = log
	log.mu.Lock()
	log.owner = a
	log.mu.Unlock()
	if err := log.openFor(ctx); err != nil {
		return err
	}
	rooms, err := a.hub.enrolled(ctx, a.name)
	if err != nil {
		return err
	}
	blocked, err := a.hub.cfg.Accounts.Blocked(ctx, a.name)
	if err != nil {
		return err
	}
	marks, err := a.hub.marks(ctx, a.name)
	if err != nil {
		return err
	}
	contacts, err := a.hub.cfg.Accounts.Contacts(ctx, a.name)
	if err != nil {
		return err
	}
	peers, err := a.hub.conversations(ctx, a.name)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rooms, a.marks, a.friends = rooms, marks, slices.Concat(contacts, peers)
	for _, peer := range blocked {
		a.blockLocked(peer, true)
	}
	// What was read may be older than what was followed, so that comes after it once more.
	for _, ev := range a.backlog {
		a.applyLocked(ev)
	}
	a.backlog, a.loaded = nil, true
	return nil
}

// converses reports whether it is known that both know of the conversation with peer.
func (a *account) converses(peer string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.talks[peer]
}

func (a *account) noteConverses(peer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.talks == nil {
		a.talks = make(map[string]bool)
	}
	a.talks[peer] = true
}

// add makes d one of the account's devices, and returns the one it replaces, if any.
func (a *account) add(d *Device) (old *Device, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	old = a.devices[d.id]
	if old == nil && len(a.devices) >= devicesPerAccountMax {
		return nil, a.hub.refuse("log in", CodeTooMany, 0, fmt.Sprintf("the most is %d devices of one account", devicesPerAccountMax))
	}
	a.devices[d.id] = d
	d.state = Online
	a.showLocked()
	a.hub.people.watch(d, a.friends)
	return old, nil
}

// remove forgets a device, unless another one has its place.
func (a *account) remove(d *Device) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.devices[d.id] == d {
		delete(a.devices, d.id)
		a.showLocked()
	}
}

// entered returns by which KindJoined the account is a member of a room. What this node knows may be older than
// what its devices have done on another one, so before it says no it looks at the record.
func (a *account) entered(ctx context.Context, op, room string) (seq uint64, err error) {
	if seq, ok := a.knownEntered(room); ok {
		return seq, nil
	}
	if isInnerLog(room) {
		return 0, a.hub.refuse(op, CodeNotMember, 0, "")
	}
	e, err := a.hub.enrolment(ctx, a.name, room)
	switch {
	case errors.Is(err, ErrNotFound) || errors.Is(err, ErrTooLarge) || err == nil && e.state != entered:
		return 0, a.hub.refuse(op, CodeNotMember, 0, "")
	case err != nil:
		return 0, engineError(op, err)
	}
	a.noteEntered(room, e.seq)
	return e.seq, nil
}

// knownEntered is entered as far as this node knows.
func (a *account) knownEntered(room string) (seq uint64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seq, ok = a.rooms[room]
	return seq, ok
}

// noteEntered and noteExited say what this node has just done; the account's own log says so later.
func (a *account) noteEntered(room string, seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rooms[room] = max(a.rooms[room], seq)
}

func (a *account) noteExited(room string, seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rooms[room] < seq {
		delete(a.rooms, room)
	}
}

// memberOf returns the rooms the account is a member of, in the order of their names.
func (a *account) memberOf() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.rooms))
}
