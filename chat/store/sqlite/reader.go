package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A reader is the connections and statements for everything that changes nothing. Its methods are safe for concurrent use.
type reader struct {
	db *sql.DB
	st [queryCount]*sql.Stmt
}

// A query is an index into reader.st.
type query int

const (
	qRoom query = iota
	qOldest
	qNewest
	qMessage
	qHead
	qRecord
	qRecords
	qBlob
	qChunk
	qRooms
	qBuckets
	qBlobs
	queryCount
)

const messageColumns = "SELECT seq, time, id, data, data IS NULL, sum FROM messages WHERE room = ? AND "

var queries = [queryCount]string{
	qRoom:    "SELECT num, kept FROM rooms WHERE name = ?",
	qOldest:  messageColumns + "seq > ? AND seq < ? AND data IS NOT NULL ORDER BY seq LIMIT ?",
	qNewest:  messageColumns + "seq > ? AND seq < ? AND data IS NOT NULL ORDER BY seq DESC LIMIT ?",
	qMessage: messageColumns + "seq = ?",
	qHead:    "SELECT ifnull(max(seq), 0) FROM messages WHERE room = (SELECT num FROM rooms WHERE name = ?)",
	qRecord:  "SELECT key, rev, val, sum FROM records WHERE bucket = ? AND key = ?",
	// The end of a range of keys is NULL where there is none.
	qRecords: "SELECT key, rev, val, sum FROM records WHERE bucket = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key",
	qBlob:    "SELECT num, size FROM blobs WHERE id = ?",
	qRooms:   "SELECT name FROM rooms WHERE name > ? ORDER BY name LIMIT ?",
	qBuckets: "SELECT DISTINCT bucket FROM records WHERE bucket > ? ORDER BY bucket LIMIT ?",
	qBlobs:   "SELECT id FROM blobs WHERE id > ? ORDER BY id LIMIT ?",
	qChunk:   "SELECT data, sum FROM chunks WHERE num = ? AND n = ?",
}

func (rd *reader) open(ctx context.Context, path string, cfg Config) error {
	var err error
	if rd.db, err = openDatabase(path, cfg, false); err != nil {
		return err
	}
	rd.db.SetMaxOpenConns(readersMax)
	rd.db.SetMaxIdleConns(readersMax)
	for i, text := range queries {
		if rd.st[i], err = rd.db.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("preparing %q: %w", text, err)
		}
	}
	return nil
}

// close closes the connections. No read may be under way.
func (rd *reader) close() error {
	if rd.db == nil {
		return nil
	}
	var errs []error
	for _, st := range rd.st {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(append(errs, rd.db.Close())...)
}

// room returns the number of a room, 0 if it has none, and the first Seq that was not dropped.
func (rd *reader) room(ctx context.Context, name string) (num, kept int64, err error) {
	err = rd.st[qRoom].QueryRowContext(ctx, []byte(name)).Scan(&num, &kept)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil
	}
	return num, kept, err
}
