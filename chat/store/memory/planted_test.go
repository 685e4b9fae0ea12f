package memory_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/memory"
)

// A bug is an engine with single methods broken; those that are nil are the real ones.
type bug struct {
	chat.Engine
	append    func(e chat.Engine, room, id string, data []byte) (chat.Msg, error)
	read      func(e chat.Engine, room string, after, before uint64, n int) ([]chat.Msg, error)
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

// TestSuiteCatchesPlantedBugs runs single checks on engines that break what the check is for. Each
// must fail. Bubbles make the wait for what never arrives a matter of no time.
func TestSuiteCatchesPlantedBugs(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name, check string
		bug         func() *bug
	}{
		{"every append is new", "AppendSameIDAgain", func() *bug {
			var n atomic.Int64
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				msg, err := e.Append(ctx, room, fmt.Sprint(id, "/", n.Add(1)), data)
				msg.ID = id
				return msg, err
			}}
		}},
		{"ids are known across rooms", "AppendSameIDAgain", func() *bug {
			var mu sync.Mutex
			known := map[string]chat.Msg{}
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				mu.Lock()
				defer mu.Unlock()
				if msg, ok := known[id]; ok {
					return msg, nil
				}
				msg, err := e.Append(ctx, room, id, data)
				known[id] = msg
				return msg, err
			}}
		}},
		{"a check and an append that are not one step", "ConcurrentWriters", func() *bug {
			var n atomic.Int64
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				msgs, _ := e.Read(ctx, room, 0, math.MaxUint64, 500)
				for _, m := range msgs {
					if m.ID[:strings.IndexByte(m.ID, '/')] == id {
						return m, nil
					}
				}
				runtime.Gosched()
				return e.Append(ctx, room, fmt.Sprint(id, "/", n.Add(1)), data)
			}}
		}},
		{"room names without case", "AppendKeepsOddNamesApart", func() *bug {
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				return e.Append(ctx, strings.ToLower(room), id, data)
			}}
		}},
		{"one message in thirty is delivered late", "ConcurrentWriters", func() *bug {
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				var late []chat.Msg
				return e.Subscribe(room, func(m chat.Msg) {
					if m.Seq%30 == 29 {
						late = append(late, m)
						return
					}
					f(m)
					for _, l := range late {
						f(l)
					}
					late = nil
				})
			}}
		}},
		{"one message in fifty is not delivered", "ConcurrentWriters", func() *bug {
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				return e.Subscribe(room, func(m chat.Msg) {
					if m.Seq%50 != 49 {
						f(m)
					}
				})
			}}
		}},
		{"one message in fifty is delivered twice", "ConcurrentWriters", func() *bug {
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				return e.Subscribe(room, func(m chat.Msg) {
					f(m)
					if m.Seq%50 == 49 {
						f(m)
					}
				})
			}}
		}},
		{"subscribers are told what was there before", "SubscribeFromNowOn", func() *bug {
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				msgs, _ := e.Read(ctx, room, 0, 0, 500)
				for _, m := range msgs {
					f(m)
				}
				return e.Subscribe(room, f)
			}}
		}},
		{"a subscription begins late", "SubscribeDuringWrites", func() *bug {
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				n := 0
				return e.Subscribe(room, func(m chat.Msg) {
					if n++; n > 2 {
						f(m)
					}
				})
			}}
		}},
		{"stop does nothing", "SubscribeFromNowOn", func() *bug {
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				_, err := e.Subscribe(room, f)
				return func() {}, err
			}}
		}},
		{"stop stops all", "SubscribeFromNowOn", func() *bug {
			var mu sync.Mutex
			var stops []func()
			return &bug{subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
				mu.Lock()
				defer mu.Unlock()
				stop, err := e.Subscribe(room, f)
				stops = append(stops, stop)
				return func() {
					for _, stop := range stops {
						stop()
					}
				}, err
			}}
		}},
		{"Send is stored", "SendReachesEverySubscriber", func() *bug {
			return &bug{send: func(e chat.Engine, room string, data []byte) error {
				_, err := e.Append(ctx, room, "sent-1", data)
				return err
			}}
		}},
		{"Send reaches nobody", "SendReachesEverySubscriber", func() *bug {
			return &bug{send: func(chat.Engine, string, []byte) error { return nil }}
		}},
		{"after includes its bound", "ReadBounds", func() *bug {
			return &bug{read: func(e chat.Engine, room string, after, before uint64, n int) ([]chat.Msg, error) {
				return e.Read(ctx, room, max(after, 1)-1, before, n)
			}}
		}},
		{"pages backwards begin at the oldest", "ReadPages", func() *bug {
			return &bug{read: func(e chat.Engine, room string, after, before uint64, n int) ([]chat.Msg, error) {
				msgs, err := e.Read(ctx, room, after, before, math.MaxInt)
				return msgs[:min(n, len(msgs))], err
			}}
		}},
		{"pages backwards fall", "ReadPages", func() *bug {
			return &bug{read: func(e chat.Engine, room string, after, before uint64, n int) ([]chat.Msg, error) {
				msgs, err := e.Read(ctx, room, after, before, n)
				if before != 0 {
					slices.Reverse(msgs)
				}
				return msgs, err
			}}
		}},
		{"heads fall with Drop", "DropUpto", func() *bug {
			return &bug{heads: func(e chat.Engine, rooms []string) ([]uint64, error) {
				var heads []uint64
				for _, room := range rooms {
					msgs, _ := e.Read(ctx, room, 0, math.MaxUint64, 1)
					if len(msgs) == 0 {
						heads = append(heads, 0)
					} else {
						heads = append(heads, msgs[0].Seq)
					}
				}
				return heads, nil
			}}
		}},
		{"Drop of one drops all before it", "DropOnly", func() *bug {
			return &bug{drop: func(e chat.Engine, room string, upto, only uint64) error {
				return e.Drop(ctx, room, max(upto, only), 0)
			}}
		}},
		{"Put without compare", "RecordCompareAndSet", func() *bug {
			return &bug{put: func(e chat.Engine, bucket, key string, val []byte, rev uint64) (uint64, error) {
				for {
					en, _ := e.Get(ctx, bucket, key)
					if rev, err := e.Put(ctx, bucket, key, val, en.Rev); err == nil {
						return rev, nil
					}
				}
			}}
		}},
		{"Delete without compare", "RecordLife", func() *bug {
			return &bug{delete: func(e chat.Engine, bucket, key string, _ uint64) error {
				return e.Delete(ctx, bucket, key, 0)
			}}
		}},
		{"List ignores the prefix", "RecordList", func() *bug {
			return &bug{list: func(e chat.Engine, bucket, _ string) ([]chat.Entry, error) {
				return e.List(ctx, bucket, "")
			}}
		}},
		{"List in no order", "RecordList", func() *bug {
			return &bug{list: func(e chat.Engine, bucket, prefix string) ([]chat.Entry, error) {
				list, err := e.List(ctx, bucket, prefix)
				slices.Reverse(list)
				return list, err
			}}
		}},
		{"buckets and keys run into each other", "RecordOddKeys", func() *bug {
			return &bug{
				get: func(e chat.Engine, bucket, key string) (chat.Entry, error) {
					return e.Get(ctx, "all", bucket+"/"+key)
				},
				put: func(e chat.Engine, bucket, key string, val []byte, rev uint64) (uint64, error) {
					return e.Put(ctx, "all", bucket+"/"+key, val, rev)
				},
			}
		}},
		{"values are shared", "RecordValuesAreCopies", func() *bug {
			var mu sync.Mutex
			vals := map[string][]byte{}
			return &bug{
				put: func(e chat.Engine, bucket, key string, val []byte, rev uint64) (uint64, error) {
					mu.Lock()
					defer mu.Unlock()
					vals[key] = val
					return e.Put(ctx, bucket, key, val, rev)
				},
				get: func(e chat.Engine, bucket, key string) (chat.Entry, error) {
					mu.Lock()
					defer mu.Unlock()
					en, err := e.Get(ctx, bucket, key)
					en.Val = vals[key]
					return en, err
				},
			}
		}},
		{"half a file is stored", "BlobBrokenOff", func() *bug {
			return &bug{putBlob: func(e chat.Engine, r io.Reader) (string, int64, error) {
				b, err := io.ReadAll(r)
				id, size, _ := e.PutBlob(ctx, bytes.NewReader(b))
				return id, size, err
			}}
		}},
		{"a truncated source is a short file", "BlobBrokenOff", func() *bug {
			return &bug{putBlob: func(e chat.Engine, r io.Reader) (string, int64, error) {
				b := make([]byte, 1<<20)
				n, err := io.ReadFull(r, b)
				if err != nil && err != io.ErrUnexpectedEOF {
					return "", 0, err
				}
				return e.PutBlob(ctx, bytes.NewReader(b[:n]))
			}}
		}},
		{"offsets are ignored", "BlobOffsets", func() *bug {
			return &bug{getBlob: func(e chat.Engine, id string, _ int64) (io.ReadCloser, error) {
				return e.GetBlob(ctx, id, 0)
			}}
		}},
		{"Close closes nothing", "CloseRefuses", func() *bug {
			return &bug{close: func(chat.Engine) error { return nil }}
		}},
		{"ids are forgotten when closed", "ReopenKnowsEverything", func() *bug {
			var mu sync.Mutex
			known := map[string]chat.Msg{}
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				mu.Lock()
				defer mu.Unlock()
				if msg, ok := known[id]; ok {
					return msg, nil
				}
				msg, err := e.Append(ctx, room, fmt.Sprint(id, "/", len(known)), data)
				known[id] = msg
				return msg, err
			}}
		}},
		{"nodes do not hear each other", "NodesShareOneOrder", func() *bug {
			var mu sync.Mutex
			own := map[string]bool{}
			return &bug{
				append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
					mu.Lock()
					own[id] = true
					mu.Unlock()
					return e.Append(ctx, room, id, data)
				},
				subscribe: func(e chat.Engine, room string, f func(chat.Msg)) (func(), error) {
					return e.Subscribe(room, func(m chat.Msg) {
						mu.Lock()
						mine := own[m.ID]
						mu.Unlock()
						if mine {
							f(m)
						}
					})
				},
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if said := runCheck(t, c.check, c.bug); said == "" {
					t.Errorf("check %s does not see the bug", c.check)
				} else {
					t.Logf("%.300s", said)
				}
			})
		})
	}
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
	}}
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
