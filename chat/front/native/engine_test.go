package native

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"udpchat/chat"
)

// A slowEngine takes its time for appending to rooms.
type slowEngine struct {
	chat.Engine
	for_ time.Duration
}

func slowly(d time.Duration) func(chat.Engine) chat.Engine {
	return func(e chat.Engine) chat.Engine { return slowEngine{e, d} }
}

func (e slowEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	select {
	case <-time.After(e.for_):
		return e.Engine.Append(ctx, room, id, data)
	case <-ctx.Done():
		return chat.Msg{}, ctx.Err()
	}
}

// A gatedEngine keeps the first one who stores a file from hearing that it is stored, until the gate is open.
type gatedEngine struct {
	chat.Engine
	gate   chan struct{} // Closed to open it. Of the bubble in which the engine is.
	stored atomic.Int32  // How often a file was.
}

func (e *gatedEngine) around(inner chat.Engine) chat.Engine {
	e.Engine, e.gate = inner, make(chan struct{})
	return e
}

func (e *gatedEngine) PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error) {
	id, size, err = e.Engine.PutBlob(ctx, r)
	if e.stored.Add(1) == 1 {
		<-e.gate
	}
	return id, size, err
}

// A muteEngine tells nobody anything while it is mute.
type muteEngine struct {
	chat.Engine
	mute atomic.Bool
}

func (e *muteEngine) around(inner chat.Engine) chat.Engine {
	e.Engine = inner
	return e
}

func (e *muteEngine) Send(room string, data []byte) error {
	if e.mute.Load() {
		return errors.New("cut off")
	}
	return e.Engine.Send(room, data)
}

// A fullEngine takes nothing while it is full.
type fullEngine struct {
	chat.Engine
	full atomic.Bool
}

func (e *fullEngine) around(inner chat.Engine) chat.Engine {
	e.Engine = inner
	return e
}

func (e *fullEngine) set(full bool) { e.full.Store(full) }

func (e *fullEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if e.full.Load() {
		return chat.Msg{}, chat.ErrFull
	}
	return e.Engine.Append(ctx, room, id, data)
}

// A panickingEngine panics when something is appended to one room.
type panickingEngine struct {
	chat.Engine
	room string
}

func panicking(room string) func(chat.Engine) chat.Engine {
	return func(e chat.Engine) chat.Engine { return panickingEngine{e, room} }
}

func (e panickingEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if room == e.room {
		panic("test: append")
	}
	return e.Engine.Append(ctx, room, id, data)
}
