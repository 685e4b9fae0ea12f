package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"udpchat/chat/store/sqlite"
)

func open(tb testing.TB, dir string, cfg sqlite.Config) *sqlite.Engine {
	tb.Helper()
	e, err := sqlite.Open(dir, cfg)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return e
}

// BenchmarkAppend has clients that append messages of 100 bytes, each as soon as its last one is stored.
func BenchmarkAppend(b *testing.B) {
	for _, d := range []sqlite.Durability{sqlite.Synced, sqlite.Fast} {
		for _, clients := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("%v/clients=%d", d, clients), func(b *testing.B) {
				e := open(b, b.TempDir(), sqlite.Config{Durability: d})
				data := make([]byte, 100)
				var n atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				for c := range clients {
					wg.Go(func() {
						room := fmt.Sprint("room", c%10)
						for i := 0; n.Add(1) <= int64(b.N); i++ {
							if _, err := e.Append(context.Background(), room, fmt.Sprintf("client%d-%d", c, i), data); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				s := e.Stats()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
				b.ReportMetric(float64(s.Changes)/float64(s.Transactions), "messages/commit")
			})
		}
	}
}

// million returns a store with a million messages in one room, of 512 devices.
func million(b *testing.B, dir string) *sqlite.Engine {
	const messages, clients = 1_000_000, 512
	e := open(b, dir, sqlite.Config{Durability: sqlite.Fast})
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			data := make([]byte, 100)
			for i := range messages / clients {
				if _, err := e.Append(context.Background(), "big", fmt.Sprintf("%016x-%d", c*0x9e3779b9, i), data); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return e
}

func BenchmarkReadOfAMillion(b *testing.B) {
	dir := b.TempDir()
	e := million(b, dir)
	h, err := e.Heads(b.Context(), []string{"big"})
	if err != nil {
		b.Fatal(err)
	}
	read := func(after, before uint64) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if msgs, err := e.Read(context.Background(), "big", after, before, 50); err != nil || len(msgs) != 50 {
					b.Fatalf("%d messages, %v", len(msgs), err)
				}
			}
		}
	}
	b.Run("newest50", read(0, 1<<63))
	b.Run("middle50", read(0, h[0]/2))
	b.Run("after50", read(h[0]/2, 0))
	b.Run("openAfterKill", func(b *testing.B) {
		dir := killed(b, dir)
		var took time.Duration
		n := 0
		for b.Loop() {
			begin := time.Now()
			e, err := sqlite.Open(dir, sqlite.Config{})
			took += time.Since(begin)
			n++
			if err == nil {
				_, err = e.Append(context.Background(), "big", fmt.Sprint("after-", n), nil)
				err = errors.Join(err, e.Close())
			}
			if err == nil { // As it would be after a kill: whoever comes next has to look for damage.
				err = os.WriteFile(filepath.Join(dir, "udpchat.lock"), []byte("process 1 since then, synced\n"), 0o600)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(took.Milliseconds())/float64(n), "ms/open")
	})
	b.Run("repeat", func(b *testing.B) {
		for b.Loop() {
			if _, err := e.Append(context.Background(), "big", fmt.Sprintf("%016x-%d", 7*0x9e3779b9, 5), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
