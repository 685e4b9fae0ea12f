package chat

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"udpchat/chat/names"
)

// A Hub is the rooms and users of one server. Its methods are safe for concurrent use.
type Hub struct {
	cfg      Config       // With defaults. Constant after New.
	log      *slog.Logger // Constant after New.
	users    userTable
	visitors visitorTable
	stats    counters

	blockings blockings
	people    people
	crier     crier
	post      post
	teller    chan struct{} // Has one entry when the teller has something to do.

	closing sync.Once
	done    chan struct{} // Closed by Close, with mu held.

	mu       sync.RWMutex
	rooms    map[RoomRef]*room   // Guarded by mu.
	lastRef  RoomRef             // The last one given to a room. Guarded by mu.
	byName   map[string]*room    // Guarded by mu.
	logs     map[string]*room    // Logs that are no rooms, while somebody uses them. Guarded by mu.
	accounts map[string]*account // Those with a device logged in, or about to be. Guarded by mu.
}

// New returns a Hub without rooms or users, or says what is wrong with cfg.
func New(cfg Config) (*Hub, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Hub{
		cfg:      cfg,
		log:      cfg.Logger,
		done:     make(chan struct{}),
		rooms:    make(map[RoomRef]*room),
		byName:   make(map[string]*room),
		logs:     make(map[string]*room),
		accounts: make(map[string]*account),
		teller:   make(chan struct{}, 1),
	}
	h.people.hub = h
	self := newNodeID()
	h.post.hub, h.post.self, h.post.wake, h.post.line = h, self, make(chan struct{}, 1), line{hub: h, log: postLog}
	h.crier.hub, h.crier.self, h.crier.wake, h.crier.line = h, self, make(chan struct{}, 1), line{hub: h, log: presenceLog}
	return h, nil
}

// Connect makes a user called name, who is in no room yet. r receives the events of the rooms it
// joins. The caller closes the user. It refuses with CodeBadName, CodeTooManyUsers or
// CodeShuttingDown.
func (h *Hub) Connect(name string, r Receiver, ids IDs) (*User, error) {
	const op = "connect"
	if h.isClosed() {
		return nil, h.refuse(op, CodeShuttingDown, 0, "")
	}
	if err := h.checkVisitorName(op, 0, name); err != nil {
		return nil, err
	}
	u := &User{hub: h, name: name, receiver: r}
	if err := h.users.add(u, ids, h.cfg); err != nil {
		return nil, h.refuse(op, err.Code, 0, err.Detail)
	}
	return u, nil
}

// User returns the live user of that number.
func (h *Hub) User(id JoinID) (*User, bool) {
	u := h.users.find(id)
	return u, u != nil
}

// Room returns the name of a room.
func (h *Hub) Room(ref RoomRef) (name string, ok bool) {
	r := h.room(ref)
	if r == nil {
		return "", false
	}
	return r.name, true
}

// RoomNamed returns the number of the room of that name, if it was ever joined and has not given up its place.
func (h *Hub) RoomNamed(name string) (RoomRef, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r := h.byName[name]
	if r == nil {
		return 0, false
	}
	return r.ref, true
}

// Close refuses all work from now on and ends the subscriptions; after it has returned no
// Receiver is called. Close the users first if their rooms are to hear that they left: now it is
// too late for that. The engine stays open. Close may be called again and returns nil.
func (h *Hub) Close() error {
	h.closing.Do(func() {
		h.mu.Lock()
		close(h.done)
		rooms := slices.AppendSeq(slices.Collect(maps.Values(h.rooms)), maps.Values(h.logs))
		h.mu.Unlock()
		h.crier.wg.Wait() // Whoever starts it looks first, with mu held, whether the Hub is closed.
		for _, r := range rooms {
			r.close()
		}
		h.people.close()
	})
	return nil
}

func (h *Hub) isClosed() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// room returns the room of that number, or nil.
func (h *Hub) room(ref RoomRef) *room {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rooms[ref]
}

// checkVisitorName refuses a name that a visitor may not use.
func (h *Hub) checkVisitorName(op string, ref RoomRef, name string) error {
	if err := names.Check(name, h.cfg.NameBytesMax); err != nil {
		return h.refuse(op, CodeBadName, ref, err.Error())
	}
	if h.isReserved(name) {
		return h.refuse(op, CodeBadName, ref, "it belongs to somebody who logs in")
	}
	return nil
}

// isReserved reports whether no visitor may be called name. That may change while one is.
func (h *Hub) isReserved(name string) bool { return h.cfg.Reserved != nil && h.cfg.Reserved(name) }

// checkRoomName refuses a name that no room may have.
func (h *Hub) checkRoomName(op, name string) error {
	if err := names.Check(name, h.cfg.NameBytesMax); err != nil {
		return h.refuse(op, CodeBadName, 0, err.Error())
	}
	if isInnerLog(name) {
		return h.refuse(op, CodeBadName, 0, "the server uses such names itself")
	}
	return nil
}

// roomFor returns the room of that name, and makes it if there is none. full refuses somebody who
// may not be in one more room. The room is in use until the caller takes one off its uses.
func (h *Hub) roomFor(name string, full func() error) (*room, error) {
	const op = "join"
	if r := h.use(name); r != nil {
		return r, nil
	}
	// Before the room is made, since another one may have to give up its place.
	if err := full(); err != nil {
		return nil, err
	}
	for {
		r, err := h.makeRoom(op, name)
		if r != nil || err != nil {
			return r, err
		}
		if !h.closeIdle() {
			return nil, h.refuse(op, CodeTooManyRooms, 0, "the server has no room left for another room")
		}
	}
}

// use returns the room of that name, which is in use then, or nil.
func (h *Hub) use(name string) *room {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r := h.byName[name]
	if r != nil {
		r.uses.Add(1)
	}
	return r
}

// makeRoom returns the room of that name, new if need be and in use; nil: there are too many.
func (h *Hub) makeRoom(op, name string) (*room, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.byName[name]
	switch {
	case h.isClosed(): // Rooms made now would not be closed.
		return nil, h.refuse(op, CodeShuttingDown, 0, "")
	case r == nil && len(h.rooms) >= h.cfg.RoomsMax:
		return nil, nil
	case r == nil:
		h.lastRef++ // Never one that another room had: clients may still know it.
		r = &room{hub: h, ref: h.lastRef, name: name}
		h.rooms[r.ref], h.byName[name] = r, r
	}
	r.uses.Add(1)
	return r, nil
}

// refuse counts and returns a refusal.
func (h *Hub) refuse(op string, code Code, room RoomRef, detail string) error {
	h.stats.refused[code].Add(1)
	return &Error{Op: op, Code: code, Room: room, Detail: detail}
}
