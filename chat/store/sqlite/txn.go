package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A txn is the transaction that is being made and the statements for it. It is used again for the next one, and owned by
// the writer.
type txn struct {
	conn *sql.Conn
	st   [statementCount]*sql.Stmt

	rooms    map[string]*roomState // Those used lately; nil: recall first.
	revision int64                 // The last one given to any record.
	written  int64                 // The revision the database has.
	broken   error                 // What went wrong with the database; the transaction is lost then.
}

// roomState is what the writer knows of a room's log.
type roomState struct{ num, last int64 }

// A statement is an index into txn.st.
type statement int

const (
	stBegin statement = iota
	stCommit
	stRollback
	stRoom
	stAddRoom
	stLast
	stAppend
	stKnown
	stKeep
	stDropOnly
	stUnswept
	stSweepRoom
	stSweptRoom
	stRecord
	stPut
	stDelete
	stRevision
	stAddUpload
	stDropUpload
	stReturnUpload
	stUploads
	stAddChunk
	stSweepChunks
	stBlob
	stAddBlob
	stDropBlob
	statementCount
)

var statements = [statementCount]string{
	stBegin:     "BEGIN IMMEDIATE",
	stCommit:    "COMMIT",
	stRollback:  "ROLLBACK",
	stRoom:      "SELECT num FROM rooms WHERE name = ?",
	stAddRoom:   "INSERT INTO rooms (name) VALUES (?)",
	stLast:      "SELECT ifnull(max(seq), 0) FROM messages WHERE room = ?",
	stAppend:    "INSERT INTO messages (room, seq, time, id, data, sum) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (room, id) DO NOTHING",
	stKnown:     "SELECT seq FROM messages WHERE room = ? AND id = ?",
	stKeep:      "UPDATE rooms SET kept = max(kept, ?) WHERE num = ?",
	stDropOnly:  "UPDATE messages SET data = NULL WHERE room = ? AND seq = ?",
	stUnswept:   "SELECT num, kept, swept FROM rooms WHERE swept < kept LIMIT 1",
	stSweepRoom: "UPDATE messages SET data = NULL WHERE room = ? AND seq >= ? AND seq < ? AND data IS NOT NULL",
	stSweptRoom: "UPDATE rooms SET swept = ? WHERE num = ?",

	stRecord:   "SELECT rev FROM records WHERE bucket = ? AND key = ?",
	stPut:      "INSERT OR REPLACE INTO records (bucket, key, rev, val, sum) VALUES (?, ?, ?, ?, ?)",
	stDelete:   "DELETE FROM records WHERE bucket = ? AND key = ?",
	stRevision: "UPDATE meta SET val = ? WHERE key = '" + metaRevision + "'",

	stAddUpload:    "INSERT INTO uploads DEFAULT VALUES",
	stDropUpload:   "DELETE FROM uploads WHERE num = ?",
	stReturnUpload: "INSERT INTO uploads (num) VALUES (?)",
	stUploads:      "SELECT num FROM uploads",
	stAddChunk:     "INSERT INTO chunks (num, n, data, sum) VALUES (?, ?, ?, ?)",
	stSweepChunks:  "DELETE FROM chunks WHERE num = ?1 AND n IN (SELECT n FROM chunks WHERE num = ?1 ORDER BY n DESC LIMIT ?2)",
	stBlob:         "SELECT num, size FROM blobs WHERE id = ?",
	stAddBlob:      "INSERT INTO blobs (id, num, size, sum) VALUES (?, ?, ?, ?)",
	stDropBlob:     "DELETE FROM blobs WHERE id = ?",
}

// prepare prepares all statements and reads what the transaction goes on from.
func (t *txn) prepare(ctx context.Context, conn *sql.Conn) error {
	t.conn = conn
	for i, text := range statements {
		var err error
		if t.st[i], err = conn.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("preparing %q: %w", text, err)
		}
	}
	return t.recall(ctx)
}

// close closes the statements, those that were prepared.
func (t *txn) close() error {
	var errs []error
	for _, st := range t.st {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(errs...)
}

// recall reads what is remembered of the database.
func (t *txn) recall(ctx context.Context) error {
	err := t.conn.QueryRowContext(ctx, "SELECT val FROM meta WHERE key = ?", metaRevision).Scan(&t.revision)
	if err != nil {
		return err
	}
	t.written, t.rooms = t.revision, make(map[string]*roomState)
	return nil
}

// run makes one transaction of all changes whose callers still wait. Refusals are in the changes; an error means that
// nothing was stored.
func (t *txn) run(batch []*change) error {
	t.broken = nil
	if t.rooms == nil {
		t.broken = t.recall(context.Background())
	}
	t.exec(stBegin)
	for _, c := range batch {
		if t.broken != nil {
			break
		}
		select {
		case <-c.gone:
			c.err, c.msg = context.Canceled, nil // Nobody reads this.
		default:
			c.err = c.apply(t)
		}
	}
	if t.revision != t.written {
		t.exec(stRevision, t.revision)
	}
	if t.broken == nil {
		t.exec(stCommit)
	}
	if t.broken == nil {
		t.written = t.revision
		return nil
	}
	err := t.broken
	// SQLite may have rolled back by itself, and then refuses to do so again.
	_, _ = t.st[stRollback].Exec()
	t.rooms = nil // What we remember may be what was rolled back.
	return err
}

// exec runs a statement and returns what it changed and, after an INSERT, the number of the new row.
func (t *txn) exec(s statement, args ...any) (rows, id int64) {
	if t.broken != nil {
		return 0, 0
	}
	res, err := t.st[s].Exec(args...)
	if err == nil {
		if rows, err = res.RowsAffected(); err == nil {
			id, err = res.LastInsertId()
		}
	}
	t.broken = err
	return rows, id
}

// row reads the first row of a statement into dest, and reports whether there was one.
func (t *txn) row(s statement, args []any, dest ...any) bool {
	if t.broken != nil {
		return false
	}
	err := t.st[s].QueryRow(args...).Scan(dest...)
	if err == sql.ErrNoRows {
		return false
	}
	t.broken = err
	return err == nil
}

// probe writes something that changes nothing.
func (t *txn) probe() error {
	t.exec(stRevision, t.revision)
	return t.broken
}

// now is the time of a message: without a monotonic clock, so that it equals what is read back.
func now() time.Time { return time.Unix(0, time.Now().UnixNano()) }
