package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a copy of the store in dir to path, which must not exist. The store may be in use meanwhile, by this
// process or another: the copy is of one moment, and has no holes. To put it back, make it the udpchat.db of an empty
// directory; Epoch will then be another one. If there is an error, there is no copy.
func Backup(ctx context.Context, dir, path string) error {
	from, err := filepath.Abs(filepath.Join(dir, databaseFile))
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err == nil {
		err = backup(ctx, from, path)
	}
	return fail("backup of "+dir, err)
}

// Exists reports whether there is a store in dir, whatever state it is in. It opens and changes nothing.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, fail("looking for a store in "+dir, err)
}

func backup(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, &os.PathError{Op: "write", Path: to, Err: fs.ErrExist})
	}
	// It gets its name when it is whole, so that nobody takes half a copy for one.
	part := to + ".part"
	err := os.Remove(part)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = own(part); err == nil { // SQLite writes into an empty file.
		err = copyInto(ctx, from, part)
	}
	if err == nil {
		err = seal(ctx, part)
	}
	if err == nil {
		err = os.Rename(part, to)
	}
	if err != nil {
		_ = os.Remove(part) // There may be none.
		return err
	}
	return syncDir(filepath.Dir(to))
}

// copyInto has SQLite write a copy, from one transaction that only reads.
func copyInto(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", dataSource(from, []string{fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())}))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := verify(ctx, db, false); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return err
}

// seal marks a copy, so that it gets an epoch of its own when it is opened as a store, and brings it to the disk.
func seal(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dataSource(path, []string{"synchronous(FULL)", "fullfsync(1)"}))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "INSERT OR REPLACE INTO meta VALUES (?, 1)", metaCopy)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
