package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"udpchat/chat"
)

// keptBucket has a record for each room that Keep was called for.
const keptBucket = "kept-rooms"

// alwaysKept are the logs of direct conversations and of accounts: they are promises, whatever is configured.
var alwaysKept = []Pattern{Pattern(chat.DirectLog("*", "*")), Pattern(chat.AccountLog("*"))}

// Config says what an Engine is made of.
type Config struct {
	Kept       chat.Engine // Of rooms that are kept, and of all records and files.
	Forgetting chat.Engine // Of all other rooms.
	Durable    []Pattern   // Which rooms are kept whoever uses them.
}

// Engine implements chat.Engine.
type Engine struct {
	cfg Config // Constant.

	deciding   sync.Mutex // Held while it is found out what a room is. Taken before mu.
	mu         sync.RWMutex
	kept       map[string]bool // Rooms that have a record. Guarded by mu.
	forgetting map[string]bool // Rooms that were used without. Guarded by mu.
}

var _ chat.Engine = (*Engine)(nil)

// New returns an engine that closes both of its engines when it is closed.
func New(cfg Config) *Engine {
	cfg.Durable = slices.Concat(alwaysKept, cfg.Durable)
	return &Engine{cfg: cfg, kept: make(map[string]bool), forgetting: make(map[string]bool)}
}

// Keep makes room one that is kept, from before its first message on and for ever. The error matches chat.ErrConflict if the
// room is one that forgets already.
func (e *Engine) Keep(ctx context.Context, room string) error {
	if engine, _ := e.known(room); engine == e.cfg.Kept {
		return nil
	}
	e.deciding.Lock()
	defer e.deciding.Unlock()
	if engine, _ := e.known(room); engine == nil {
		heads, err := e.cfg.Forgetting.Heads(ctx, []string{room}) // Another node may have used it.
		if err == nil && heads[0] == 0 {
			_, err = e.cfg.Kept.Put(ctx, keptBucket, room, nil, 0)
			if errors.Is(err, chat.ErrConflict) {
				err = nil // Somebody else has just done so.
			}
		}
		if err != nil {
			return fmt.Errorf("route: keep room %q: %w", room, err)
		}
		e.note(room, heads[0] == 0)
	}
	if engine, _ := e.known(room); engine == e.cfg.Kept {
		return nil
	}
	return fmt.Errorf("route: keep room %q: it is in use and forgets: %w", room, chat.ErrConflict)
}

// note remembers what a room is.
func (e *Engine) note(room string, kept bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !kept {
		e.forgetting[room] = true
		return
	}
	if len(e.kept) >= roomsCachedMax {
		clear(e.kept)
	}
	e.kept[room] = true
}

// known returns the engine of a room, or nil if that has to be looked up.
func (e *Engine) known(room string) (chat.Engine, bool) {
	if slices.ContainsFunc(e.cfg.Durable, func(p Pattern) bool { return p.Match(room) }) {
		return e.cfg.Kept, true
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	switch {
	case e.kept[room]:
		return e.cfg.Kept, true
	case e.forgetting[room]:
		return e.cfg.Forgetting, true
	}
	return nil, false
}

// Forget implements what the Hub asks for when a room gives up its place: one that is kept stays what it is, and of another one
// nothing is known any more, unless somebody subscribes to it by now.
func (e *Engine) Forget(room string) (forgotten bool) {
	e.deciding.Lock()
	defer e.deciding.Unlock()
	if engine, ok := e.known(room); !ok || engine == e.cfg.Kept {
		return false
	}
	if f, ok := e.cfg.Forgetting.(interface{ Forget(room string) bool }); ok && !f.Forget(room) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.forgetting, room)
	return true
}

// engine returns the engine of a room. used says that the room is one from now on.
func (e *Engine) engine(ctx context.Context, room string, used bool) (chat.Engine, error) {
	if engine, ok := e.known(room); ok {
		return engine, nil
	}
	e.deciding.Lock()
	defer e.deciding.Unlock()
	if engine, ok := e.known(room); ok {
		return engine, nil
	}
	_, err := e.cfg.Kept.Get(ctx, keptBucket, room)
	switch {
	case err == nil:
		e.note(room, true)
		return e.cfg.Kept, nil
	case !errors.Is(err, chat.ErrNotFound):
		return nil, fmt.Errorf("route: whether room %q is kept: %w", room, err)
	}
	if used {
		e.note(room, false)
	}
	return e.cfg.Forgetting, nil
}

// Append implements chat.Engine.
func (e *Engine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	engine, err := e.engine(ctx, room, true)
	if err != nil {
		return chat.Msg{}, err
	}
	return engine.Append(ctx, room, id, data)
}

// Read implements chat.Engine.
func (e *Engine) Read(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	engine, err := e.engine(ctx, room, false)
	if err != nil {
		return nil, err
	}
	return engine.Read(ctx, room, after, before, n)
}

// Heads implements chat.Engine. It asks each engine once.
func (e *Engine) Heads(ctx context.Context, rooms []string) ([]uint64, error) {
	heads := make([]uint64, len(rooms))
	var names [2][]string
	var places [2][]int
	for i, room := range rooms {
		engine, err := e.engine(ctx, room, false)
		if err != nil {
			return nil, err
		}
		which := 0
		if engine == e.cfg.Forgetting {
			which = 1
		}
		names[which], places[which] = append(names[which], room), append(places[which], i)
	}
	for which, engine := range []chat.Engine{e.cfg.Kept, e.cfg.Forgetting} {
		some, err := engine.Heads(ctx, names[which])
		if err != nil {
			return nil, err
		}
		for i, h := range some {
			heads[places[which][i]] = h
		}
	}
	return heads, nil
}

// Epoch implements chat.Engine.
func (e *Engine) Epoch(ctx context.Context, room string) (string, error) {
	engine, err := e.engine(ctx, room, true)
	if err != nil {
		return "", err
	}
	return engine.Epoch(ctx, room)
}

// Drop implements chat.Engine.
func (e *Engine) Drop(ctx context.Context, room string, upto, only uint64) error {
	engine, err := e.engine(ctx, room, false)
	if err != nil {
		return err
	}
	return engine.Drop(ctx, room, upto, only)
}

// Send implements chat.Engine.
func (e *Engine) Send(room string, data []byte) error {
	engine, err := e.engine(context.Background(), room, false)
	if err != nil {
		return err
	}
	return engine.Send(room, data)
}

// Subscribe implements chat.Engine.
func (e *Engine) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	for {
		engine, err := e.engine(context.Background(), room, true)
		if err != nil {
			return nil, err
		}
		if stop, err = engine.Subscribe(room, f); err != nil {
			return nil, err
		}
		is, err := e.engine(context.Background(), room, true)
		if err == nil && is == engine {
			return stop, nil
		}
		stop() // It was forgotten meanwhile, and is kept now.
		if err != nil {
			return nil, err
		}
	}
}

// Get implements chat.Engine.
func (e *Engine) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	return e.cfg.Kept.Get(ctx, bucket, key)
}

// Put implements chat.Engine.
func (e *Engine) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	return e.cfg.Kept.Put(ctx, bucket, key, val, rev)
}

// Delete implements chat.Engine.
func (e *Engine) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	return e.cfg.Kept.Delete(ctx, bucket, key, rev)
}

// List implements chat.Engine.
func (e *Engine) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	return e.cfg.Kept.List(ctx, bucket, prefix)
}

// PutBlob implements chat.Engine.
func (e *Engine) PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error) {
	return e.cfg.Kept.PutBlob(ctx, r)
}

// GetBlob implements chat.Engine.
func (e *Engine) GetBlob(ctx context.Context, id string, off int64) (io.ReadCloser, error) {
	return e.cfg.Kept.GetBlob(ctx, id, off)
}

// DropBlob implements chat.Engine.
func (e *Engine) DropBlob(ctx context.Context, id string) error { return e.cfg.Kept.DropBlob(ctx, id) }

// Health implements chat.Engine.
func (e *Engine) Health() error { return errors.Join(e.cfg.Kept.Health(), e.cfg.Forgetting.Health()) }

// Close implements chat.Engine.
func (e *Engine) Close() error { return errors.Join(e.cfg.Kept.Close(), e.cfg.Forgetting.Close()) }
