// Package memory is the engine for tests and for rooms that forget: everything is in this
// process's memory and gone when it ends.
//
//	engine := memory.New(memory.Config{})
//	defer engine.Close()
//
// Each room has a log with a lock of its own. Append stores the message and calls the subscribers
// before it returns, so there is nothing to wait for: no call blocks on anything but locks held
// for moments, and ctx is ignored (PutBlob looks at it between two reads). Seq is 1, 2, 3, ...
// without gaps. Engine starts no goroutine. All methods are safe for concurrent use, but not from
// within a subscriber: that deadlocks.
//
// # What is forgotten, and when
//
// A room keeps its last messages, up to a number and up to a number of bytes, both in Config.
// When only the bytes are exceeded, the oldest texts go but their ids stay, so the ids of the
// last RoomMessagesMax messages are recognised: appending one of them again gives the first Seq.
// An id that comes back later than that is a new message. When all rooms together exceed
// LogBytesMax, the room that is written to forgets its oldest messages and ids, down to its newest
// message if need be, while rooms where nothing happens keep theirs; so the whole never takes
// more than LogBytesMax and one message per room.
//
// Records and files are never forgotten; when their quotas are used up, Put and PutBlob return an
// error matching chat.ErrFull. So does the first use of one room more than RoomsMax, unless Forget has made room.
//
// List looks at every record of its bucket.
package memory
