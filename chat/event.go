package chat

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// RoomRef is a ROOM_REF: 1, 2, ... in the order in which rooms were created, stable while the room
// keeps its place: also while it is empty, until another one needs that. 0 is no room.
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

	// KindFile: Account shows File to the room.
	KindFile
	// KindTopic: Account made Text the topic of the room.
	KindTopic

	// The following are in the log of an account (AccountLog), for all its devices.

	// KindConversation: there is a direct conversation with About, whose log is DirectLog(Account, About).
	KindConversation
	// KindEntered: the account became a member of the room About.
	KindEntered
	// KindExited: the account is no longer a member of the room About.
	KindExited
	// KindRequested: About asks to be a contact.
	KindRequested
	// KindContact: About is a contact now; Text is "mutual" if each of the two is one of the other.
	KindContact
	// KindContactGone: About is no contact, or asks no longer to be one.
	KindContactGone
	// KindBlocked: the account has blocked About.
	KindBlocked
	// KindUnblocked: the account has blocked About no longer.
	KindUnblocked
	// KindProfile: something about the account itself was changed; Text is a word that says what.
	KindProfile
	// KindRevoked: the device About of the account may log in no longer. If it is logged in it is told so, too,
	// attached or not, perhaps twice.
	KindRevoked

	// The following are sent past the logs: Seq is 0, and nobody relies on them.

	// KindMarked: the account has read the log About up to Number.
	KindMarked
	// KindTyping: Account is writing something in the room, or has stopped if Number is 0.
	KindTyping
	// KindPresence: Account is online, away or offline: Presence(Number), since Time.
	KindPresence

	// The following are made by the Hub for one device.

	// KindAttached: the device is told everything in the log after Number from now on. It comes
	// before all of that.
	KindAttached
	// KindReplaced: the same device has logged in once more, and this Device is closed. Nothing follows.
	KindReplaced
	// KindWhispered: somebody called Name, visitor or account, says Text to the account alone, past all logs. Only
	// for devices that have said in Login that they have words for it.
	KindWhispered

	// The following are made by the Hub for the visitors of a room. Joining and leaving do not say whether an
	// account is there.

	// KindCame: the first device of Account, called Name, is told of the room from now on.
	KindCame
	// KindWent: the last one is told no longer.
	KindWent
	// KindElsewhere: on other nodes somebody has come into the room or gone. Present says who is there now.
	KindElsewhere

	kindCount = iota + 1
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
	case KindFile:
		return "file"
	case KindTopic:
		return "topic"
	case KindConversation:
		return "conversation"
	case KindEntered:
		return "entered"
	case KindExited:
		return "exited"
	case KindRequested:
		return "requested"
	case KindContact:
		return "contact"
	case KindContactGone:
		return "contact gone"
	case KindBlocked:
		return "blocked"
	case KindUnblocked:
		return "unblocked"
	case KindProfile:
		return "profile"
	case KindRevoked:
		return "revoked"
	case KindMarked:
		return "marked"
	case KindTyping:
		return "typing"
	case KindPresence:
		return "presence"
	case KindAttached:
		return "attached"
	case KindReplaced:
		return "replaced"
	case KindWhispered:
		return "whispered"
	case KindCame:
		return "came"
	case KindWent:
		return "went"
	case KindElsewhere:
		return "elsewhere"
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

// An Event is something that happened in a room, in a direct conversation or to an account. All
// members get the same one, so it is never changed after delivery has begun, and nobody may copy it.
// A front-end ignores events of a Kind that it does not know.
type Event struct {
	Room     RoomRef // 0 if it is not about a room that has a number.
	User     JoinID  // The visitor it is about: speaker, joiner, leaver. 0 if that is an account.
	Kind     Kind
	Reason   LeaveReason // KindLeft only.
	RoomName string      // The room, or the name of another log; empty if it is about none.
	Seq      uint64      // Rises within the room; may have gaps. 0 if it is not in the log.
	Time     time.Time
	Account  string // The account it is about; empty if that is a visitor.
	Name     string // The name to show; for KindSaid as the sender wrote it.
	Text     string // KindSaid and those that mention it. Any bytes, as the sender wrote them.
	File     *File  // KindFile only.
	About    string // As Kind says: another account, a room, a log.
	Number   uint64 // As Kind says.
	Tag      string // KindSaid and KindFile: see Content.
	ID       string // Message id, "<device>-<counter>".

	room    *room      // Where it is delivered: for Present, while that holds the room's lock.
	encoded []encoding // One for each protocol that asked. Guarded by the room's lock.
}

// From returns the two parts of the message id: the device that sent the event, and its counter.
// The counter is 0 if the event was made by a server.
func (ev *Event) From() (device string, counter uint64) { return cutID(ev.ID) }

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

// A Receiver takes the events meant for one user or one device. Receive is called in Seq order with
// the room locked: it must not block, must not call the Hub, a User or a Device, and must not change ev. It may be
// called for several rooms at the same time.
type Receiver interface{ Receive(ev *Event) }

// clone returns an event of its own, with the bytes that are there already. The room is locked.
func (ev *Event) clone() *Event {
	e := *ev
	e.encoded = slices.Clip(slices.Clone(ev.encoded))
	return &e
}

func compareSeq(ev *Event, seq uint64) int { return cmp.Compare(ev.Seq, seq) }
