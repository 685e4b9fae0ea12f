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

// A LogInHook is an engine that does something else first when the rooms of an account are read, which is while it logs in.
type LogInHook struct {
	chat.Engine
	Do func() // Nil: nothing. It is done once.
}

// NewLogInHook returns one in memory that does nothing yet.
func NewLogInHook() *LogInHook { return &LogInHook{Engine: memory.New(memory.Config{})} }

// List implements chat.Engine.
func (e *LogInHook) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	if do := e.Do; do != nil && bucket == "enrolments" {
		e.Do = nil
		do()
	}
	return e.Engine.List(ctx, bucket, prefix)
}
