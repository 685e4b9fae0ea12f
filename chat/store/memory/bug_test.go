package memory_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/memory"
)

// A bug is an engine with single methods broken; those that are nil are the real ones.
type bug struct {
	chat.Engine
	append    func(e chat.Engine, room, id string, data []byte) (chat.Msg, error)
	read      func(e chat.Engine, room string, after, before uint64, n int) ([]chat.Msg, error)
	epoch     func(e chat.Engine, room string) (string, error)
	heads     func(e chat.Engine, rooms []string) ([]uint64, error)
	drop      func(e chat.Engine, room string, upto, only uint64) error
	send      func(e chat.Engine, room string, data []byte) error
	subscribe func(e chat.Engine, room string, f func(chat.Msg)) (func(), error)
	get       func(e chat.Engine, bucket, key string) (chat.Entry, error)
	put       func(e chat.Engine, bucket, key string, val []byte, rev uint64) (uint64, error)
	delete    func(e chat.Engine, bucket, key string, rev uint64) error
	list      func(e chat.Engine, bucket, prefix string) ([]chat.Entry, error)
	putBlob   func(e chat.Engine, r io.Reader) (string, int64, error)
	getBlob   func(e chat.Engine, id string, off int64) (io.ReadCloser, error)
	close     func(e chat.Engine) error
}

func (b *bug) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if b.append != nil {
		return b.append(b.Engine, room, id, data)
	}
	return b.Engine.Append(ctx, room, id, data)
}

func (b *bug) Read(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	if b.read != nil {
		return b.read(b.Engine, room, after, before, n)
	}
	return b.Engine.Read(ctx, room, after, before, n)
}

func (b *bug) Heads(ctx context.Context, rooms []string) ([]uint64, error) {
	if b.heads != nil {
		return b.heads(b.Engine, rooms)
	}
	return b.Engine.Heads(ctx, rooms)
}

func (b *bug) Epoch(ctx context.Context, room string) (string, error) {
	if b.epoch != nil {
		return b.epoch(b.Engine, room)
	}
	return b.Engine.Epoch(ctx, room)
}

func (b *bug) Drop(ctx context.Context, room string, upto, only uint64) error {
	if b.drop != nil {
		return b.drop(b.Engine, room, upto, only)
	}
	return b.Engine.Drop(ctx, room, upto, only)
}

func (b *bug) Send(room string, data []byte) error {
	if b.send != nil {
		return b.send(b.Engine, room, data)
	}
	return b.Engine.Send(room, data)
}

func (b *bug) Subscribe(room string, f func(chat.Msg)) (func(), error) {
	if b.subscribe != nil {
		return b.subscribe(b.Engine, room, f)
	}
	return b.Engine.Subscribe(room, f)
}

func (b *bug) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	if b.get != nil {
		return b.get(b.Engine, bucket, key)
	}
	return b.Engine.Get(ctx, bucket, key)
}

func (b *bug) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	if b.put != nil {
		return b.put(b.Engine, bucket, key, val, rev)
	}
	return b.Engine.Put(ctx, bucket, key, val, rev)
}

func (b *bug) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	if b.delete != nil {
		return b.delete(b.Engine, bucket, key, rev)
	}
	return b.Engine.Delete(ctx, bucket, key, rev)
}

func (b *bug) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	if b.list != nil {
		return b.list(b.Engine, bucket, prefix)
	}
	return b.Engine.List(ctx, bucket, prefix)
}

func (b *bug) PutBlob(ctx context.Context, r io.Reader) (string, int64, error) {
	if b.putBlob != nil {
		return b.putBlob(b.Engine, r)
	}
	return b.Engine.PutBlob(ctx, r)
}

func (b *bug) GetBlob(ctx context.Context, id string, off int64) (io.ReadCloser, error) {
	if b.getBlob != nil {
		return b.getBlob(b.Engine, id, off)
	}
	return b.Engine.GetBlob(ctx, id, off)
}

func (b *bug) Close() error {
	if b.close != nil {
		return b.close(b.Engine)
	}
	return b.Engine.Close()
}

// runCheck runs one check on engines with a bug, all on one storage, and returns what it complains
// about.
func runCheck(t *testing.T, name string, plant func() *bug) string {
	checks := enginetest.Checks()
	i := slices.IndexFunc(checks, func(c enginetest.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no check %q", name)
	}
	open := newShared(t)
	if !checks[i].Durable && !checks[i].Nodes {
		open = func() (chat.Engine, error) { return memory.New(memory.Config{}), nil }
	}
	cfg := enginetest.Config{New: func(testing.TB) func() (chat.Engine, error) {
		return func() (chat.Engine, error) {
			b := plant()
			b.Engine, _ = open()
			return b, nil
		}
	}, MessageBytesMax: 16 << 20, RecordBytesMax: 1 << 20, NameBytesMax: 1 << 10}
	rec := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // Of its own, since Fatalf ends the goroutine. It ends before runCheck does.
		defer close(done)
		checks[i].Run(rec, cfg)
	}()
	<-done
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.said
}

// A recorder is a test that may fail.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said string // Guarded by mu.
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said += fmt.Sprintf(format, args...) + "\n"
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
