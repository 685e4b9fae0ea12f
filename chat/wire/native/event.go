package native

import "fmt"

// A Kind is what happened (SPEC.md 6). A client skips events of kinds it does not know, but counts their numbers.
type Kind uint64

const (
	KindJoined Kind = 1 // Account, or a visitor, is in the room from here on.
	KindLeft   Kind = 2 // It is not any more, for Reason.
	KindSaid   Kind = 3 // It said Text.
	KindFile   Kind = 4 // It announced File.
	KindTopic  Kind = 5 // It set the topic to Text.

	// In an account's own log only.
	KindConversation   Kind = 16 // A conversation with Peer began: About is its log.
	KindRoomJoined     Kind = 17 // The account joined the room About.
	KindRoomLeft       Kind = 18 // It left the room About.
	KindContactRequest Kind = 19 // Peer has added the account to its contacts.
	KindContactAdded   Kind = 20 // The account added Peer, or Peer added the account, which has it.
	KindContactRemoved Kind = 21 // The account removed Peer.
	KindBlocked        Kind = 22 // The account blocked Peer.
	KindUnblocked      Kind = 23 // The account unblocked Peer.
	KindMarked         Kind = 24 // The account has read About up to Number. May have the sequence number 0: not kept.
	KindPassword       Kind = 25 // The password was changed.
	KindRevoked        Kind = 26 // The token of the device Text was revoked.
	KindProfile        Kind = 27 // Something else about the account changed.
)

// String returns a word for logs.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind %d", uint64(k))
}

var kindNames = map[Kind]string{
	KindJoined: "joined", KindLeft: "left", KindSaid: "said", KindFile: "file", KindTopic: "topic",
	KindConversation: "conversation", KindRoomJoined: "room joined", KindRoomLeft: "room left",
	KindContactRequest: "contact request", KindContactAdded: "contact added", KindContactRemoved: "contact removed",
	KindBlocked: "blocked", KindUnblocked: "unblocked", KindMarked: "marked",
	KindPassword: "password", KindRevoked: "revoked", KindProfile: "profile",
}

// A Reason is why somebody left.
type Reason uint64

const (
	ReasonLeft         Reason = 1 // Asked to.
	ReasonDisconnected Reason = 2 // Said good-bye to the server.
	ReasonLost         Reason = 3 // The connection ended without a word.
	ReasonSlow         Reason = 4 // Did not take what was sent.
	ReasonShutdown     Reason = 5 // The server went down.
)

// Event is something that happened in a log. As a push it is live; pages of history hold the same values.
type Event struct {
	Log     string  `cbor:"1,keyasint"`
	Seq     uint64  `cbor:"2,keyasint,omitempty"` // Its number. Rises within the log, may have gaps. 0: not kept.
	Time    Instant `cbor:"3,keyasint,omitempty"` // When it was stored, by the server's clock.
	Kind    Kind    `cbor:"4,keyasint"`
	Account string  `cbor:"5,keyasint,omitempty"`  // Who did it; empty for a visitor from a protocol without accounts.
	Show    string  `cbor:"6,keyasint,omitempty"`  // The name to show; empty: Account.
	Visitor uint64  `cbor:"7,keyasint,omitempty"`  // A visitor's number. Names of visitors prove nothing.
	Device  string  `cbor:"8,keyasint,omitempty"`  // With Counter, the message's id for ever.
	Counter uint64  `cbor:"9,keyasint,omitempty"`  //
	Text    string  `cbor:"10,keyasint,omitempty"` // Valid UTF-8; nothing else is promised.
	File    *File   `cbor:"11,keyasint,omitempty"`
	Reason  Reason  `cbor:"12,keyasint,omitempty"`
	Peer    string  `cbor:"13,keyasint,omitempty"`
	About   string  `cbor:"14,keyasint,omitempty"`
	Number  uint64  `cbor:"15,keyasint,omitempty"`
}
