package im

const (
	// PacketBytesMax is the longest packet of a client. A longer one is reported, and skipped to its end.
	PacketBytesMax = 64 << 10

	// ReplyBytesMax is the longest packet for a client: its program reads so many bytes at once and takes what it gets for a
	// packet (PROTOCOL.md 2.2). Longer texts are sent as several.
	ReplyBytesMax = 1024

	// ChunksMax is how many chunks a file may have (PROTOCOL.md 5.1): which of them somebody has fits into one machine word.
	ChunksMax = 64

	// routeBytesMax is the longest word between the brackets.
	routeBytesMax = 32

	// garbageBytesMax is how much of what is no packet is looked at before it is reported.
	garbageBytesMax = 1 << 10

	// fieldsMax is how many fields of an object are looked at, and depthMax how deep it may be. What has more is malformed.
	fieldsMax = 32
	depthMax  = 16

	// patience is how many silences a packet that has only begun is waited for.
	patience = 20

	// bufferKeptBytes is the largest buffer an idle decoder holds on to.
	bufferKeptBytes = 4 << 10

	// shownBytes is how much of what cannot be read is in an error.
	shownBytes = 40
)
