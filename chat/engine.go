package chat

import (
	"context"
	"errors"
	"io"
	"time"
)

// Errors of engines. They are matched with errors.Is; an engine may say more around them.
var (
	// ErrNotFound: there is no such record or file.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the record does not have the revision that was given.
	ErrConflict = errors.New("revision conflict")
	// ErrFull: a limit of the engine is reached: nothing was stored.
	ErrFull = errors.New("engine is full")
	// ErrUnwritable: what the engine stores on cannot be written to, because it is read-only or broken: nothing was stored.
	ErrUnwritable = errors.New("the store cannot be written to")
	// ErrTooLarge: a message, record, file or name is larger than the engine takes: nothing was stored.
	ErrTooLarge = errors.New("too large")
	// ErrClosed: the engine was closed.
	ErrClosed = errors.New("engine is closed")
)

// A Msg is one entry of a room's log, or something sent past the log (then Seq is 0).
type Msg struct {
	Room string
	Seq  uint64 // Rises within a room and is never reused; may have gaps. 0: sent, not appended.
	ID   string // As given to Append; empty when sent.
	Time time.Time
	Data []byte // Shared by all who have the Msg: nobody may change it.
}

// An Entry is one small record.
type Entry struct {
	Key string
	Val []byte // The caller's own.
	Rev uint64 // Never 0; rises with every change of the key and is never reused for it.
}

// An Engine keeps the logs of rooms, small records and files, and tells every server node what
// was appended. It decides the order. All implementations pass chat/store/enginetest.
//
// All methods may be called at the same time, but not from within f of Subscribe. A ctx that has
// ended may be ignored by calls that need not wait. After Close every call returns an error that
// matches ErrClosed, or does nothing.
type Engine interface {
	// Append returns after the message is stored to the engine's durability. The same (room, id)
	// gives the first Seq again and stores nothing: ids are "<device>-<counter>", kept by the
	// client for every retry. How far back an engine recognises an id is part of its
	// documentation. The engine keeps data, so the caller must not change it. After an error the
	// message may or may not be stored; a retry with the same id settles it.
	Append(ctx context.Context, room, id string, data []byte) (Msg, error)

	// Read returns up to n messages with after < Seq < before in rising order: the newest of them
	// if before is not 0, else the oldest (before 0 means no upper bound). Dropped and forgotten
	// messages are missing. It may return fewer than there are, but none only if there are none.
	Read(ctx context.Context, room string, after, before uint64, n int) ([]Msg, error)

	// Heads returns for each room the Seq of the last message appended to it, dropped or not; 0
	// if there was none.
	Heads(ctx context.Context, rooms []string) ([]uint64, error)

	// Epoch names the life of a room's log. As long as it is the same, a Seq means the same message
	// as ever; it changes when the log began anew or an older copy of it was put back.
	Epoch(ctx context.Context, room string) (string, error)

	// Drop forgets the messages of room with Seq <= upto, and the one with Seq == only (0: none).
	// What was delivered stays delivered; ids stay known.
	Drop(ctx context.Context, room string, upto, only uint64) error

	// Send reaches every subscriber on every node as a Msg with Seq 0, is stored nowhere and
	// promises nothing (typing, presence). The engine keeps data.
	Send(room string, data []byte) error

	// Subscribe calls f with every message appended to room after it was called, one call at a
	// time per room, in Seq order, no gaps, no repeats. f only enqueues: it must not block and
	// must not call the engine. After stop has returned f does not run; stop may be called more
	// than once.
	Subscribe(room string, f func(Msg)) (stop func(), err error)

	// Get returns one record, or an error matching ErrNotFound.
	Get(ctx context.Context, bucket, key string) (Entry, error)

	// Put writes a record and returns its new revision. rev is the revision it replaces; 0 means
	// that there must be no record of that key. Otherwise the error matches ErrConflict. The
	// engine copies val.
	Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error)

	// Delete removes the record if its revision is rev, or whatever it is if rev is 0. The error
	// matches ErrNotFound if there is none, and ErrConflict if it has another revision.
	Delete(ctx context.Context, bucket, key string, rev uint64) error

	// List returns the records of bucket whose keys begin with prefix, in the order of their keys.
	List(ctx context.Context, bucket, prefix string) ([]Entry, error)

	// PutBlob stores what it reads from r. id is the SHA-256 of the content in lower-case
	// hexadecimal; the same content is stored once.
	PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error)

	// GetBlob returns the content from the byte at off on, or an error matching ErrNotFound. An
	// off below 0 or beyond the end is an error. The caller closes what it gets.
	GetBlob(ctx context.Context, id string, off int64) (io.ReadCloser, error)

	// DropBlob forgets a file; the error matches ErrNotFound if there is none.
	DropBlob(ctx context.Context, id string) error

	// Health returns nil while the engine can do its work, or what keeps it from it.
	Health() error

	// Close ends all subscriptions and gives back what the engine holds. It may be called again.
	Close() error
}
