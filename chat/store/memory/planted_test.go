package memory_test

import (
	"bytes"
	"context"
	"crypto/rand"
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
)

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
		{"the epoch is the head of the log", "EpochStays", func() *bug {
			return &bug{epoch: func(e chat.Engine, room string) (string, error) {
				heads, err := e.Heads(ctx, []string{room})
				return fmt.Sprint(heads), err
			}}
		}},
		{"the epoch is always the same", "EpochStays", func() *bug {
			return &bug{epoch: func(chat.Engine, string) (string, error) { return "1", nil }}
		}},
		{"the epoch is of the handle", "ReopenKnowsEverything", func() *bug {
			epoch := rand.Text()
			return &bug{epoch: func(chat.Engine, string) (string, error) { return epoch, nil }}
		}},
		{"what is too large is cut", "TooLargeIsRefused", func() *bug {
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				return e.Append(ctx, room, id, data[:min(len(data), 16<<20)])
			}}
		}},
		{"a message is stored although its sender was told that it is not, and under another id", "CancelledAppendsSettle", func() *bug {
			var n atomic.Int64
			return &bug{append: func(e chat.Engine, room, id string, data []byte) (chat.Msg, error) {
				i := n.Add(1)
				msg, err := e.Append(ctx, room, fmt.Sprint(id, "/", i), data)
				if i%3 == 0 {
					return chat.Msg{}, context.DeadlineExceeded
				}
				return msg, err
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
