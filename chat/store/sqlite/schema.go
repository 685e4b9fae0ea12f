package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID marks our files (PRAGMA application_id); it reads UCHT.
const applicationID = 0x55434854

// migrations[i] makes version i+1 of the schema (PRAGMA user_version) out of version i, in one transaction. What was
// released is never changed, only added to.
var migrations = []string{
	// Names, ids and keys are BLOB because they are bytes: compared one by one, with nothing special about any of them.
	//
	// rooms.kept is the first Seq that Drop has not taken away as part of a range, rooms.swept the first whose row has
	// not been emptied for that. A message's data is NULL when it was dropped; the row stays, so that its id is known.
	//
	// A blob's pieces have its num. uploads has the nums of pieces that belong to no blob: uploads under way, and what
	// was dropped or broken off and is still to be given back.
	`CREATE TABLE meta (key TEXT PRIMARY KEY, val ANY) STRICT, WITHOUT ROWID;
	CREATE TABLE rooms (
		num INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,
		kept INTEGER NOT NULL DEFAULT 1, swept INTEGER NOT NULL DEFAULT 1
	) STRICT;
	CREATE TABLE messages (
		room INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, id BLOB NOT NULL, data BLOB, sum INTEGER NOT NULL,
		PRIMARY KEY (room, seq)
	) STRICT, WITHOUT ROWID;
	CREATE UNIQUE INDEX messages_by_id ON messages (room, id);
	CREATE TABLE records (
		bucket BLOB NOT NULL, key BLOB NOT NULL, rev INTEGER NOT NULL, val BLOB NOT NULL, sum INTEGER NOT NULL,
		PRIMARY KEY (bucket, key)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE blobs (
		id BLOB PRIMARY KEY, num INTEGER NOT NULL, size INTEGER NOT NULL, sum INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE TABLE uploads (num INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
	CREATE TABLE chunks (
		num INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (num, n)
	) STRICT, WITHOUT ROWID;
	INSERT INTO meta VALUES ('revision', 0)`,
}

// Keys of table meta.
const (
	metaRevision = "revision" // The last revision given to any record.
	metaEpoch    = "epoch"    // Which life of the store this is.
	metaCopy     = "copy"     // There only in a backup that nobody has opened yet.
)

// migrate brings the schema to the newest version and makes sure that the store has an epoch, a new one if this is a
// backup that was put back.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	var version, app, tables int
	for pragma, v := range map[string]*int{
		"PRAGMA user_version": &version, "PRAGMA application_id": &app, "SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := conn.QueryRowContext(ctx, pragma).Scan(v); err != nil {
			return err
		}
	}
	switch {
	case app != applicationID && (app != 0 || tables > 0):
		return fmt.Errorf("%w: it is the database of another program", ErrForeign)
	case version > len(steps):
		return fmt.Errorf("%w: it has version %d, and the newest this program knows is %d", ErrForeign, version, len(steps))
	}
	return inTransaction(ctx, conn, func() error {
		for i := version; i < len(steps); i++ {
			if _, err := conn.ExecContext(ctx, steps[i]); err != nil {
				return fmt.Errorf("to version %d: %w", i+1, err)
			}
		}
		if version < len(steps) {
			marks := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(steps), applicationID)
			if _, err := conn.ExecContext(ctx, marks); err != nil {
				return err
			}
		}
		return renewEpoch(ctx, conn)
	})
}

// renewEpoch gives a store that is new, or a copy, an epoch of its own.
func renewEpoch(ctx context.Context, conn *sql.Conn) error {
	var n int
	err := conn.QueryRowContext(ctx, "SELECT count(*) FROM meta WHERE key = ?", metaCopy).Scan(&n)
	if err != nil {
		return err
	}
	var epoch string
	err = conn.QueryRowContext(ctx, "SELECT val FROM meta WHERE key = ?", metaEpoch).Scan(&epoch)
	if err == nil && n == 0 || err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, err = conn.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", metaCopy); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "INSERT OR REPLACE INTO meta VALUES (?, ?)", metaEpoch, rand.Text())
	return err
}

// inTransaction runs f between BEGIN and COMMIT, or ROLLBACK if it returns an error.
func inTransaction(ctx context.Context, conn *sql.Conn, f func() error) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		// It is rolled back already if SQLite could not go on; else this cannot fail but with the connection.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return err
}
