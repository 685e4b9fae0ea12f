package client

import (
	"encoding/hex"
	"strconv"
	"time"

	"udpchat/chat/wire/native"
)

// An Event is something that happened: one of the types of this file. Names and texts are as strangers wrote them.
type Event interface{ event() }

// An Origin is where, when and by whom something happened in a log: a room by its name, or a direct conversation.
type Origin struct {
	Log     string
	Peer    string // Of a direct conversation: the other account.
	Seq     uint64 // Its number in the log. They rise, and may have gaps.
	Time    time.Time
	Account string // Empty: a visitor from a protocol without accounts, whose name proves nothing.
	Show    string // The name to show; empty: Account.
	Device  string // With Counter, a message's id for ever.
	Counter uint64

	Mine bool // It was this account, on whatever device.
	Here bool // It is a message that this client has said, or the one before it with the same State.
	Past bool // It is history, or was missed while there was no connection.

	// Direct: it came, or went, over a direct connection. It is in no log and has no number.
	Direct bool

	// Took is how long it took from the server's store to here, measured by the server's clock; 0: not known. Past events
	// have none.
	Took time.Duration
}

// Name returns the name to show.
func (o Origin) Name() string {
	if o.Show != "" {
		return o.Show
	}
	return o.Account
}

// ID returns the message's id, empty if it has none.
func (o Origin) ID() string { return messageID(o.Device, o.Counter) }

func messageID(device string, counter uint64) string {
	if device == "" || counter == 0 {
		return ""
	}
	return device + "-" + strconv.FormatUint(counter, 10)
}

// Things that happen in logs.
type (
	// Said is a message of somebody, perhaps ourselves.
	Said struct {
		Origin
		Text string
		File *File // It announces a file instead.
	}
	// Joined says that somebody is a member from now on.
	Joined struct{ Origin }
	// Left says that somebody is a member no longer.
	Left struct {
		Origin
		Reason native.Reason
	}
	// Topic says that somebody has set a room's topic.
	Topic struct {
		Origin
		Text string
	}
)

// Things about people and this account.
type (
	// Presence says that somebody has come, gone or is away.
	Presence struct{ Person }
	// Typing says that somebody types, or no longer.
	Typing struct {
		Log, Peer, Account string
		On                 bool
	}
	// Own is an event of the account's own log: what its other devices did, and what others did to it.
	Own struct {
		Kind             native.Kind
		Seq              uint64
		Time             time.Time
		Peer, Log, Label string // Whom, which log, which text it is about, as the kind says.
		Number           uint64
	}
	// Whispered says that somebody without an account says something to us alone. It is kept nowhere, and the name proves
	// nothing.
	Whispered struct{ Name, Text string }
)

// Things about our connection and our messages.
type (
	// Online says that there is a connection, and everything missed will follow.
	Online struct {
		Transport string
		Address   string
		Away      time.Duration // How long there was none; 0 for the first.
	}
	// Offline says that the connection was lost. The client tries to come back by itself.
	Offline struct {
		Err error
	}
	// Silent says that the server owes an answer and says nothing. It is looked for over another connection, too.
	Silent struct{}
	// Retry says that an attempt to come back has failed.
	Retry struct {
		Attempt int
		Err     error
		In      time.Duration // When the next one is made.
	}
	// Draining says that the server is about to close the connection, and why. The client comes back by itself.
	Draining struct {
		Text string
		In   time.Duration
	}
	// Outgoing says that the status of a message of ours has changed.
	Outgoing struct {
		Message *Message
		Status  Status
	}
	// Reload says that what the program knows of a log is worthless: it began anew. What follows is new.
	Reload struct{ Log, Peer string }
	// Gone says that a log is not followed any more: we are no longer a member, or it is not there.
	Gone struct {
		Log, Peer string
		Err       error
	}
)

func (Said) event()      {}
func (Joined) event()    {}
func (Left) event()      {}
func (Topic) event()     {}
func (Presence) event()  {}
func (Typing) event()    {}
func (Own) event()       {}
func (Whispered) event() {}
func (Online) event()    {}
func (Offline) event()   {}
func (Silent) event()    {}
func (Retry) event()     {}
func (Draining) event()  {}
func (Outgoing) event()  {}
func (Reload) event()    {}
func (Gone) event()      {}

// A Person is an account as others see it, or a visitor.
type Person struct {
	Account string // Empty: a visitor.
	Show    string // The name to show; empty: Account.
	State   native.State
	Since   time.Time      // When it came, or if offline, when it was last there; zero: not known.
	Contact native.Contact // In the answer of Contacts.
}

// Name returns the name to show.
func (p Person) Name() string {
	if p.Show != "" {
		return p.Show
	}
	return p.Account
}

func personOf(p native.Person) Person {
	return Person{
		Account: p.Account, Show: p.Show, State: p.State, Since: p.Since.Time(), Contact: p.Contact,
	}
}

// A File is what an announcement says of a file.
type File struct {
	SHA256 [native.DigestBytes]byte
	Size   int64
	Name   string // For people; never a path.
	Type   string // Media type, as the sender says; may be empty.
}

// String returns the digest in hexadecimal.
func (f *File) String() string { return hex.EncodeToString(f.SHA256[:]) }

func (f *File) wire() *native.File {
	return &native.File{Digest: f.SHA256[:], Size: uint64(f.Size), Name: f.Name, Type: f.Type}
}

// fileOf returns nil for an announcement that makes no sense.
func fileOf(f *native.File) *File {
	if f == nil || len(f.Digest) != native.DigestBytes || f.Size > native.FileBytesMax {
		return nil
	}
	return &File{SHA256: [native.DigestBytes]byte(f.Digest), Size: int64(f.Size), Name: f.Name, Type: f.Type}
}

// eventBytes is what an event counts for eventsBytesMax.
func eventBytes(ev Event) int {
	if s, ok := ev.(Said); ok {
		return len(s.Text) + messageBytes
	}
	return messageBytes
}
