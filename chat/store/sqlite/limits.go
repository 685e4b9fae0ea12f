package sqlite

import "time"

const (
	// batchMax is how many changes one transaction has. More wait for the next one.
	batchMax = 1_000

	// batchBytesMax is how many bytes one transaction has, about; one change more than that goes alone. It bounds how
	// long a message waits behind pieces of files.
	batchBytesMax = 4 << 20

	// queueMax is how many changes wait without a goroutine of the caller being blocked on the queue itself. Callers wait
	// for an answer anyway, so this only saves wake-ups.
	queueMax = 4 * batchMax

	// messageBytesMax is the largest message: what the core's decoder looks at. Larger ones are refused with
	// chat.ErrTooLarge.
	messageBytesMax = 16 << 20

	// valueBytesMax is the largest record. Larger ones are refused with chat.ErrTooLarge.
	valueBytesMax = 1 << 20

	// nameBytesMax is the longest room, id, bucket and key. Longer ones are refused with chat.ErrTooLarge.
	nameBytesMax = 1 << 10

	// roomsMax is how many rooms have a log. One more is refused with chat.ErrFull.
	roomsMax = 10_000_000

	// roomsCachedMax is how many rooms the writer remembers the numbers of; beyond it forgets them all and asks the
	// database again.
	roomsCachedMax = 20_000

	// readMessagesMax and readBytesMax are how much one Read returns. Callers read on.
	readMessagesMax = 10_000
	readBytesMax    = 32 << 20

	// blobBytesMax is the largest file unless configured. Larger ones are refused with chat.ErrTooLarge.
	blobBytesMax = 4 << 30

	// bytesMax is how large the database becomes unless configured. Beyond it changes are refused with chat.ErrFull.
	bytesMax = 1 << 40

	// chunkBytes is how large the pieces of files are.
	chunkBytes = 64 << 10

	// sweepRows and sweepChunks are how much of what was dropped is given back in one transaction, so that messages in
	// between do not wait.
	sweepRows   = 1_000
	sweepChunks = 16

	// sweepRetry is how long the sweeper waits after an error, which is most likely a full disk.
	sweepRetry = 30 * time.Second

	// readersMax is how many reads run at the same time; more wait.
	readersMax = 4

	// Page caches, in KiB: the writer's has to hold the ends of all rooms that are talked in.
	writerCacheKiB = 16 << 10
	readerCacheKiB = 4 << 10

	// checkpointPages is after how many pages (of 4 KiB) the write-ahead log is written back into the database.
	checkpointPages = 2_000

	// walBytesMax is to what size the write-ahead log is cut after it had to grow, as it does during a backup.
	walBytesMax = 64 << 20

	// busyTimeout is how long we wait for another program that has the database open, such as the sqlite3 shell.
	busyTimeout = 5 * time.Second

	// checkAlwaysBytes is up to what size the whole store is checked at every start, not only after a bad stop, and checkWait
	// how long Open waits for that, to refuse a damaged store before anybody uses it. Longer checks go on behind it.
	checkAlwaysBytes = 64 << 20
	checkWait        = 250 * time.Millisecond
)
