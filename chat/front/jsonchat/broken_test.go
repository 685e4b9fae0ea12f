package jsonchat

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/jsonchat"
)

// A brokenEngine fails or panics where it is told to.
type brokenEngine struct {
	chat.Engine
	fail       atomic.Bool // Append fails.
	panicWrite atomic.Bool // PutBlob panics.
	panicRead  atomic.Bool // Get of what is known of files panics.
}

func (e *brokenEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if e.fail.Load() {
		return chat.Msg{}, errors.New("broken")
	}
	return e.Engine.Append(ctx, room, id, data)
}

func (e *brokenEngine) PutBlob(ctx context.Context, r io.Reader) (string, int64, error) {
	if e.panicWrite.Load() {
		panic("test: PutBlob \x1b[31m")
	}
	return e.Engine.PutBlob(ctx, r)
}

func (e *brokenEngine) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	if bucket == bucketFiles && e.panicRead.Load() {
		panic("test: Get \x1b[31m")
	}
	return e.Engine.Get(ctx, bucket, key)
}

// TestPanicEndsOneConnection: the others of the same device, and those of others, go on.
func TestPanicEndsOneConnection(t *testing.T) {
	engine := &brokenEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		a, b := w.join("ann"), w.join("bob")
		a2 := a.more("a2")
		engine.panicWrite.Store(true)
		a2.request(wire.SendMsg{Message: parcel(1, 2, "a.txt", "x", 1)}, "x")
		if a2.heard(); !a2.closed || len(w.ended) != 1 || !strings.HasPrefix(w.ended[0], "a2: panic: test: ") {
			t.Errorf("got ends %q, want the panic handed on", w.ended)
		}
		engine.panicWrite.Store(false)
		if res := a.do(wire.SendMsg{Message: parcel(1, 2, "a.txt", "x", 1)}, "x"); res.Err != "" {
			t.Errorf("the other connection: got %q", res.Err)
		}
		if got := b.forwarded(); len(got) != 1 {
			t.Errorf("the others got %d messages, want 1", len(got))
		}
	})
}

// TestPanicWhileForwardingEndsOnlyTheDevice: it happens on a goroutine of our own, so it would end the server.
func TestPanicWhileForwardingEndsOnlyTheDevice(t *testing.T) {
	engine := &brokenEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		a, b := w.join("ann"), w.join("bob")
		n := w.native("zoe")
		file := w.file("a.txt", "read it and die")
		engine.panicRead.Store(true)
		n.say(w, "ann", chat.Content{File: file})
		synctest.Wait()
		engine.panicRead.Store(false)
		if a.heard(); !a.closed {
			t.Error("the connection lives")
		}
		if log := w.log.String(); strings.Count(log, "front-end panicked") != 1 || strings.ContainsRune(log, '\x1b') {
			t.Errorf("got log %q, want the panic once", log)
		}
		if res := b.do(wire.State{}, ""); res.Err != "" {
			t.Errorf("somebody else: got %q", res.Err)
		}
		again := w.open("again")
		again.token = a.token
		if res := again.do(wire.FetchMsg{}, ""); res.Err != "" {
			t.Errorf("when it comes back: got %q", res.Err)
		}
	})
}

// TestFileOfANameThatCannotBeIsNowhere: whatever files are called, they are stored by their content; those that could be
// a path elsewhere are refused, for the clients' sake.
func TestFileOfANameThatCannotBeIsNowhere(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		a, b := w.join("ann"), w.join("bob")
		for _, name := range []string{"../x", "/etc/passwd", `..\x`, `c:\x`, "a/b", "..", ".", "", "a\x00b", "a\nb", "\u202etxt.exe", strings.Repeat("x", 256)} {
			if res := a.do(wire.SendMsg{Message: parcel(1, 2, name, "x", 1)}, "x"); res.Err != string(errFileName) {
				t.Errorf("%q: got %q", name, res.Err)
			}
		}
		for i, sum := range []string{"../x", "", strings.Repeat("g", 32), strings.Repeat("0", 31), "x/" + strings.Repeat("0", 30)} {
			m := parcel(1, 2, "a.txt", "x", int64(i))
			m.FileMD5 = &sum
			if res := a.do(wire.SendMsg{Message: m}, "x"); res.Err != string(errFileParts) {
				t.Errorf("MD5 %q: got %q", sum, res.Err)
			}
			for _, req := range []wire.Request{wire.FindFile{FileMD5: sum}, wire.FetchFile{MsgMD5: sum}} {
				if res := a.do(req, ""); !strings.HasSuffix(res.Err, "File not found") {
					t.Errorf("%s of %q: got %q", req.Name(), sum, res.Err)
				}
			}
		}
		if res := a.do(wire.SendMsg{Message: parcel(1, 2, "日本.txt", "x", 9)}, "x"); res.Err != "" {
			t.Errorf("a name: got %q", res.Err)
		}
		if got := b.forwarded(); len(got) != 1 {
			t.Errorf("bob got %d messages, want 1", len(got))
		}
		entries, err := w.engine.List(w.ctx, bucketFiles, "")
		if err != nil || slices.ContainsFunc(entries, func(en chat.Entry) bool { return strings.Contains(en.Key, "..") }) {
			t.Errorf("got records %v, %v", entries, err)
		}
	})
}
