package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// check has SQLite look through the whole file if the store was not closed properly, and also if that takes no time to
// speak of: only then it waits a moment for the result. Later ones are found by whoever calls damaged.
func (e *Engine) check(ctx context.Context) error {
	killed := e.killed != ""
	info, err := os.Stat(e.path())
	if err != nil {
		return err
	}
	small := info.Size() <= checkAlwaysBytes
	if !killed && !small {
		return nil
	}
	if killed {
		e.log.Warn("the store was not closed the last time; looking for damage", "bytes", info.Size())
	}
	db, err := openDatabase(e.path(), e.cfg, false)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	found := make(chan error, 1)
	// Owns db and looks through it; ends when that is done or quit is closed.
	e.tasks.Go(func() {
		defer cancel()
		begin := time.Now()
		err := verify(ctx, db, small)
		if ctx.Err() != nil {
			err = nil // We were told to stop.
		}
		if err != nil {
			e.damage.Store(&err)
			e.log.Error("damage in the store: nothing more is written to it", "err", err)
		} else if killed {
			e.log.Info("looked through the store", "dur", time.Since(begin))
		}
		_ = db.Close() // It has only read.
		found <- err
	})
	// Ends when the check does.
	e.tasks.Go(func() {
		select {
		case <-e.quit:
			cancel()
		case <-ctx.Done():
		}
	})
	if !small {
		return nil
	}
	wait := time.NewTimer(checkWait)
	defer wait.Stop()
	select {
	case err := <-found:
		return err
	case <-wait.C:
		return nil
	}
}

// verify returns what is wrong with a database: how it is built, the names by which everything is found, and, if it is to be
// thorough, every index. What messages and files say is verified when they are read.
func verify(ctx context.Context, db *sql.DB, thorough bool) error {
	looks := []string{"PRAGMA quick_check(1)", "PRAGMA integrity_check(rooms)"}
	if thorough {
		looks = []string{"PRAGMA integrity_check(1)"}
	}
	for _, look := range looks {
		var verdict string
		if err := db.QueryRowContext(ctx, look).Scan(&verdict); err != nil {
			return fail("looking for damage", err)
		}
		if verdict != "ok" {
			return fail("looking for damage", fmt.Errorf("%w: %s", ErrDamaged, verdict))
		}
	}
	return fail("looking for damage", errors.Join(verifyRecords(ctx, db), verifyBlobs(ctx, db)))
}

// verifyRecords looks at every record: one whose key has changed would not be missed by anybody else. The store may be written
// to meanwhile, so what was given last is read after the records: it has gone up at most.
func verifyRecords(ctx context.Context, db *sql.DB) error {
	greatest, err := greatestRevision(ctx, db)
	if err != nil {
		return err
	}
	var last int64
	if err := db.QueryRowContext(ctx, "SELECT val FROM meta WHERE key = ?", metaRevision).Scan(&last); err != nil {
		return err
	}
	if greatest > last {
		return fmt.Errorf("%w: a record has revision %d, the last one given was %d", ErrDamaged, greatest, last)
	}
	return nil
}

// greatestRevision is that of all records, each of which is verified.
func greatestRevision(ctx context.Context, db *sql.DB) (greatest int64, err error) {
	rows, err := db.QueryContext(ctx, "SELECT key, rev, val, sum, bucket FROM records")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key, val, bucket []byte
		var rev, want int64
		if err := rows.Scan(&key, &rev, &val, &want, &bucket); err != nil {
			return 0, err
		}
		if sumRecord(string(bucket), string(key), rev, val) != want {
			return 0, fmt.Errorf("%w: record %q of %q is not what was written", ErrDamaged, key, bucket)
		}
		greatest = max(greatest, rev)
	}
	return greatest, rows.Err()
}

// verifyBlobs looks at where every file is.
func verifyBlobs(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT id, num, size, sum FROM blobs")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var num, size, want int64
		if err := rows.Scan(&id, &num, &size, &want); err != nil {
			return err
		}
		if sumBlob(id, num, size) != want {
			return fmt.Errorf("%w: the place of file %x is not what was written", ErrDamaged, id)
		}
	}
	return rows.Err()
}

// inspectWAL looks at what a stopped process left in the write-ahead log, before SQLite does: SQLite takes everything
// before the first frame that is not whole, and throws away the rest without a word.
func (e *Engine) inspectWAL() error {
	db, err := os.Stat(e.path())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	missing := err != nil || db.Size() == 0
	found, err := readWAL(e.path() + "-wal")
	if err != nil {
		return err
	}
	switch {
	case found.bytes == 0:
		return nil
	case missing:
		return fmt.Errorf("%w: %s is missing or empty, but its write-ahead log is there", ErrDamaged, databaseFile)
	case found.whole():
		return nil
	}
	lost := fmt.Errorf("its write-ahead log is broken at byte %d of %d, with %d transactions after that", found.good, found.bytes, found.lost)
	// With Synced a transaction is written when the one before is on the disk, so only the last one can be torn.
	if found.lost > 1 && e.killed != Fast.String() || found.header {
		return fmt.Errorf("%w: %w; take %s-wal away to go on without them", ErrDamaged, lost, databaseFile)
	}
	e.log.Warn("cut off what was being written when the machine stopped; nobody was told that it is stored", "err", lost)
	return nil
}
