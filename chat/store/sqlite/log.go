package sqlite

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"udpchat/chat"
)

// Append implements chat.Engine. Ids are recognised for ever.
func (e *Engine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if err := e.enter(); err != nil {
		return chat.Msg{}, err
	}
	defer e.calls.Done()
	if err := cmp.Or(
		tooLong("room", len(room), nameBytesMax), tooLong("id", len(id), nameBytesMax), tooLong("message", len(data), messageBytesMax),
	); err != nil {
		return chat.Msg{}, err
	}
	m := chat.Msg{Room: room, ID: id, Data: data}
	c := &change{bytes: len(room) + len(id) + len(data)}
	known := false
	c.apply = func(t *txn) error {
		var err error
		c.msg = &m
		if known, err = t.append(&m); known {
			c.msg = nil
		}
		return err
	}
	if err := e.writer.submit(ctx, "append", c); err != nil {
		return chat.Msg{}, err
	}
	if known {
		m, err := e.reader.message(ctx, room, m.Seq)
		return m, e.failRead("append", err)
	}
	return m, nil
}

// append stores m and sets its Seq and Time, or finds that its id was stored before, and then sets the Seq only.
func (t *txn) append(m *chat.Msg) (known bool, err error) {
	r, err := t.room(m.Room)
	if err != nil {
		return false, err
	}
	seq, at := r.last+1, now()
	data := m.Data
	if data == nil {
		data = []byte{} // NULL is a message that was dropped.
	}
	sum := sumMessage(r.num, seq, at.UnixNano(), m.ID, data)
	if rows, _ := t.exec(stAppend, r.num, seq, at.UnixNano(), []byte(m.ID), data, sum); rows == 0 {
		t.row(stKnown, []any{r.num, []byte(m.ID)}, &m.Seq)
		return true, t.broken
	}
	r.last = seq
	m.Seq, m.Time = uint64(seq), at
	return false, t.broken
}

// room returns what is known of a room, which is made if there is none.
func (t *txn) room(name string) (*roomState, error) {
	if r := t.rooms[name]; r != nil {
		return r, nil
	}
	r := &roomState{}
	if !t.row(stRoom, []any{[]byte(name)}, &r.num) {
		if _, r.num = t.exec(stAddRoom, []byte(name)); r.num > roomsMax {
			t.broken = fmt.Errorf("%d rooms: %w", roomsMax, chat.ErrFull)
		}
	}
	t.row(stLast, []any{r.num}, &r.last)
	if t.broken == nil {
		if len(t.rooms) >= roomsCachedMax {
			clear(t.rooms)
		}
		t.rooms[name] = r
	}
	return r, t.broken
}

// sumMessage is the checksum of a message.
func sumMessage(room, seq, at int64, id string, data []byte) int64 {
	var b [32]byte
	binary.BigEndian.PutUint64(b[0:], uint64(room))
	binary.BigEndian.PutUint64(b[8:], uint64(seq))
	binary.BigEndian.PutUint64(b[16:], uint64(at))
	binary.BigEndian.PutUint64(b[24:], uint64(len(id)))
	return sum(b[:], []byte(id), data)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum of all parts, one after the other.
func sum(parts ...[]byte) int64 {
	var s uint32
	for _, p := range parts {
		s = crc32.Update(s, castagnoli, p)
	}
	return int64(s)
}

// Read implements chat.Engine. It returns at most 10,000 messages and about 32 MiB.
func (e *Engine) Read(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	if n <= 0 {
		return nil, nil
	}
	msgs, err := e.reader.messages(ctx, room, after, before, min(n, readMessagesMax))
	return msgs, e.failRead("read", err)
}

// messages is Read.
func (rd *reader) messages(ctx context.Context, room string, after, before uint64, n int) ([]chat.Msg, error) {
	num, kept, err := rd.room(ctx, room)
	if num == 0 || err != nil {
		return nil, err
	}
	q := qOldest
	low, high := max(clamp(after), kept-1), clamp(before)
	if before == 0 {
		high = clamp(1<<64 - 1)
	} else {
		q = qNewest
	}
	rows, err := rd.st[q].QueryContext(ctx, num, low, high, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var msgs []chat.Msg
	for bytes := 0; bytes < readBytesMax && rows.Next(); {
		m, err := scanMessage(rows, room, num)
		if err != nil {
			return nil, err
		}
		msgs = append(msgs, m)
		bytes += len(m.Data)
	}
	if q == qNewest {
		slices.Reverse(msgs)
	}
	return msgs, rows.Err()
}

// clamp makes a Seq of a caller comparable with those of the database.
func clamp(seq uint64) int64 { return int64(min(seq, 1<<63-1)) }

// A scanner is the row of a query.
type scanner interface{ Scan(dest ...any) error }

// scanMessage reads and verifies one message.
func scanMessage(row scanner, room string, num int64) (chat.Msg, error) {
	var seq, at, want int64
	var id, data []byte
	var dropped bool
	if err := row.Scan(&seq, &at, &id, &data, &dropped, &want); err != nil {
		return chat.Msg{}, err
	}
	m := chat.Msg{Room: room, Seq: uint64(seq), ID: string(id), Time: time.Unix(0, at), Data: data}
	if !dropped && sumMessage(num, seq, at, m.ID, data) != want {
		return chat.Msg{}, fmt.Errorf("%w: message %d of room %q is not what was written", ErrDamaged, seq, room)
	}
	return m, nil
}

// message returns one message, without its data if it was dropped.
func (rd *reader) message(ctx context.Context, room string, seq uint64) (chat.Msg, error) {
	num, _, err := rd.room(ctx, room)
	if err != nil {
		return chat.Msg{}, err
	}
	return scanMessage(rd.st[qMessage].QueryRowContext(ctx, num, seq), room, num)
}

// Heads implements chat.Engine.
func (e *Engine) Heads(ctx context.Context, rooms []string) ([]uint64, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	heads := make([]uint64, len(rooms))
	for i, room := range rooms {
		if err := e.reader.st[qHead].QueryRowContext(ctx, []byte(room)).Scan(&heads[i]); err != nil {
			return nil, e.failRead("heads", err)
		}
	}
	return heads, nil
}

// Drop implements chat.Engine. What was dropped is invisible at once; its space is given back little by little.
func (e *Engine) Drop(ctx context.Context, room string, upto, only uint64) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	defer e.writer.wakeSweeper()
	return e.writer.do(ctx, "drop", len(room), func(t *txn) error {
		var r roomState
		if !t.row(stRoom, []any{[]byte(room)}, &r.num) {
			return t.broken
		}
		t.row(stLast, []any{r.num}, &r.last)
		if upto = min(upto, uint64(r.last)); upto > 0 { // What is to come is not dropped.
			t.exec(stKeep, int64(upto)+1, r.num)
		}
		if only > 0 && only <= uint64(r.last) {
			t.exec(stDropOnly, r.num, int64(only))
		}
		return t.broken
	})
}
