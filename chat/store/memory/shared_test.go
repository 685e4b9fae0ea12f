package memory_test

import (
	"context"
	"io"
	"sync"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/memory"
)

// TestSharedEngine runs the parts of the suite for durable engines and for clusters, which the
// memory engine has no use for, so that those parts are known to work: each handle is a node, and
// the memory engine behind all handles is the disk.
func TestSharedEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Config{
		New: newShared, Durable: true, Nodes: true,
		MessageBytesMax: 16 << 20, RecordBytesMax: 1 << 20, NameBytesMax: 1 << 10,
	})
}

func newShared(tb testing.TB) func() (chat.Engine, error) {
	disk := memory.New(memory.Config{})
	tb.Cleanup(func() { disk.Close() })
	return func() (chat.Engine, error) { return &handle{disk: disk}, nil }
}

// A handle is an engine that shares its data with other handles. Closing it closes only itself.
type handle struct {
	disk chat.Engine

	mu     sync.RWMutex // Held for reading over every call, so that Close waits for them.
	stops  []func()     // Guarded by mu.
	closed bool         // Guarded by mu.
}

// on calls f unless h is closed.
func (h *handle) on(f func(chat.Engine) error) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return chat.ErrClosed
	}
	return f(h.disk)
}

func (h *handle) Append(ctx context.Context, room, id string, data []byte) (msg chat.Msg, err error) {
	err = h.on(func(e chat.Engine) error { msg, err = e.Append(ctx, room, id, data); return err })
	return msg, err
}

func (h *handle) Read(ctx context.Context, room string, after, before uint64, n int) (msgs []chat.Msg, err error) {
	err = h.on(func(e chat.Engine) error { msgs, err = e.Read(ctx, room, after, before, n); return err })
	return msgs, err
}

func (h *handle) Heads(ctx context.Context, rooms []string) (heads []uint64, err error) {
	err = h.on(func(e chat.Engine) error { heads, err = e.Heads(ctx, rooms); return err })
	return heads, err
}

func (h *handle) Epoch(ctx context.Context, room string) (epoch string, err error) {
	err = h.on(func(e chat.Engine) error { epoch, err = e.Epoch(ctx, room); return err })
	return epoch, err
}

func (h *handle) Drop(ctx context.Context, room string, upto, only uint64) error {
	return h.on(func(e chat.Engine) error { return e.Drop(ctx, room, upto, only) })
}

func (h *handle) Send(room string, data []byte) error {
	return h.on(func(e chat.Engine) error { return e.Send(room, data) })
}

func (h *handle) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, chat.ErrClosed
	}
	stop, err = h.disk.Subscribe(room, f)
	if err == nil {
		h.stops = append(h.stops, stop)
	}
	return stop, err
}

func (h *handle) Get(ctx context.Context, bucket, key string) (en chat.Entry, err error) {
	err = h.on(func(e chat.Engine) error { en, err = e.Get(ctx, bucket, key); return err })
	return en, err
}

func (h *handle) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (next uint64, err error) {
	err = h.on(func(e chat.Engine) error { next, err = e.Put(ctx, bucket, key, val, rev); return err })
	return next, err
}

func (h *handle) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	return h.on(func(e chat.Engine) error { return e.Delete(ctx, bucket, key, rev) })
}

func (h *handle) List(ctx context.Context, bucket, prefix string) (list []chat.Entry, err error) {
	err = h.on(func(e chat.Engine) error { list, err = e.List(ctx, bucket, prefix); return err })
	return list, err
}

func (h *handle) PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error) {
	err = h.on(func(e chat.Engine) error { id, size, err = e.PutBlob(ctx, r); return err })
	return id, size, err
}

func (h *handle) GetBlob(ctx context.Context, id string, off int64) (rc io.ReadCloser, err error) {
	err = h.on(func(e chat.Engine) error { rc, err = e.GetBlob(ctx, id, off); return err })
	return rc, err
}

func (h *handle) DropBlob(ctx context.Context, id string) error {
	return h.on(func(e chat.Engine) error { return e.DropBlob(ctx, id) })
}

func (h *handle) Health() error { return h.on(chat.Engine.Health) }

func (h *handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, stop := range h.stops {
		stop()
	}
	h.stops = nil
	return nil
}
