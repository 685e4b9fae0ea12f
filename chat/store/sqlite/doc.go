// Package sqlite is the engine for one server: everything is in one SQLite file in a data directory.
//
//	engine, err := sqlite.Open(dir, sqlite.Config{})
//	defer engine.Close()
//
// # How a message is written
//
// All changes go through one goroutine, the writer. It takes whatever waits, up to 1,000 changes, makes one
// transaction of it, commits, answers everybody, and hands the messages to a second goroutine, which calls the
// subscribers in order while the next batch commits. So the price of a sync to the disk is shared by all who wait for
// one, and nobody waits for more to come.
//
// With Synced, the default, Append returns when the message is on the disk, as far as the disk tells the truth. With
// Fast it returns when the message is with the operating system: killing the process loses nothing, losing power may
// lose the last moments, and what is left is whole and in order either way.
//
// Ids are remembered for ever, also those of dropped messages: appending one again at any time gives the first Seq.
// Seq is 1, 2, 3, ... in each room.
//
// # What is where
//
// The directory has udpchat.db, beside it udpchat.db-wal and -shm while the engine is open or after it was killed, and
// udpchat.lock, which a second process runs into. Files are in the same database, in pieces of 64 KiB, each verified when
// it is read. Space of what is dropped is used again, but the file does not shrink; Backup writes a copy without holes.
//
// # What goes wrong
//
// A full disk, a directory that became read-only and the like are errors of the calls that met them; nothing of what
// they were to write is stored, and the next calls try again. They match chat.ErrFull if there is no space, else
// chat.ErrUnwritable. Open does not open a store that it cannot write to, though a full one. After a
// failure Health tries to write, and says what it met.
//
// After a stop that was none of ours Open looks at the write-ahead log, and has SQLite look through the whole file: before it
// returns if that is quick, else in the background. A torn end, which nobody was told was stored, is cut off and logged.
// Anything else is damage, and damage is never covered up: Open refuses, or from the moment it is found Health says so and
// every change is refused with ErrDamaged. Messages, records and pieces of files carry checksums; one that does not fit is an
// error, never wrong data. Of stores over 64 MiB the index of message ids is not looked through: damage there may let a
// message in twice. Two more things no file can tell: that the last transaction was damaged rather than torn, and that the
// whole directory was replaced by an older copy. Backup therefore marks its copies, and opening one changes Epoch, so that
// clients do not resume from numbers that now mean something else.
package sqlite
