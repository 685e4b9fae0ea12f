package chat

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
)

// IDs says what kind of JoinID a user gets.
type IDs uint8

const (
	// SmallIDs are 1, 2, 3, ...: for clients whose connection says who they are.
	SmallIDs IDs = iota
	// RandomIDs are random 31-bit numbers: for clients known by nothing but their number, since
	// they send single datagrams from an address anybody may write into one.
	RandomIDs
)

// userTable finds the live users and gives out their numbers. Its lock is the innermost: nothing
// is locked and nothing is called while it is held, except Config.Rand.
type userTable struct {
	mu        sync.RWMutex
	byID      map[JoinID]*User // Guarded by mu.
	byDevice  map[string]*User // Guarded by mu.
	smallLast JoinID           // Last number given out by SmallIDs. Guarded by mu.
}

// add gives u a number and a device of its own and remembers it, or says why not.
func (t *userTable) add(u *User, ids IDs, cfg Config) *Error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byID) >= cfg.UsersMax {
		return &Error{Code: CodeTooManyUsers}
	}
	if t.byID == nil {
		t.byID, t.byDevice = make(map[JoinID]*User), make(map[string]*User)
	}
	switch ids {
	case RandomIDs:
		u.id = t.randomIDLocked(cfg)
	default:
		if t.smallLast == smallIDMax {
			return &Error{Code: CodeTooManyUsers, Detail: "no numbers left until the server restarts"}
		}
		t.smallLast++
		u.id = t.smallLast
	}
	for u.device == "" || t.byDevice[u.device] != nil {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], random64(cfg))
		u.device = hex.EncodeToString(b[:])
	}
	t.byID[u.id], t.byDevice[u.device] = u, u
	return nil
}

// randomIDLocked returns a random number above the small ones that no live user has. The loop
// ends: at most one number in a hundred is taken (UsersMax).
func (t *userTable) randomIDLocked(cfg Config) JoinID {
	for {
		id := JoinID(random64(cfg) & randomIDMax)
		if id > smallIDMax && t.byID[id] == nil {
			return id
		}
	}
}

// random64 returns 64 random bits; the table is locked, because cfg.Rand needs that.
func random64(cfg Config) uint64 {
	if cfg.Rand != nil {
		return cfg.Rand.Uint64()
	}
	var b [8]byte
	crand.Read(b[:]) // Never fails: without randomness it ends the process.
	return binary.BigEndian.Uint64(b[:])
}

// remove forgets u; its number may be given out again only if it was random.
func (t *userTable) remove(u *User) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, u.id)
	delete(t.byDevice, u.device)
}

func (t *userTable) find(id JoinID) *User {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

func (t *userTable) findDevice(device string) *User {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byDevice[device]
}

func (t *userTable) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byID)
}

// device returns the part of a message id that says which client it is from, or "".
func device(id string) string {
	i := strings.LastIndexByte(id, '-')
	return id[:max(i, 0)]
}

// serverDevice begins what stands for the device in the ids of messages that servers make for an
// account, so that no client can take one first. Devices do not begin with it.
const serverDevice = "="

// serverID is the id of a message that a server makes about something that happens once.
func serverID(about string) string { return serverDevice + about + "-1" }

// revisionID is the id of a message in a log that a server makes about something because of a record with revision rev:
// whoever finds that record does the same once more with the same id. What was copied from another store has its records
// under other revisions; so that none of them is taken for an older one, the epoch is in it, which is another one then, too.
func (h *Hub) revisionID(ctx context.Context, log, about string, rev uint64) (string, error) {
	epoch, err := h.cfg.Engine.Epoch(ctx, log)
	if err != nil {
		return "", err
	}
	return serverDevice + epoch + "/" + about + "-" + strconv.FormatUint(rev, 10), nil
}

// deviceID is the id of a message of a device.
func deviceID(device string, counter uint64) string {
	return device + "-" + strconv.FormatUint(counter, 10)
}

// cutID returns the parts of the id of a device's message; "" and 0 if a server made it.
func cutID(id string) (dev string, counter uint64) {
	dev = device(id)
	if dev == "" || strings.HasPrefix(dev, serverDevice) {
		return "", 0
	}
	counter, _ = strconv.ParseUint(id[len(dev)+1:], 10, 64) // 0 is the answer to whatever is no number.
	return dev, counter
}
