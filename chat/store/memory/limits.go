package memory

const (
	// roomMessagesMax is how many messages and ids a room keeps unless configured: enough for a
	// person to read what was said before, and for a client to repeat what it is not sure of.
	// Older ones are forgotten.
	roomMessagesMax = 1_000

	// roomBytesMax is how many bytes the messages of one room take unless configured. Beyond it
	// the oldest texts are forgotten.
	roomBytesMax = 1 << 20

	// logBytesMax is how many bytes all logs together take unless configured. Beyond it the room
	// that is written to forgets its oldest messages and ids.
	logBytesMax = 256 << 20

	// roomsMax is how many rooms have a log unless configured; more than a Hub has rooms. One
	// more is refused with chat.ErrFull.
	roomsMax = 100_000

	// messageBytesMax is the largest message: what the core's decoder looks at. valueBytesMax is the largest record, and
	// nameBytesMax the longest room, id, bucket and key. What is larger is refused with chat.ErrTooLarge.
	messageBytesMax = 16 << 20
	valueBytesMax   = 1 << 20
	nameBytesMax    = 1 << 10

	// recordBytesMax is how many bytes all records together take unless configured. More are
	// refused with chat.ErrFull.
	recordBytesMax = 64 << 20

	// blobBytesMax is how many bytes all files together take unless configured. More are refused
	// with chat.ErrFull.
	blobBytesMax = 256 << 20

	// entryBytes, recordBytes and blobBytes are what a message, a record and a file take besides
	// their content, about. They are counted, so that many small ones are bounded too.
	entryBytes  = 192
	recordBytes = 128
	blobBytes   = 256

	// chunkBytes is how much of a file is read at a time: the quota is looked at once for each.
	chunkBytes = 64 << 10
)

// Config bounds what an engine keeps. A field that is 0 or less means its default.
type Config struct {
	RoomMessagesMax int   // Messages and ids kept of each room; default 1,000.
	RoomBytesMax    int64 // Bytes of them; default 1 MiB. The newest is kept whatever its size.
	LogBytesMax     int64 // Bytes of all logs together; default 256 MiB.
	RoomsMax        int   // Rooms; default 100,000.
	RecordBytesMax  int64 // Bytes of all records; default 64 MiB.
	BlobBytesMax    int64 // Bytes of all files; default 256 MiB.
}

// withDefaults returns cfg with all fields set.
func (cfg Config) withDefaults() Config {
	return Config{
		RoomMessagesMax: orDefault(cfg.RoomMessagesMax, roomMessagesMax),
		RoomBytesMax:    orDefault(cfg.RoomBytesMax, roomBytesMax),
		LogBytesMax:     orDefault(cfg.LogBytesMax, logBytesMax),
		RoomsMax:        orDefault(cfg.RoomsMax, roomsMax),
		RecordBytesMax:  orDefault(cfg.RecordBytesMax, recordBytesMax),
		BlobBytesMax:    orDefault(cfg.BlobBytesMax, blobBytesMax),
	}
}

func orDefault[T int | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
