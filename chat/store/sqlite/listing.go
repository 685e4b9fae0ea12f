package sqlite

import (
	"context"
	"encoding/hex"
)

// Rooms returns the rooms that have a log and come after the given one, n at most, in the order of their names' bytes.
func (e *Engine) Rooms(ctx context.Context, after string, n int) ([]string, error) {
	return e.listing(ctx, qRooms, []byte(after), n)
}

// Buckets returns the buckets that have records and come after the given one, n at most.
func (e *Engine) Buckets(ctx context.Context, after string, n int) ([]string, error) {
	return e.listing(ctx, qBuckets, []byte(after), n)
}

// Blobs returns the ids of the files that come after the given one, n at most.
func (e *Engine) Blobs(ctx context.Context, after string, n int) ([]string, error) {
	key, err := hex.DecodeString(after)
	if err != nil {
		return nil, fail("list files", err)
	}
	keys, err := e.listing(ctx, qBlobs, key, n)
	for i, key := range keys {
		keys[i] = hex.EncodeToString([]byte(key))
	}
	return keys, err
}

func (e *Engine) listing(ctx context.Context, q query, after []byte, n int) ([]string, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	rows, err := e.reader.st[q].QueryContext(ctx, after, n)
	if err != nil {
		return nil, e.failRead("list", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name []byte
		if err := rows.Scan(&name); err != nil {
			return nil, e.failRead("list", err)
		}
		names = append(names, string(name))
	}
	return names, e.failRead("list", rows.Err())
}
