package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"udpchat/chat"
)

// records are the small records of an engine.
type records struct {
	bytesMax int64 // Constant.

	mu      sync.RWMutex
	buckets map[string]map[string]record // Guarded by mu.
	bytes   int64                        // What the records take. Guarded by mu.
	rev     uint64                       // The last revision given to any record: never reused. Guarded by mu.
	closed  bool                         // Guarded by mu.
}

type record struct {
	val []byte
	rev uint64
}

func (r record) size(bucket, key string) int64 {
	return recordBytes + int64(len(bucket)+len(key)+len(r.val))
}

// Get implements chat.Engine.
func (e *Engine) Get(_ context.Context, bucket, key string) (chat.Entry, error) {
	rs := &e.records
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	r, ok, err := rs.find(bucket, key)
	switch {
	case err != nil:
		return chat.Entry{}, err
	case !ok:
		return chat.Entry{}, recordError("get", bucket, key, chat.ErrNotFound)
	}
	return r.entry(key), nil
}

// Put implements chat.Engine.
func (e *Engine) Put(_ context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	err := cmp.Or(tooLong("bucket", len(bucket), nameBytesMax), tooLong("key", len(key), nameBytesMax),
		tooLong("record", len(val), valueBytesMax))
	if err != nil {
		return 0, err
	}
	rs := &e.records
	rs.mu.Lock()
	defer rs.mu.Unlock()
	old, ok, err := rs.find(bucket, key)
	switch {
	case err != nil:
		return 0, err
	case old.rev != rev: // A record that is not there has revision 0.
		return 0, recordError("put", bucket, key, chat.ErrConflict)
	}
	r := record{val: bytes.Clone(val), rev: rs.rev + 1}
	grown := rs.bytes + r.size(bucket, key)
	if ok {
		grown -= old.size(bucket, key)
	}
	if grown > rs.bytesMax {
		return 0, recordError("put", bucket, key, chat.ErrFull)
	}
	if rs.buckets[bucket] == nil {
		rs.buckets[bucket] = make(map[string]record)
	}
	rs.buckets[bucket][key] = r
	rs.bytes, rs.rev = grown, r.rev
	return r.rev, nil
}

// Delete implements chat.Engine.
func (e *Engine) Delete(_ context.Context, bucket, key string, rev uint64) error {
	rs := &e.records
	rs.mu.Lock()
	defer rs.mu.Unlock()
	old, ok, err := rs.find(bucket, key)
	switch {
	case err != nil:
		return err
	case !ok:
		return recordError("delete", bucket, key, chat.ErrNotFound)
	case rev != 0 && rev != old.rev:
		return recordError("delete", bucket, key, chat.ErrConflict)
	}
	rs.bytes -= old.size(bucket, key)
	delete(rs.buckets[bucket], key)
	if len(rs.buckets[bucket]) == 0 {
		delete(rs.buckets, bucket)
	}
	return nil
}

// List implements chat.Engine.
func (e *Engine) List(_ context.Context, bucket, prefix string) ([]chat.Entry, error) {
	rs := &e.records
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	if rs.closed {
		return nil, errClosed()
	}
	var list []chat.Entry
	for key, r := range rs.buckets[bucket] {
		if strings.HasPrefix(key, prefix) {
			list = append(list, r.entry(key))
		}
	}
	slices.SortFunc(list, func(a, b chat.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return list, nil
}

// find returns a record; mu is held.
func (rs *records) find(bucket, key string) (r record, ok bool, err error) {
	if rs.closed {
		return record{}, false, errClosed()
	}
	r, ok = rs.buckets[bucket][key]
	return r, ok, nil
}

// entry returns the record with a value of the caller's own.
func (r record) entry(key string) chat.Entry {
	return chat.Entry{Key: key, Val: bytes.Clone(r.val), Rev: r.rev}
}

func (rs *records) close() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.buckets, rs.bytes, rs.closed = nil, 0, true
}

func recordError(op, bucket, key string, err error) error {
	return fmt.Errorf("memory: %s record %q of %q: %w", op, key, bucket, err)
}
