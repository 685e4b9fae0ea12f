package chat

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// A User is one client. Its methods are safe for concurrent use; none may be called from within
// Receive.
type User struct {
	hub      *Hub
	id       JoinID // Constant after Connect.
	name     string
	device   string // Device part of its message ids; unlike any other's. Constant after Connect.
	receiver Receiver
	counter  atomic.Uint64 // Counter part of its last message id.

	mu      sync.Mutex
	rooms   map[RoomRef]*membership // Guarded by mu.
	changed chan struct{}           // Closed by notifyLocked; nil while nobody waits. Guarded by mu.
	closing bool                    // Close was called: nothing new begins. Guarded by mu.
	closed  bool                    // Close is done. Guarded by mu.
}

// ID returns the user's JOIN_ID.
func (u *User) ID() JoinID { return u.id }

// Name returns the name given to Connect.
func (u *User) Name() string { return u.name }

// Rooms returns the rooms the user is in and is not just leaving, in rising order.
func (u *User) Rooms() []RoomRef {
	u.mu.Lock()
	defer u.mu.Unlock()
	var refs []RoomRef
	for ref, m := range u.rooms {
		if m.state == joined {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return refs
}

// Say sends text to the room and returns when the engine has it; the sender receives it like
// everybody. as is the name to show; empty means the user's own, under which nothing can be said any
// more when somebody has made an account of that name. It refuses with CodeNotMember, CodeNoRoom,
// CodeBadName, CodeTooLong, CodeShuttingDown or CodeClosed. After any other error the text may or may
// not appear.
func (u *User) Say(ctx context.Context, ref RoomRef, as, text string) error {
	const op = "say"
	h := u.hub
	if as == "" {
		as = u.name
	}
	if err := h.checkVisitorName(op, ref, as); err != nil {
		return err
	}
	if len(text) > h.cfg.MessageBytesMax {
		detail := fmt.Sprintf("text has %d bytes, the most is %d", len(text), h.cfg.MessageBytesMax)
		return h.refuse(op, CodeTooLong, ref, detail)
	}
	m, err := u.beginSay(ref)
	if err != nil {
		return err
	}
	defer u.end(m)
	_, err = u.append(ctx, m.room, record{kind: KindSaid, user: u.id, name: as, text: text})
	if err != nil {
		return fmt.Errorf("chat: say: %w", err)
	}
	return nil
}

// append writes one record of this user to the room's log, under a new id. No lock is held.
func (u *User) append(ctx context.Context, r *room, rec record) (Msg, error) {
	id := u.device + "-" + strconv.FormatUint(u.counter.Add(1), 10)
	return u.hub.cfg.Engine.Append(ctx, r.name, id, rec.encode())
}
