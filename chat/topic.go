package chat

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// A room that accounts use has a record, rooms/<room>:
//
//	byte     version, 1
//	uvarint  when it was made, in milliseconds since 1970
//	uvarint  length of the account that set the topic, then that
//	         topic: all that is left
const roomBucket = "rooms"

type roomRecord struct {
	made  time.Time
	by    string
	topic string
}

func (r roomRecord) encode() []byte {
	b := binary.AppendUvarint([]byte{1}, uint64(max(0, r.made.UnixMilli())))
	return append(appendString(b, r.by), r.topic...)
}

func decodeRoomRecord(entry Entry) (roomRecord, error) {
	b, r := entry.Val, roomRecord{}
	if len(b) == 0 || b[0] != 1 {
		return r, fmt.Errorf("chat: record of room %q: want version 1", entry.Key)
	}
	ms, n := binary.Uvarint(b[1:])
	if n <= 0 || ms > 1<<62 {
		return r, fmt.Errorf("chat: record of room %q: want a time", entry.Key)
	}
	by, end, err := decodeString(b, 1+n, "a length and an account")
	if err != nil {
		return r, fmt.Errorf("chat: record of room %q: %w", entry.Key, err)
	}
	r.made, r.by, r.topic = time.UnixMilli(int64(ms)), by, string(b[end:])
	return r, nil
}

// roomRecord returns the record of a room, with its revision; both are zero if there is none.
func (h *Hub) roomRecord(ctx context.Context, room string) (roomRecord, uint64, error) {
	entry, err := h.cfg.Engine.Get(ctx, roomBucket, room)
	if errors.Is(err, ErrNotFound) {
		return roomRecord{}, 0, nil
	}
	if err != nil {
		return roomRecord{}, 0, err
	}
	r, err := decodeRoomRecord(entry)
	return r, entry.Rev, err
}

// TopicOf returns the topic of a room; empty if it has none.
func (h *Hub) TopicOf(ctx context.Context, room string) (string, error) {
	r, _, err := h.roomRecord(ctx, room)
	return r.topic, err
}

// noteRoom makes the record of a room unless there is one.
func (h *Hub) noteRoom(ctx context.Context, room string) error {
	_, err := h.cfg.Engine.Put(ctx, roomBucket, room, roomRecord{made: time.Now()}.encode(), 0)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// Topic sets the topic of a room of which the account is a member; empty is none. Members are told with
// KindTopic. It refuses with CodeNotMember, CodeTooLong, CodeBadContent, CodeClosed or CodeShuttingDown.
func (d *Device) Topic(ctx context.Context, room, text string) error {
	const op = "set topic"
	if err := d.refuseClosed(op); err != nil {
		return err
	}
	if _, err := d.account.entered(ctx, op, room); err != nil {
		return err
	}
	switch {
	case len(text) > topicBytesMax:
		return d.hub.refuse(op, CodeTooLong, 0, fmt.Sprintf("a topic has at most %d bytes", topicBytesMax))
	case !isLine(text):
		return d.hub.refuse(op, CodeBadContent, 0, "a topic is one line of text")
	}
	for {
		r, rev, err := d.hub.roomRecord(ctx, room)
		if err != nil {
			return engineError(op, err)
		}
		if rev == 0 {
			r.made = time.Now()
		}
		r.by, r.topic = d.account.name, text
		rev, err = d.hub.cfg.Engine.Put(ctx, roomBucket, room, r.encode(), rev)
		if errors.Is(err, ErrConflict) && ctx.Err() == nil {
			continue // Somebody else has just set it; we are the later one.
		}
		if err == nil {
			rec := record{kind: KindTopic, account: d.account.name, name: d.show, text: text}
			_, err = d.hub.appendFor(ctx, room, "topic/", rev, rec) // No account has a / in its name.
		}
		return engineError(op, err)
	}
}

// isLine reports whether s is text without control characters.
func isLine(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return false
		}
	}
	return utf8.ValidString(s)
}

// RoomInfo is what a list of rooms has about one.
type RoomInfo struct {
	Name  string
	Topic string
	Made  time.Time // When the first account joined it; zero if none ever did.
	Here  int       // Visitors in it and devices attached to it, on this Hub.
}

// List returns rooms in the order of their names, from the first one after a name on: those that accounts
// have made, and those that visitors are in now. n is at most 500, and 0 means that.
func (h *Hub) List(ctx context.Context, after string, n int) ([]RoomInfo, error) {
	const op = "list rooms"
	if n <= 0 || n > listMax {
		n = listMax
	}
	entries, err := h.cfg.Engine.List(ctx, roomBucket, "")
	if err != nil {
		return nil, engineError(op, err)
	}
	known := make(map[string]bool)
	var list []RoomInfo
	for _, entry := range entries {
		if entry.Key <= after {
			continue
		}
		r, err := decodeRoomRecord(entry)
		if err != nil {
			h.log.Error("unreadable record of a room", "err", err)
			continue
		}
		known[entry.Key] = true
		list = append(list, RoomInfo{Name: entry.Key, Topic: r.topic, Made: r.made})
	}
	h.mu.RLock()
	rooms := slices.Collect(maps.Values(h.rooms))
	h.mu.RUnlock()
	here := make(map[string]int)
	for _, r := range rooms {
		if r.name <= after {
			continue
		}
		if here[r.name] = r.here(); here[r.name] > 0 && !known[r.name] {
			list = append(list, RoomInfo{Name: r.name})
		}
	}
	slices.SortFunc(list, func(a, b RoomInfo) int { return cmp.Compare(a.Name, b.Name) })
	list = list[:min(n, len(list))]
	for i := range list {
		list[i].Here = here[list[i].Name]
	}
	return list, nil
}

// here returns how many are told about the room on this Hub.
func (r *room) here() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feed == nil {
		return len(r.members)
	}
	return len(r.members) + len(r.feed.attached)
}
