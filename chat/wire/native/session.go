package native

// Beginning a session, knowing who it is, and measuring it (SPEC.md 4).

// Versions of the protocol that this package speaks.
const (
	Version    = 1
	VersionMin = 1
)

// Capabilities are what a side can do beyond the version's least, as bits. Unknown bits mean nothing.
type Capabilities uint64

const (
	CanFiles    Capabilities = 1 << 0 // Upload, Download, Transfer.
	CanPrivate  Capabilities = 1 << 1 // Introductions.
	CanGuests   Capabilities = 1 << 2 // A server's: Guest is allowed.
	CanRegister Capabilities = 1 << 3 // A server's: Register is allowed.
)

// Hello is the first request of every session.
type Hello struct {
	Version      uint64       `cbor:"1,keyasint"`           // The highest the client speaks.
	VersionMin   uint64       `cbor:"2,keyasint"`           // The lowest.
	Capabilities Capabilities `cbor:"3,keyasint,omitempty"` // The client's.
	Sent         Instant      `cbor:"4,keyasint,omitempty"` // The client's clock.
	Agent        string       `cbor:"5,keyasint,omitempty"` // What the client is, for the server's log.
}

// Welcome answers Hello.
type Welcome struct {
	Version      uint64       `cbor:"1,keyasint"` // What is spoken from now on.
	Capabilities Capabilities `cbor:"2,keyasint,omitempty"`
	Sent         Instant      `cbor:"3,keyasint,omitempty"` // Hello's.
	Received     Instant      `cbor:"4,keyasint,omitempty"` // When the server read Hello, by its clock.
	Answered     Instant      `cbor:"5,keyasint,omitempty"` // When it wrote this.
	Agent        string       `cbor:"6,keyasint,omitempty"` // What the server is.
	TextBytesMax uint64       `cbor:"7,keyasint,omitempty"` // Longest text it takes.
	FileBytesMax uint64       `cbor:"8,keyasint,omitempty"` // Longest file it takes.
	Seen         string       `cbor:"9,keyasint,omitempty"` // The client's address as the server sees it.
}

// Ping asks for the server's clock, and whether it is there.
type Ping struct {
	Sent Instant `cbor:"1,keyasint,omitempty"` // The client's clock; comes back.
}

// Pong answers Ping. With the time of its arrival the client has the four times of RFC 5905 8.
type Pong struct {
	Sent     Instant `cbor:"1,keyasint,omitempty"` // Ping's.
	Received Instant `cbor:"2,keyasint"`           // When the server read Ping.
	Answered Instant `cbor:"3,keyasint"`           // When it wrote this.
}

// Register makes an account and logs in to it.
type Register struct {
	Name     string `cbor:"1,keyasint"`
	Password string `cbor:"2,keyasint"`
	Label    string `cbor:"3,keyasint,omitempty"` // What the user calls this device.
	WatchAll bool   `cbor:"4,keyasint,omitempty"` // As in LogIn.
}

// LogIn logs in, either with name and password, which makes a new device, or with the token of a device.
type LogIn struct {
	Name     string `cbor:"1,keyasint,omitempty"`
	Password string `cbor:"2,keyasint,omitempty"`
	Token    string `cbor:"3,keyasint,omitempty"`
	Label    string `cbor:"4,keyasint,omitempty"` // What the user calls this device; with a password only.
	WatchAll bool   `cbor:"5,keyasint,omitempty"` // Presence of everybody, not only of contacts and partners.
}

// Guest makes an account without a password, which ends after a time, and logs in to it.
type Guest struct {
	Name     string `cbor:"1,keyasint"`
	Label    string `cbor:"2,keyasint,omitempty"`
	WatchAll bool   `cbor:"3,keyasint,omitempty"`
}

// LoggedIn answers Register, LogIn and Guest.
type LoggedIn struct {
	Account string  `cbor:"1,keyasint"`           // The name by which the account is known everywhere.
	Show    string  `cbor:"2,keyasint,omitempty"` // As its owner writes it; empty: the same.
	Device  string  `cbor:"3,keyasint"`           // First part of the ids of this device's messages.
	Token   string  `cbor:"4,keyasint,omitempty"` // For the next LogIn; a new device only. A secret.
	Own     string  `cbor:"5,keyasint"`           // The account's own log.
	Guest   bool    `cbor:"6,keyasint,omitempty"`
	Expires Instant `cbor:"7,keyasint,omitempty"` // When a guest's account ends.
}

// LogOut ends being logged in. The session can log in again.
type LogOut struct {
	Forget bool `cbor:"1,keyasint,omitempty"` // Revoke this device's token, too.
}

// Password changes the account's password. All other devices have to log in anew.
type Password struct {
	Old string `cbor:"1,keyasint"`
	New string `cbor:"2,keyasint"`
}

// Tokens asks for the account's devices.
type Tokens struct{}

// TokenList answers Tokens.
type TokenList struct {
	Devices []Device `cbor:"1,keyasint,omitempty"`
}

// A Device is one that has a token.
type Device struct {
	Device  string  `cbor:"1,keyasint"`
	Label   string  `cbor:"2,keyasint,omitempty"`
	Made    Instant `cbor:"3,keyasint,omitempty"`
	Used    Instant `cbor:"4,keyasint,omitempty"` // Last log-in; may be late by a day.
	Current bool    `cbor:"5,keyasint,omitempty"` // It is the one that asks.
}

// Revoke makes a device's token worthless and ends its sessions.
type Revoke struct {
	Device string `cbor:"1,keyasint"`
}

// Drain is a push: the server is about to close all connections.
type Drain struct {
	After   Millis `cbor:"1,keyasint,omitempty"` // Come back no earlier than this.
	Address string `cbor:"2,keyasint,omitempty"` // HOST:PORT of where to; empty: here.
	Text    string `cbor:"3,keyasint,omitempty"` // Why, for people.
}

// Done answers requests that are answered with nothing but that they were carried out.
type Done struct{}

// Error answers a request that was refused and changed nothing. With id 0 it is about a message whose id could not be
// read, or about the session.
type Error struct {
	Code       Code   `cbor:"1,keyasint"`
	Text       string `cbor:"2,keyasint,omitempty"` // For people.
	RetryAfter Millis `cbor:"3,keyasint,omitempty"` // When the same request may succeed; 0: no such time.
	Reference  string `cbor:"4,keyasint,omitempty"` // CodeInternal: what finds it in the server's log.
	Field      string `cbor:"5,keyasint,omitempty"` // Of the request: which one is wrong.
}

func (m Hello) check() error {
	return first(
		require(m.Version > 0 && m.VersionMin > 0 && m.VersionMin <= m.Version, "version", "1 <= lowest <= highest"),
		longest("agent", m.Agent, LabelBytesMax),
	)
}

func (m Ping) check() error { return nil }

func (m Register) check() error {
	return first(
		needed("name", m.Name, NameBytesMax),
		needed("password", m.Password, SecretBytesMax),
		longest("label", m.Label, LabelBytesMax),
	)
}

func (m LogIn) check() error {
	byToken, byName := m.Token != "", m.Name != "" || m.Password != ""
	return first(
		require(byToken != byName, "token", "it, or name and password"),
		longest("name", m.Name, NameBytesMax),
		longest("password", m.Password, SecretBytesMax),
		longest("token", m.Token, TokenBytesMax),
		longest("label", m.Label, LabelBytesMax),
		require(byToken || m.Name != "" && m.Password != "", "password", "it, and a name"),
	)
}

func (m Guest) check() error {
	return first(needed("name", m.Name, NameBytesMax), longest("label", m.Label, LabelBytesMax))
}

func (m LogOut) check() error { return nil }

func (m Password) check() error {
	return first(needed("old", m.Old, SecretBytesMax), needed("new", m.New, SecretBytesMax))
}

func (m Tokens) check() error { return nil }

func (m Revoke) check() error { return first(needed("device", m.Device, LabelBytesMax)) }
