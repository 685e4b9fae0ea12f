package client

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

// someFile writes a file of that many bytes.
func someFile(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(size), 1))
	content = make([]byte, size)
	for i := range content {
		content[i] = byte(rng.Uint32())
	}
	path = filepath.Join(t.TempDir(), "some file.bin")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestFileArrivesWholeThoughBothWaysBreakOff(t *testing.T) {
	path, content := someFile(t, 1<<20+17)
	to := filepath.Join(t.TempDir(), "copy")
	inWorld(t, 0.05, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		if _, err := c.Join(w.Context(), "lobby", 0); err != nil {
			w.Fatal(err)
		}
		w.server.set(func() { w.server.breakAt = 500_000 })
		var sent []int64
		f, err := c.Upload(w.Context(), path, func(done, size int64) { sent = append(sent, done) })
		if err != nil {
			w.Fatal(err)
		}
		if f.Name != "some file.bin" || f.Size != int64(len(content)) || len(sent) == 0 || sent[len(sent)-1] != f.Size {
			w.Errorf("file %+v, progress to %v", f, sent)
		}
		m, err := c.Announce("lobby", f)
		if err == nil {
			err = m.Wait(w.Context())
		}
		if err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Second)
		said := of[Said](k)
		if len(said) != 1 || said[0].File == nil || *said[0].File != *f {
			w.Fatalf("events %+v", said)
		}
		w.server.set(func() { w.server.breakAt = 300_000 })
		fetched := int64(0)
		if err := c.Download(w.Context(), "lobby", said[0].Seq, to, func(done, _ int64) {
			if done <= fetched {
				w.Errorf("at %d after %d: fetched again", done, fetched)
			}
			fetched = done
		}); err != nil {
			w.Fatal(err)
		}
		if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
			w.Errorf("%d bytes, %v, want %d", len(got), err, len(content))
		}
		if left, _ := filepath.Glob(to + ".*"); len(left) > 0 {
			w.Errorf("left over: %v", left)
		}
		// The server has it: a second time there is nothing to send.
		transfers := func() (n int) {
			w.server.set(func() {
				for _, what := range w.server.asked {
					if _, ok := what.(native.Transfer); ok {
						n++
					}
				}
			})
			return n
		}
		before := transfers()
		if _, err := c.Upload(w.Context(), path, nil); err != nil || transfers() != before {
			w.Errorf("again: %v, %d transfers", err, transfers()-before)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestFileThatIsNotWhatWasAnnouncedGetsNoName(t *testing.T) {
	to := filepath.Join(t.TempDir(), "copy")
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		digest := make([]byte, native.DigestBytes)
		w.server.set(func() {
			f := w.server.file(digest)
			f.bytes, f.size = []byte("something else"), 14
			w.server.appendLocked(native.Event{Log: "lobby", Kind: native.KindFile, File: &native.File{Digest: digest, Size: 14, Name: "x"}})
		})
		if err := c.Download(w.Context(), "lobby", 1, to, nil); !errors.Is(err, errDigest) {
			w.Errorf("Download: %v", err)
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			w.Errorf("there is a file: %v", err)
		}
		if err := c.Download(w.Context(), "lobby", 2, to, nil); !isCode(err, native.CodeNoFile) {
			w.Errorf("Download of nothing: %v", err)
		}
		if err := os.WriteFile(to, nil, 0o600); err != nil {
			w.Fatal(err)
		}
		if err := c.Download(w.Context(), "lobby", 1, to, nil); !errors.Is(err, fs.ErrExist) {
			w.Errorf("Download over a file: %v", err)
		}
		c.Close()
		k.task.Wait()
	})
}

func TestUploadEndsWithItsContext(t *testing.T) {
	path, _ := someFile(t, 100)
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{})
		k := collect(c)
		w.server.set(func() { w.server.mute = func(r native.Request) bool { _, ok := r.(native.Transfer); return ok } })
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Upload(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			w.Errorf("Upload: %v after %v", err, time.Since(start))
		}
		c.Close()
		k.task.Wait()
	})
}

func isCode(err error, code native.Code) bool {
	e, ok := errors.AsType[native.Error](err)
	return ok && e.Code == code
}
