package stage

import (
	"context"
	"errors"
	"sync/atomic"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// A BadEngine is one in memory whose Append fails or panics while it is told to.
type BadEngine struct {
	chat.Engine
	Fails, Panics atomic.Bool
}

// NewBadEngine returns one that works so far.
func NewBadEngine() *BadEngine { return &BadEngine{Engine: memory.New(memory.Config{})} }

// Append implements chat.Engine.
func (e *BadEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	switch {
	case e.Panics.Load():
		panic("test: engine")
	case e.Fails.Load():
		return chat.Msg{}, errors.New("test: disk on fire")
	}
	return e.Engine.Append(ctx, room, id, data)
}
