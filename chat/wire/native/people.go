package native

import "fmt"

// Who is there, contacts and blocks (SPEC.md 5).

// A State is whether somebody is there.
type State uint64

const (
	StateOffline State = 0
	StateOnline  State = 1
	StateAway    State = 2
)

// String returns a word for people.
func (s State) String() string {
	switch s {
	case StateOffline:
		return "offline"
	case StateOnline:
		return "online"
	case StateAway:
		return "away"
	}
	return fmt.Sprintf("state %d", uint64(s))
}

// Presence says, as a request, that the user is away or back. As a push it says so of a Person.
type Presence struct {
	State  State   `cbor:"1,keyasint,omitempty"`
	Person *Person `cbor:"2,keyasint,omitempty"` // Push only; State is not set then.
}

// A Person is an account as others see it, or a visitor.
type Person struct {
	Account string  `cbor:"1,keyasint,omitempty"` // Empty for a visitor.
	Show    string  `cbor:"2,keyasint,omitempty"` // The name to show; empty: Account.
	State   State   `cbor:"3,keyasint,omitempty"`
	Since   Instant `cbor:"4,keyasint,omitempty"` // When it came, or if offline, when it was last there; 0: not known.
	Visitor uint64  `cbor:"5,keyasint,omitempty"` // A visitor's number.
	Contact Contact `cbor:"6,keyasint,omitempty"` // In an answer to Contacts.
}

// Contact is what somebody is to an account, as bits.
type Contact uint64

const (
	ContactMine   Contact = 1 << 0 // The account has added the person.
	ContactTheirs Contact = 1 << 1 // The person has added the account; alone, it is a request.
)

// Who asks who is in a room, or with an empty Log, who is online.
type Who struct {
	Log  string `cbor:"1,keyasint,omitempty"`
	Skip uint64 `cbor:"2,keyasint,omitempty"` // How many the client has already.
}

// Since asks who is online or has been within the last Ago.
type Since struct {
	Ago  Millis `cbor:"1,keyasint"`
	Skip uint64 `cbor:"2,keyasint,omitempty"` // As in Who.
}

// People answers Who, Since and Contacts.
type People struct {
	People []Person `cbor:"1,keyasint,omitempty"`
	More   bool     `cbor:"2,keyasint,omitempty"` // There are more than are listed.
}

// Contacts asks for the account's contacts and for those who have it as theirs: the first of them, or those behind a person.
type Contacts struct {
	After   string  `cbor:"1,keyasint,omitempty"` // That person's account.
	Contact Contact `cbor:"2,keyasint,omitempty"` // And what it was listed with.
}

// AddContact adds a contact; when the other one has the account already, both are mutual contacts then.
type AddContact struct {
	Name string `cbor:"1,keyasint"`
}

// RemoveContact removes a contact. Requests of others stay.
type RemoveContact struct {
	Name string `cbor:"1,keyasint"`
}

// Block keeps an account from reaching, seeing and being shown to this one.
type Block struct {
	Name string `cbor:"1,keyasint"`
}

// Unblock ends a Block.
type Unblock struct {
	Name string `cbor:"1,keyasint"`
}

// Blocked asks whom the account has blocked.
type Blocked struct{}

// Whisper says something to a visitor, who has no direct conversations, past all logs: it is kept nowhere. As a push it says
// what somebody has whispered to the account.
type Whisper struct {
	Name string `cbor:"1,keyasint"` // Request: to whom. Push: who, under a name that proves nothing.
	Text string `cbor:"2,keyasint,omitempty"`
}

// Names answers Blocked.
type Names struct {
	Names []string `cbor:"1,keyasint,omitempty"`
}

func (m Presence) check() error {
	return first(require(m.State == StateOnline || m.State == StateAway, "state", "1 or 2"))
}

func (m Who) check() error { return first(longest("log", m.Log, LogBytesMax)) }

func (m Since) check() error {
	return first(require(m.Ago > 0 && m.Ago <= For(SinceMax), "ago", "1 millisecond to 366 days"))
}

func (m Contacts) check() error { return first(longest("after", m.After, NameBytesMax)) }

func (m AddContact) check() error { return first(needed("name", m.Name, NameBytesMax)) }

func (m RemoveContact) check() error { return first(needed("name", m.Name, NameBytesMax)) }

func (m Block) check() error { return first(needed("name", m.Name, NameBytesMax)) }

func (m Unblock) check() error { return first(needed("name", m.Name, NameBytesMax)) }

func (m Blocked) check() error { return nil }

func (m Whisper) check() error {
	return first(needed("name", m.Name, NameBytesMax), longest("text", m.Text, TextBytesMax))
}
