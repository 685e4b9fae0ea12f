package native

// Rooms, conversations and what is said in them (SPEC.md 5). A log is a room by its name, a direct conversation, or an
// account's own; clients take the names of the last two from the server.

// Say stores a text or announces a file in a log. Said answers when it is stored. The same counter again is the same
// message: it is answered with the same Said and stored once.
type Say struct {
	Log     string `cbor:"1,keyasint"`
	Counter uint64 `cbor:"2,keyasint"` // Rises with every message of the device, over all logs; from 1 on.
	Text    string `cbor:"3,keyasint,omitempty"`
	File    *File  `cbor:"4,keyasint,omitempty"` // Instead of Text. The account must have uploaded it.
}

// Said answers Say.
type Said struct {
	Seq  uint64  `cbor:"1,keyasint"` // The message's number in the log.
	Time Instant `cbor:"2,keyasint"` // When it was stored, by the server's clock.
}

// Join makes the account a member of a room, which is made if need be, and attaches the session to it.
type Join struct {
	Room string `cbor:"1,keyasint"`
	N    uint64 `cbor:"2,keyasint,omitempty"` // How many of the newest events the answer is to carry.
}

// Attach has the session told live what happens in a log the account is a member of. With an epoch it goes on where the
// client stopped; without one it begins as Join does.
type Attach struct {
	Log   string `cbor:"1,keyasint"`
	Epoch string `cbor:"2,keyasint,omitempty"` // Of what the client has.
	After uint64 `cbor:"3,keyasint,omitempty"` // The number up to which the client has it.
	N     uint64 `cbor:"4,keyasint,omitempty"` // How many events the answer is to carry.
}

// Direct begins, or finds, the conversation with another account and attaches the session to it.
type Direct struct {
	Peer string `cbor:"1,keyasint"`
	N    uint64 `cbor:"2,keyasint,omitempty"`
}

// Place answers Join, Attach and Direct. Pushes of the log's events follow it, beginning with the first above Head.
type Place struct {
	Log    string  `cbor:"1,keyasint"`
	Epoch  string  `cbor:"2,keyasint"`
	Head   uint64  `cbor:"3,keyasint"`           // Events up to here come by Events and History, later ones as pushes.
	Ref    uint64  `cbor:"4,keyasint,omitempty"` // A room's number in protocols that have such.
	Topic  string  `cbor:"5,keyasint,omitempty"`
	Mark   uint64  `cbor:"6,keyasint,omitempty"` // Up to where the account has read.
	Peer   string  `cbor:"7,keyasint,omitempty"` // Of a direct conversation: the other account.
	Reload bool    `cbor:"8,keyasint,omitempty"` // What the client has cannot be continued: it must be thrown away.
	More   bool    `cbor:"9,keyasint,omitempty"` // There are more events than Events, later ones when resuming, else older.
	Events []Event `cbor:"10,keyasint,omitempty"`

	Forgets bool `cbor:"11,keyasint,omitempty"` // The room is not kept: what is said in it does not outlive the server.
}

// Leave ends the account's membership of a room, on all devices.
type Leave struct {
	Log string `cbor:"1,keyasint"`
}

// History asks for events of a log, at most N, in one of these ways: the oldest after After (and before Before, if that
// is set as well), the newest before Before, those around the number Around or the time At, or else the newest.
type History struct {
	Log    string  `cbor:"1,keyasint"`
	N      uint64  `cbor:"2,keyasint"`
	After  uint64  `cbor:"3,keyasint,omitempty"`
	Before uint64  `cbor:"4,keyasint,omitempty"`
	Around uint64  `cbor:"5,keyasint,omitempty"`
	At     Instant `cbor:"6,keyasint,omitempty"`
	Epoch  string  `cbor:"7,keyasint,omitempty"` // If set, CodeEpoch unless the log is still in that life.
}

// Page answers History, in rising order of numbers, which may have gaps.
type Page struct {
	Epoch  string  `cbor:"1,keyasint"`
	Events []Event `cbor:"2,keyasint,omitempty"`
	More   bool    `cbor:"3,keyasint,omitempty"` // There are more in the direction asked for.
}

// Mark says that the account has read a log up to a number. Lower numbers than before change nothing.
type Mark struct {
	Log string `cbor:"1,keyasint"`
	Seq uint64 `cbor:"2,keyasint"`
}

// Typing says that the user is typing, or no longer. As a push it says so of Account.
type Typing struct {
	Log     string `cbor:"1,keyasint"`
	On      bool   `cbor:"2,keyasint,omitempty"`
	Account string `cbor:"3,keyasint,omitempty"` // Push only.
}

// Topic sets a room's topic; empty removes it.
type Topic struct {
	Log  string `cbor:"1,keyasint"`
	Text string `cbor:"2,keyasint,omitempty"`
}

// Rooms asks for rooms by name, those after After.
type Rooms struct {
	After string `cbor:"1,keyasint,omitempty"`
	N     uint64 `cbor:"2,keyasint,omitempty"` // 0: as many as fit.
}

// RoomList answers Rooms.
type RoomList struct {
	Rooms []Room `cbor:"1,keyasint,omitempty"`
	More  bool   `cbor:"2,keyasint,omitempty"`
}

// A Room is one of a list.
type Room struct {
	Room  string `cbor:"1,keyasint"`
	Ref   uint64 `cbor:"2,keyasint,omitempty"`
	Here  uint64 `cbor:"3,keyasint,omitempty"` // How many are connected to it on the server that answers.
	Topic string `cbor:"4,keyasint,omitempty"`
}

// Conversations asks for all logs the account is a member of.
type Conversations struct {
	After string `cbor:"1,keyasint,omitempty"` // The last log of the answer before; empty: from the beginning.
}

// ConversationList answers Conversations.
type ConversationList struct {
	Conversations []Conversation `cbor:"1,keyasint,omitempty"`
	More          bool           `cbor:"2,keyasint,omitempty"`
}

// A Conversation is a room or direct conversation the account is a member of, or its own log.
type Conversation struct {
	Log   string `cbor:"1,keyasint"`
	Epoch string `cbor:"2,keyasint,omitempty"`
	Head  uint64 `cbor:"3,keyasint,omitempty"` // The number of its last event.
	Mark  uint64 `cbor:"4,keyasint,omitempty"` // Up to where the account has read.
	Topic string `cbor:"5,keyasint,omitempty"`
	Peer  string `cbor:"6,keyasint,omitempty"` // Of a direct conversation: the other account.
	Ref   uint64 `cbor:"7,keyasint,omitempty"`
}

func checkLog(log string) *SyntaxError { return needed("log", log, LogBytesMax) }

func (m Say) check() error {
	if m.File != nil {
		return first(checkLog(m.Log), require(m.Counter > 0, "counter", "at least 1"),
			require(m.Text == "", "text", "it, or a file"), m.File.fault())
	}
	return first(checkLog(m.Log), require(m.Counter > 0, "counter", "at least 1"), longest("text", m.Text, TextBytesMax))
}

func (m Join) check() error { return first(needed("room", m.Room, NameBytesMax)) }

func (m Attach) check() error {
	return first(checkLog(m.Log), longest("epoch", m.Epoch, EpochBytesMax),
		require(m.Epoch != "" || m.After == 0, "epoch", "it with after"))
}

func (m Direct) check() error { return first(needed("peer", m.Peer, NameBytesMax)) }

func (m Leave) check() error { return first(checkLog(m.Log)) }

func (m History) check() error {
	ways := 0
	for _, set := range []bool{m.After != 0 || m.Before != 0, m.Around != 0, m.At != 0} {
		if set {
			ways++
		}
	}
	return first(checkLog(m.Log), require(m.N > 0, "n", "at least 1"), longest("epoch", m.Epoch, EpochBytesMax),
		require(ways <= 1, "around", "one way to ask"))
}

func (m Mark) check() error { return first(checkLog(m.Log), require(m.Seq > 0, "seq", "at least 1")) }

func (m Typing) check() error { return first(checkLog(m.Log)) }

func (m Topic) check() error { return first(checkLog(m.Log), longest("text", m.Text, TopicBytesMax)) }

func (m Rooms) check() error { return first(longest("after", m.After, NameBytesMax)) }

func (m Conversations) check() error { return first(longest("after", m.After, LogBytesMax)) }
