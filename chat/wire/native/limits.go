package native

import "time"

// Limits of messages (SPEC.md 3). A request that passes one is refused with CodeTooLong or CodeBadField and changes
// nothing.
const (
	// RequestBytesMax is the longest request, in bytes of its frame's message: a text or a chunk of a file with room
	// for its head. A server skips longer frames and says CodeTooLong with id 0.
	RequestBytesMax = TextBytesMax + 8<<10

	// ReplyBytesMax is the longest message to a client: a page of history with at least one text. Clients may close on
	// longer ones.
	ReplyBytesMax = 1 << 20

	TextBytesMax    = 64 << 10 // Of a chat message, as in all protocols of the server, which may allow less (Welcome).
	NameBytesMax    = 64       // Of a room, an account, or a name to show; the server says which names are acceptable.
	LogBytesMax     = 3 + 2*NameBytesMax + 1
	SecretBytesMax  = 1024 // Of a password: hashing must not be free work for others.
	TokenBytesMax   = 128  // Of a device's or a transfer's token.
	LabelBytesMax   = 64   // Of what a client calls its device, or itself.
	EpochBytesMax   = 64   // Of the name of a log's life.
	TopicBytesMax   = 1024 // Of a room's topic.
	TypeBytesMax    = 127  // Of a file's media type, as in RFC 6838 4.2.
	FileNameMax     = 255  // Bytes of a file's name, which is what file systems take.
	DigestBytes     = 32   // Of a SHA-256, which a file is known by.
	ChunkBytesMax   = 64 << 10
	PageEventsMax   = 500 // Events in one answer. A larger N is taken as this.
	AddressesMax    = 8   // Addresses in an introduction.
	AddressBytesMax = 64  // Of one of them: an IPv6 address with zone and port.
	KeyBytesMax     = 64  // Of a public key or its fingerprint.
	CallBytesMax    = 16  // Of the name of an introduction.
	FileBytesMax    = 1 << 40

	// SinceMax is how far back Since can ask.
	SinceMax = 366 * 24 * time.Hour
)

// What a decoder takes whatever the type (SPEC.md 2.4). Without it a message of many tiny elements would be turned into
// values of hundreds of times its size.
const (
	arrayElementsMax = 1024
	mapPairsMax      = 64
	nestedLevelsMax  = 8
)
