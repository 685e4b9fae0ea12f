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
// speak of. It waits a moment for the result; later ones are found by whoever calls damaged.
func (e *Engine) check(ctx context.Context) error {
	killed := e.killed != ""
	info, err := os.Stat(e.path())
	if err != nil {
		return err
	}
	if !killed && info.Size() > checkAlwaysBytes {
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
		err := quickCheck(ctx, db)
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
	wait := time.NewTimer(checkWait)
	defer wait.Stop()
	select {
	case err := <-found:
		return err
	case <-wait.C:
		return nil
	}
}

// quickCheck returns what SQLite finds wrong with a database.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return fail("looking for damage", err)
	}
	if verdict != "ok" {
		return fail("looking for damage", fmt.Errorf("%w: %s", ErrDamaged, verdict))
	}
	return nil
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
