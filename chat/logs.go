package chat

import (
	"context"
	"errors"
	"strings"
)

// Logs that are no rooms have names that no room may have: dm/<a>/<b> is the direct conversation of
// two accounts in the order of their names, ac/<account> is what the devices of an account must know,
// pr is what nodes tell each other about who is here, pr/<front-end> what front-ends tell each other.
const (
	directPrefix  = "dm/"
	accountPrefix = "ac/"
	presenceLog   = "pr"
	nodesPrefix   = presenceLog + "/"
	postLog       = nodesPrefix + "post"
)

// DirectLog returns the name of the log of the direct conversation of two accounts.
func DirectLog(a, b string) string {
	if b < a {
		a, b = b, a
	}
	return directPrefix + a + "/" + b
}

// AccountLog returns the name of an account's own log.
func AccountLog(account string) string { return accountPrefix + account }

// DirectPeer returns with whom account talks in the log of a direct conversation; ok is false if
// log is not one of account's.
func DirectPeer(log, account string) (peer string, ok bool) {
	rest, ok := strings.CutPrefix(log, directPrefix)
	if !ok {
		return "", false
	}
	a, b, _ := strings.Cut(rest, "/") // Names of accounts have no "/".
	switch {
	case a == b:
	case a == account && DirectLog(a, b) == log:
		return b, true
	case b == account && DirectLog(a, b) == log:
		return a, true
	}
	return "", false
}

// isInnerLog reports whether a name is that of a log that is no room, or may become one.
func isInnerLog(name string) bool {
	return name == presenceLog || strings.HasPrefix(name, nodesPrefix) ||
		strings.HasPrefix(name, directPrefix) || strings.HasPrefix(name, accountPrefix)
}

// A keeper is an engine that keeps some rooms only: those it is told to keep before they are used.
type keeper interface {
	// Keep makes room one that is kept. The error matches ErrConflict if it is one that forgets.
	Keep(ctx context.Context, room string) error
}

// keep asks the engine to keep a room that an account uses. A room that forgets stays one.
func (h *Hub) keep(ctx context.Context, room string) (forgets bool, err error) {
	k, ok := h.cfg.Engine.(keeper)
	if !ok {
		return false, nil
	}
	err = k.Keep(ctx, room)
	if errors.Is(err, ErrConflict) {
		return true, nil
	}
	return false, err
}

// keptRoom returns the room of that name for accounts, and makes it if there is none. It keeps its place for ever.
func (h *Hub) keptRoom(ctx context.Context, name string) (*room, error) {
	forgets, err := h.keep(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := h.roomFor(name, func() error { return nil })
	if err == nil && forgets {
		r.mu.Lock()
		r.forgets = true
		r.mu.Unlock()
	}
	return r, err
}

// hold returns the log of that name, which is no room; the caller owes a release.
func (h *Hub) hold(op, name string) (*room, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return nil, h.refuse(op, CodeShuttingDown, 0, "")
	}
	r := h.logs[name]
	if r == nil {
		r = &room{hub: h, name: name}
		h.logs[name] = r
	}
	r.holders++
	return r, nil
}

// release is the end of one hold. The last one closes the log. A room stays as it is.
func (h *Hub) release(r *room) {
	if r.ref != 0 {
		return
	}
	h.mu.Lock()
	r.holders--
	last := r.holders == 0
	if last {
		delete(h.logs, r.name)
	}
	h.mu.Unlock()
	if last {
		r.close()
	}
}
