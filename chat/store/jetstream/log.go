package jetstream

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"udpchat/chat"
)

// Read implements chat.Engine. It returns at most 10,000 messages.
func (e *Engine) Read(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	n = min(n, readMessagesMax)
	if n <= 0 || after == 1<<64-1 || before != 0 && before <= after {
		return nil, nil
	}
	stream, subject := e.names.roomStream(e.names.shard(room)), e.names.room(room)
	var found []stored
	var err error
	if before == 0 {
		found, err = e.oldest(ctx, stream, subject, room, after, n)
	} else {
		found, err = e.newestKept(ctx, stream, subject, room, after, before, n)
	}
	if err != nil {
		return nil, fail("read", err)
	}
	var msgs []chat.Msg
	for _, s := range found {
		m, err := e.decode(room, s)
		if err != nil {
			return nil, fail("read", err)
		}
		msgs = append(msgs, m)
	}
	return msgs, nil
}

// oldest returns the n oldest messages after a number that were not dropped.
func (e *Engine) oldest(ctx context.Context, stream, subject, room string, after uint64, n int) ([]stored, error) {
	var all []stored
	for len(all) < n {
		page, err := e.span(ctx, stream, subject, after+1, 1<<64-1, n-len(all))
		if err != nil || len(page) == 0 {
			return all, err
		}
		after = page[len(page)-1].seq
		all = append(all, e.drops.without(room, page)...)
	}
	return all, nil
}

// newestKept returns the n newest messages between two numbers that were not dropped.
func (e *Engine) newestKept(ctx context.Context, stream, subject, room string, after, before uint64, n int) ([]stored, error) {
	var all []stored
	for len(all) < n {
		page, err := e.newest(ctx, stream, subject, after, before, n-len(all))
		if err != nil || len(page) == 0 {
			return all, err
		}
		before = page[0].seq
		all = append(e.drops.without(room, page), all...)
	}
	return all, nil
}

// newest returns the n newest messages with that subject and after < number < before. Streams are read forwards only, so it
// guesses where they begin, and goes back further each time.
func (e *Engine) newest(ctx context.Context, stream, subject string, after, before uint64, n int) ([]stored, error) {
	last, err := e.ask(ctx, stream, question{Last: subject})
	if errors.Is(err, errNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []stored
	to := min(before, last.seq+1)
	for step := uint64(n); len(all) < n && to > after+1; step *= 4 {
		from := after + 1
		if to-from > step {
			from = to - step
		}
		page, err := e.span(ctx, stream, subject, from, to, int(step))
		if err != nil {
			return nil, err
		}
		all = append(page, all...)
		to = from
	}
	return all[max(0, len(all)-n):], nil
}

// Heads implements chat.Engine.
func (e *Engine) Heads(ctx context.Context, rooms []string) ([]uint64, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	heads := make([]uint64, len(rooms))
	for i, room := range rooms {
		var err error
		if heads[i], err = e.head(ctx, room); err != nil {
			return nil, fail("heads", err)
		}
	}
	return heads, nil
}

// head returns the number of the last message of a room, dropped or not.
func (e *Engine) head(ctx context.Context, room string) (uint64, error) {
	last, err := e.ask(ctx, e.names.roomStream(e.names.shard(room)), question{Last: e.names.room(room)})
	if err != nil && !errors.Is(err, errNone) {
		return 0, err
	}
	noted, err := e.ask(ctx, e.names.recordStream(), question{Last: e.names.head(room)})
	if err != nil && !errors.Is(err, errNone) {
		return 0, err
	}
	head := last.seq
	if len(noted.data) == 8 {
		head = max(head, binary.BigEndian.Uint64(noted.data))
	}
	return head, nil
}

// Drop implements chat.Engine.
func (e *Engine) Drop(ctx context.Context, room string, upto, only uint64) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	return fail("drop", e.drop(ctx, room, upto, only))
}

func (e *Engine) drop(ctx context.Context, room string, upto, only uint64) error {
	head, err := e.head(ctx, room)
	if err != nil || head == 0 {
		return err
	}
	if err := e.noteHead(ctx, room, head); err != nil { // First, since afterwards nobody may know.
		return err
	}
	stream := e.names.roomStream(e.names.shard(room))
	if upto = min(upto, head); upto > 0 {
		e.drops.note(room, upto, 0)
		if err := e.purge(ctx, stream, e.names.room(room), upto+1); err != nil {
			return err
		}
	}
	if only == 0 || only > head {
		return nil
	}
	// The number may be of another room.
	m, err := e.ask(ctx, stream, question{Seq: only})
	if err == nil {
		if of, _ := e.names.roomOf(m.subject); of != room {
			return nil
		}
		e.drops.note(room, 0, only)
		err = e.remove(ctx, stream, only)
	}
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

// noteHead writes down how far a room has come.
func (e *Engine) noteHead(ctx context.Context, room string, head uint64) error {
	return e.retry(ctx, func(ctx context.Context) error {
		m := nats.NewMsg(e.names.head(room))
		m.Data = binary.BigEndian.AppendUint64(nil, head)
		_, err := e.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
		return err
	})
}

// drops are what this node has dropped lately, which replicas that lag may still have.
type drops struct {
	mu    sync.Mutex
	upto  map[string]uint64          // By room. Guarded by mu.
	only  map[string]map[uint64]bool // By room. Guarded by mu.
	count int                        // How many both have. Guarded by mu.
}

func (d *drops) init() {
	d.upto, d.only, d.count = make(map[string]uint64), make(map[string]map[uint64]bool), 0
}

func (d *drops) note(room string, upto, only uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count++; d.count > dropsMax {
		d.init() // Those before have long arrived everywhere.
	}
	d.upto[room] = max(d.upto[room], upto)
	if only != 0 {
		if d.only[room] == nil {
			d.only[room] = make(map[uint64]bool)
		}
		d.only[room][only] = true
	}
}

// without returns msgs without those that were dropped.
func (d *drops) without(room string, msgs []stored) []stored {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(msgs), func(m stored) bool { return m.seq <= d.upto[room] || d.only[room][m.seq] })
}
