package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"udpchat/chat"
)

// Engine implements chat.Engine.
type Engine struct {
	cfg      Config       // With defaults. Constant after New.
	epoch    string       // Constant after New.
	logBytes atomic.Int64 // What all logs take.
	records  records
	blobs    blobs

	mu     sync.RWMutex
	rooms  map[string]*log // Guarded by mu; shrinks by Forget and Close only.
	floor  uint64          // The highest Seq of a log that was forgotten. Guarded by mu.
	closed bool            // Guarded by mu.
}

var _ chat.Engine = (*Engine)(nil)

// New returns an empty engine.
func New(cfg Config) *Engine {
	cfg = cfg.withDefaults()
	return &Engine{
		cfg:     cfg,
		epoch:   rand.Text(),
		rooms:   make(map[string]*log),
		records: records{bytesMax: cfg.RecordBytesMax, buckets: make(map[string]map[string]record)},
		blobs:   blobs{bytesMax: cfg.BlobBytesMax, byID: make(map[string]blob)},
	}
}

// Append implements chat.Engine.
func (e *Engine) Append(_ context.Context, room, id string, data []byte) (chat.Msg, error) {
	if err := cmp.Or(tooLong("id", len(id), nameBytesMax), tooLong("message", len(data), messageBytesMax)); err != nil {
		return chat.Msg{}, err
	}
	for {
		l, err := e.logFor(room)
		if err != nil {
			return chat.Msg{}, err
		}
		if msg, err := l.append(id, data); !errors.Is(err, errGone) {
			return msg, err
		}
	}
}

// Read implements chat.Engine.
func (e *Engine) Read(_ context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	l, err := e.log(room)
	if l == nil || err != nil {
		return nil, err
	}
	return l.read(after, before, n)
}

// Heads implements chat.Engine.
func (e *Engine) Heads(_ context.Context, rooms []string) ([]uint64, error) {
	heads := make([]uint64, len(rooms))
	for i, room := range rooms {
		l, err := e.log(room)
		if err != nil {
			return nil, err
		}
		if l != nil {
			heads[i] = l.head()
		}
	}
	return heads, nil
}

// Epoch implements chat.Engine. Every Engine has one of its own.
func (e *Engine) Epoch(context.Context, string) (string, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return "", errClosed()
	}
	return e.epoch, nil
}

// Drop implements chat.Engine.
func (e *Engine) Drop(_ context.Context, room string, upto, only uint64) error {
	l, err := e.log(room)
	if l == nil || err != nil {
		return err
	}
	return l.drop(upto, only)
}

// Send implements chat.Engine.
func (e *Engine) Send(room string, data []byte) error {
	l, err := e.log(room)
	if l == nil || err != nil {
		return err // Without a log there is no subscriber.
	}
	return l.send(data)
}

// Subscribe implements chat.Engine.
func (e *Engine) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	for {
		l, err := e.logFor(room)
		if err != nil {
			return nil, err
		}
		if stop, err := l.subscribe(f); !errors.Is(err, errGone) {
			return stop, err
		}
	}
}

// Forget forgets the log of a room, unless somebody subscribes to it, and reports whether there is none now. What is appended
// to it later begins a new one, whose numbers are above those it had.
func (e *Engine) Forget(room string) (forgotten bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.rooms[room]
	if l == nil {
		return true
	}
	last, ok := l.forget()
	if ok {
		delete(e.rooms, room)
		e.floor = max(e.floor, last)
	}
	return ok
}

// Health implements chat.Engine.
func (e *Engine) Health() error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return errClosed()
	}
	return nil
}

// Close implements chat.Engine. No subscriber is called after it has returned.
func (e *Engine) Close() error {
	e.mu.Lock()
	rooms := e.rooms
	e.rooms, e.closed = nil, true
	e.mu.Unlock()
	for _, l := range rooms {
		l.close()
	}
	e.records.close()
	e.blobs.close()
	return nil
}

// log returns the log of a room, or nil if nothing was done with it yet.
func (e *Engine) log(room string) (*log, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, errClosed()
	}
	return e.rooms[room], nil
}

// logFor returns the log of a room, which it makes if there is none.
func (e *Engine) logFor(room string) (*log, error) {
	l, err := e.log(room)
	if l != nil || err != nil {
		return l, err
	}
	if err := tooLong("room", len(room), nameBytesMax); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, errClosed()
	case e.rooms[room] != nil:
		return e.rooms[room], nil
	case len(e.rooms) >= e.cfg.RoomsMax:
		return nil, fmt.Errorf("memory: %d rooms: %w", len(e.rooms), chat.ErrFull)
	}
	l = &log{engine: e, room: room, last: e.floor, floor: e.floor}
	e.rooms[room] = l
	return l, nil
}

func errClosed() error { return fmt.Errorf("memory: %w", chat.ErrClosed) }

// tooLong refuses what is larger than max bytes.
func tooLong(what string, n, max int) error {
	if n <= max {
		return nil
	}
	return fmt.Errorf("memory: %s of %d bytes, the most is %d: %w", what, n, max, chat.ErrTooLarge)
}
