package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"udpchat/chat"
)

// epochOf returns the epoch of a room, which must have one.
func epochOf(r *rig, e chat.Engine, room string) string {
	r.Helper()
	epoch, err := e.Epoch(r.Context(), room)
	if err != nil || epoch == "" {
		r.Fatalf("Epoch(%q) = %q, %v", room, epoch, err)
	}
	return epoch
}

// epochStays checks that a room has one epoch from before its first message on, and other storage another one.
func epochStays(r *rig) {
	e := r.engine()
	before := epochOf(r, e, "kitchen")
	msg := r.append(e, "kitchen", "ann", 1, "text")
	drop(r, e, "kitchen", msg.Seq, 0)
	if now := epochOf(r, e, "kitchen"); now != before {
		r.Errorf("epoch was %q and is %q", before, now)
	}
	r.open = r.cfg.New(r.TB)
	if other := epochOf(r, r.engine(), "kitchen"); other == before {
		r.Errorf("two storages have the epoch %q", other)
	}
}

// tooLargeIsRefused checks that the largest is taken, what is larger is refused, and nothing of it is kept.
func tooLargeIsRefused(r *rig) {
	e := r.engine()
	ctx := r.Context()
	_, err := e.Append(ctx, "kitchen", "ann-1", make([]byte, r.cfg.MessageBytesMax+1))
	r.wantErr("Append of a byte too much", err, chat.ErrTooLarge)
	msg, err := e.Append(ctx, "kitchen", "ann-1", make([]byte, r.cfg.MessageBytesMax))
	if err != nil {
		r.Fatalf("Append of the largest message: %v", err)
	}
	r.wantMsgs("Read", r.read(e, "kitchen", 0, 0, 10), []chat.Msg{msg})
	_, err = e.Put(ctx, "users", "ann", make([]byte, r.cfg.RecordBytesMax+1), 0)
	r.wantErr("Put of a byte too much", err, chat.ErrTooLarge)
	rev := r.put(e, "users", "ann", strings.Repeat("x", r.cfg.RecordBytesMax), 0)
	r.wantEntry(e, "users", "ann", strings.Repeat("x", r.cfg.RecordBytesMax), rev)

	name := strings.Repeat("n", r.cfg.NameBytesMax)
	long := name + "n"
	_, err = e.Append(ctx, long, "ann-1", nil)
	r.wantErr("Append to a room with a long name", err, chat.ErrTooLarge)
	_, err = e.Append(ctx, "kitchen", long, nil)
	r.wantErr("Append with a long id", err, chat.ErrTooLarge)
	_, err = e.Subscribe(long, func(chat.Msg) {})
	r.wantErr("Subscribe to a room with a long name", err, chat.ErrTooLarge)
	_, err = e.Put(ctx, long, "ann", nil, 0)
	r.wantErr("Put into a bucket with a long name", err, chat.ErrTooLarge)
	_, err = e.Put(ctx, "users", long, nil, 0)
	r.wantErr("Put under a long key", err, chat.ErrTooLarge)
	in, _ := r.subscribe(e, name)
	if msg, err = e.Append(ctx, name, name, nil); err != nil {
		r.Fatalf("Append with the longest names: %v", err)
	}
	in.has(name)
	r.wantMsgs("Read of a room with the longest name", r.read(e, name, 0, 0, 10), []chat.Msg{msg})
	rev = r.put(e, name, name, "val", 0)
	r.wantEntry(e, name, name, "val", rev)
}

// cancelledAppendsSettle has callers give up at any moment and come back with the same id.
func cancelledAppendsSettle(r *rig) {
	const writers, each = 8, 25
	e := r.engine()
	in, _ := r.subscribe(e, "kitchen")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				id := msgID(fmt.Sprint("dev", w), n)
				for try := 0; ; try++ {
					// The first tries are over at once, or soon, or about when the message is stored. The patience of later
					// ones grows faster, for engines and machines that are slow.
					step := max(20*time.Microsecond, time.Duration(try)*time.Microsecond)
					ctx, cancel := context.WithTimeout(r.Context(), time.Duration(try*(w+1))*step)
					_, err := e.Append(ctx, "kitchen", id, []byte(id))
					cancel()
					if err == nil {
						break
					}
					if !errors.Is(err, context.DeadlineExceeded) {
						r.Errorf("Append with a deadline: %v", err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	end := r.append(e, "kitchen", "end", 1, "")
	in.has(end.ID)
	log := pages(r, e, "kitchen", 100)
	in.wantLog("delivered", log)
	next := map[string]int{}
	for _, m := range log[:len(log)-1] {
		dev, _, _ := strings.Cut(m.ID, "-")
		if m.ID != msgID(dev, next[dev]) {
			r.Fatalf("log has %s where %s belongs", m.ID, msgID(dev, next[dev]))
		}
		next[dev]++
	}
	if len(log) != writers*each+1 {
		r.Errorf("log has %d messages, want %d", len(log), writers*each+1)
	}
}
