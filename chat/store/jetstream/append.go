package jetstream

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"udpchat/chat"
)

// Append implements chat.Engine. It waits while the cluster does not answer, until ctx ends. Appends of one device to one
// room go one after the other.
func (e *Engine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	return e.append(ctx, chat.Msg{Room: room, ID: id, Time: time.Unix(0, time.Now().UnixNano()), Data: data})
}

// Import is Append with a time of its own, for messages that come from another engine.
func (e *Engine) Import(ctx context.Context, m chat.Msg) (chat.Msg, error) { return e.append(ctx, m) }

func (e *Engine) append(ctx context.Context, m chat.Msg) (chat.Msg, error) {
	if err := e.enter(); err != nil {
		return chat.Msg{}, err
	}
	defer e.calls.Done()
	for _, err := range []error{
		tooLong("room", len(m.Room), nameBytesMax), tooLong("id", len(m.ID), nameBytesMax), tooLong("message", len(m.Data), messageBytesMax),
	} {
		if err != nil {
			return chat.Msg{}, err
		}
	}
	w := e.writers.take(m.Room, device(m.ID))
	defer e.writers.give(w)
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return chat.Msg{}, fail("append", context.Cause(ctx))
	case <-e.quit:
		return chat.Msg{}, errClosed()
	}
	defer func() { <-w.turn }()
	seq, known, err := e.appendAs(ctx, w, m)
	if err == nil && known {
		m, err = e.message(ctx, m, seq)
	}
	if err != nil {
		return chat.Msg{}, fail("append", err)
	}
	m.Seq = seq
	e.shardOf(m.Room).note(seq)
	return m, nil
}

// appendAs stores m, or finds that its id was stored before. The caller has w's turn.
func (e *Engine) appendAs(ctx context.Context, w *writer, m chat.Msg) (seq uint64, known bool, err error) {
	err = e.retry(ctx, func(ctx context.Context) error {
		for {
			seq, known, err = e.appendOnce(ctx, w, m)
			if !errors.Is(err, errConflict) {
				return err
			}
			w.known = false // Another node was quicker.
			select {
			case <-time.After(retryMin):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	return seq, known, err
}

func (e *Engine) appendOnce(ctx context.Context, w *writer, m chat.Msg) (seq uint64, known bool, err error) {
	if seq := w.find(m.ID); seq != 0 {
		return seq, true, nil
	}
	stream, subject := e.names.roomStream(e.names.shard(m.Room)), e.names.message(m.Room, m.ID)
	if !w.known {
		last, err := e.askOnce(ctx, stream, question{Last: subject})
		if err = explain(err); err != nil && !errors.Is(err, errNone) {
			return 0, false, err
		}
		w.known, w.last, w.lastID = true, last.seq, idOf(last.header)
		if w.last != 0 {
			w.note(w.lastID, w.last)
		}
		if seq := w.find(m.ID); seq != 0 {
			return seq, true, nil
		}
	}
	if w.last != 0 && !follows(m.ID, w.lastID) {
		if seq, err := e.search(ctx, stream, subject, m.ID); seq != 0 || err != nil {
			return seq, true, err
		}
	}
	msg := nats.NewMsg(subject)
	msg.Header.Set(headerID, base64.RawStdEncoding.EncodeToString([]byte(m.ID)))
	msg.Header.Set(headerTime, strconv.FormatInt(m.Time.UnixNano(), 10))
	msg.Data = m.Data
	seq, known, err = e.publish(ctx, msg, token(m.Room)+"."+token(m.ID), w.last)
	if err != nil {
		return 0, false, err
	}
	if known {
		w.known = false // What its last message is we have not learned.
		return seq, true, nil
	}
	w.last, w.lastID = seq, m.ID
	w.note(m.ID, seq)
	return seq, false, nil
}

// follows reports whether id, of the same device, is one that cannot have been stored when last was stored.
func follows(id, last string) bool {
	a, ok := counter(id)
	b, okLast := counter(last)
	return ok && okLast && a > b
}

// search looks for an id among the messages of a subject, the newest first.
func (e *Engine) search(ctx context.Context, stream, subject, id string) (uint64, error) {
	for before := uint64(1<<64 - 1); ; {
		page, err := e.newest(ctx, stream, subject, 0, before, batchMessages/2)
		if err != nil || len(page) == 0 {
			return 0, err
		}
		for _, m := range page {
			if idOf(m.header) == id {
				return m.seq, nil
			}
		}
		before = page[0].seq
	}
}

// message returns the message of that number as it was stored, or what is known of it if it was dropped.
func (e *Engine) message(ctx context.Context, m chat.Msg, seq uint64) (chat.Msg, error) {
	got, err := e.ask(ctx, e.names.roomStream(e.names.shard(m.Room)), question{Seq: seq})
	if errors.Is(err, errNone) {
		return chat.Msg{Room: m.Room, ID: m.ID, Seq: seq}, nil
	}
	if err != nil {
		return chat.Msg{}, err
	}
	return e.decode(m.Room, got)
}

// decode makes a Msg of a stored message.
func (e *Engine) decode(room string, m stored) (chat.Msg, error) {
	nanos, err := strconv.ParseInt(m.header.Get(headerTime), 10, 64)
	return chat.Msg{Room: room, Seq: m.seq, ID: idOf(m.header), Time: time.Unix(0, nanos), Data: m.data}, err
}

// idOf returns the id in a message's header, or "".
func idOf(h nats.Header) string {
	id, err := base64.RawStdEncoding.DecodeString(h.Get(headerID))
	if err != nil {
		return ""
	}
	return string(id)
}

// writers are the devices that have appended to rooms.
type writers struct {
	mu   sync.Mutex
	byID map[writerKey]*writer // Guarded by mu.
}

type writerKey struct{ room, device string }

// A writer is what we know of the last messages of a device in a room.
type writer struct {
	key    writerKey
	users  int           // Guarded by writers.mu.
	turn   chan struct{} // Full while somebody appends. The fields below are theirs.
	known  bool          // last is what the stream had when we looked.
	last   uint64        // Number of the device's last message in the room; 0: none.
	lastID string
	recent [recentMax]struct { // Ids that were stored, the newest at next-1.
		id  string
		seq uint64
	}
	next int
}

func (ws *writers) init() { ws.byID = make(map[writerKey]*writer) }

// reset forgets all writers: what we know of their last messages is not so any more.
func (ws *writers) reset() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.init()
}

// take returns the writer of a room and device. The caller gives it back.
func (ws *writers) take(room, device string) *writer {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	key := writerKey{room, device}
	w := ws.byID[key]
	if w == nil {
		ws.trim()
		w = &writer{key: key, turn: make(chan struct{}, 1)}
		ws.byID[key] = w
	}
	w.users++
	return w
}

func (ws *writers) give(w *writer) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w.users--
}

// trim makes room for one more.
func (ws *writers) trim() {
	if len(ws.byID) < writersMax {
		return
	}
	for key, w := range ws.byID {
		if w.users == 0 {
			delete(ws.byID, key)
		}
	}
}

// find returns the number of a message stored lately, or 0.
func (w *writer) find(id string) uint64 {
	for i := range w.recent {
		if w.recent[i].seq != 0 && w.recent[i].id == id {
			return w.recent[i].seq
		}
	}
	return 0
}

// note remembers that a message was stored.
func (w *writer) note(id string, seq uint64) {
	w.recent[w.next].id, w.recent[w.next].seq = id, seq
	w.next = (w.next + 1) % recentMax
}
