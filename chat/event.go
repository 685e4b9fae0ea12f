package chat

import (
	"fmt"
	"time"
)

// RoomRef is a ROOM_REF: 1, 2, ... in the order in which rooms were created, stable for the life
// of the Hub, also while a room is empty. 0 is no room.
type RoomRef uint32

// JoinID is a JOIN_ID, the number by which a client is known. 0 is nobody.
type JoinID uint32

// Kind is what happened.
type Kind uint8

const (
	// KindJoined: User came into the room, or asked to once more while in it.
	KindJoined Kind = iota + 1
	// KindLeft: User is no longer in the room, for Reason.
	KindLeft
	// KindSaid: User said Text to the room.
	KindSaid
)

// String returns a word for logs.
func (k Kind) String() string {
	switch k {
	case KindJoined:
		return "joined"
	case KindLeft:
		return "left"
	case KindSaid:
		return "said"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// LeaveReason is why a member left. 0 is no reason: it goes with the other kinds.
type LeaveReason uint8

const (
	// ReasonLeft: it asked to leave this room.
	ReasonLeft LeaveReason = iota + 1
	// ReasonDisconnected: it said goodbye to the server.
	ReasonDisconnected
	// ReasonLost: its connection ended without a word.
	ReasonLost
	// ReasonSlow: it did not read what was sent to it.
	ReasonSlow
	// ReasonShutdown: the server is going down.
	ReasonShutdown
)

// String returns a word for logs.
func (r LeaveReason) String() string {
	switch r {
	case 0:
		return "none"
	case ReasonLeft:
		return "left"
	case ReasonDisconnected:
		return "disconnected"
	case ReasonLost:
		return "lost"
	case ReasonSlow:
		return "slow"
	case ReasonShutdown:
		return "shutdown"
	}
	return fmt.Sprintf("LeaveReason(%d)", uint8(r))
}

// An Event is something that happened in a room. All members get the same one, so it is never
// changed after delivery has begun, and nobody may copy it.
type Event struct {
	Room     RoomRef
	RoomName string
	Seq      uint64 // Rises within the room; may have gaps.
	Time     time.Time
	Kind     Kind
	User     JoinID      // The member it is about: speaker, joiner, leaver.
	Name     string      // The name to show; for KindSaid as the sender wrote it.
	Text     string      // KindSaid only. Any bytes, as the sender wrote them.
	Reason   LeaveReason // KindLeft only.
	ID       string      // Message id, "<device>-<counter>".

	encoded []encoding // One for each protocol that asked. Guarded by the room's lock.
}

// encoding is an event in the bytes of one protocol.
type encoding struct {
	proto string
	bytes []byte
}

// Encoded returns the event in the bytes of the protocol proto. encode is called for the first
// member only whose front-end asks for that protocol; all others get the same bytes, which nobody
// may change. Nil is an answer like any other. It must only be called from within Receive, or
// while nobody else has the event.
func (ev *Event) Encoded(proto string, encode func(*Event) []byte) []byte {
	for i := range ev.encoded {
		if ev.encoded[i].proto == proto {
			return ev.encoded[i].bytes
		}
	}
	b := encode(ev)
	ev.encoded = append(ev.encoded, encoding{proto, b})
	return b
}

// A Receiver takes the events meant for one user. Receive is called in Seq order with the room
// locked: it must not block, must not call the Hub or a User, and must not change ev. It may be
// called for several rooms at the same time.
type Receiver interface{ Receive(ev *Event) }
