package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"udpchat/chat"
)

// Get implements chat.Engine.
func (e *Engine) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	if err := e.enter(); err != nil {
		return chat.Entry{}, err
	}
	defer e.calls.Done()
	en, err := scanEntry(e.reader.st[qRecord].QueryRowContext(ctx, []byte(bucket), []byte(key)), bucket)
	if errors.Is(err, sql.ErrNoRows) {
		err = chat.ErrNotFound
	}
	return en, e.recordError("get", bucket, key, err)
}

// Put implements chat.Engine.
func (e *Engine) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.calls.Done()
	if err := cmp.Or(
		tooLong("bucket", len(bucket), nameBytesMax), tooLong("key", len(key), nameBytesMax), tooLong("record", len(val), valueBytesMax),
	); err != nil {
		return 0, err
	}
	val = append([]byte{}, val...)
	var next int64
	err := e.writer.do(ctx, recordWhat("put", bucket, key), len(key)+len(val), func(t *txn) error {
		if uint64(t.recordRevision(bucket, key)) != rev { // A record that is not there has revision 0.
			return chat.ErrConflict
		}
		next = t.revision + 1
		t.exec(stPut, []byte(bucket), []byte(key), next, val, sumRecord(bucket, key, next, val))
		t.revision = next
		return t.broken
	})
	if err != nil {
		return 0, err
	}
	return uint64(next), nil
}

// Delete implements chat.Engine.
func (e *Engine) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	return e.writer.do(ctx, recordWhat("delete", bucket, key), len(key), func(t *txn) error {
		switch old := uint64(t.recordRevision(bucket, key)); {
		case t.broken != nil:
			return t.broken
		case old == 0:
			return chat.ErrNotFound
		case rev != 0 && rev != old:
			return chat.ErrConflict
		}
		t.exec(stDelete, []byte(bucket), []byte(key))
		return t.broken
	})
}

// recordRevision returns the revision of a record, 0 if there is none.
func (t *txn) recordRevision(bucket, key string) int64 {
	var rev int64
	t.row(stRecord, []any{[]byte(bucket), []byte(key)}, &rev)
	return rev
}

// List implements chat.Engine.
func (e *Engine) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	list, err := e.reader.records(ctx, bucket, prefix)
	return list, e.recordError("list", bucket, prefix, err)
}

func (rd *reader) records(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	rows, err := rd.st[qRecords].QueryContext(ctx, []byte(bucket), []byte(prefix), after(prefix))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []chat.Entry
	for rows.Next() {
		en, err := scanEntry(rows, bucket)
		if err != nil {
			return nil, err
		}
		list = append(list, en)
	}
	return list, rows.Err()
}

// after returns the first key after all that begin with prefix, or nil if there is none.
func after(prefix string) any {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}

// scanEntry reads and verifies one record.
func scanEntry(row scanner, bucket string) (chat.Entry, error) {
	var key, val []byte
	var rev, want int64
	if err := row.Scan(&key, &rev, &val, &want); err != nil {
		return chat.Entry{}, err
	}
	if sumRecord(bucket, string(key), rev, val) != want {
		return chat.Entry{}, fmt.Errorf("%w: record %q is not what was written", ErrDamaged, key)
	}
	return chat.Entry{Key: string(key), Val: val, Rev: uint64(rev)}, nil
}

// sumRecord is the checksum of a record.
func sumRecord(bucket, key string, rev int64, val []byte) int64 {
	var b [24]byte
	binary.BigEndian.PutUint64(b[0:], uint64(len(bucket)))
	binary.BigEndian.PutUint64(b[8:], uint64(len(key)))
	binary.BigEndian.PutUint64(b[16:], uint64(rev))
	return sum(b[:], []byte(bucket), []byte(key), val)
}

func recordWhat(op, bucket, key string) string {
	return fmt.Sprintf("%s record %q of %q", op, key, bucket)
}

func (e *Engine) recordError(op, bucket, key string, err error) error {
	if err == nil {
		return nil
	}
	return e.failRead(recordWhat(op, bucket, key), err)
}
