package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	driver "modernc.org/sqlite"

	"udpchat/chat"
)

var (
	// ErrDamaged: the store's file is not what was written. Put a backup back, or copy out what can be read with the
	// sqlite3 program's .recover.
	ErrDamaged = errors.New("the store is damaged")

	// ErrInUse: another process has the store open. The error around it says which one.
	ErrInUse = errors.New("the store is in use")

	// ErrForeign: there is a file in the store's place that is not ours, or one by a newer version of this program.
	ErrForeign = errors.New("not a store this version can use")
)

// Result codes of SQLite (https://www.sqlite.org/rescode.html), the low byte.
const (
	codeBusy     = 5
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// explain puts an error of the database into our words, and makes it match what callers look for.
func explain(err error) error {
	bad, ok := errors.AsType[*driver.Error](err)
	if !ok {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return fmt.Errorf("%w: %w", chat.ErrUnwritable, err)
		}
		return err
	}
	switch bad.Code() & 0xff {
	case codeFull:
		return fmt.Errorf("no space left in the store or on its disk: %w (%w)", chat.ErrFull, err)
	case codeCorrupt, codeNotADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case codeBusy:
		return fmt.Errorf("%w by another program: %w", ErrInUse, err)
	case codeReadOnly:
		return fmt.Errorf("%w: its directory or file is read-only (%w)", chat.ErrUnwritable, err)
	case codeIOErr:
		return fmt.Errorf("%w: its disk is broken, or was taken away (%w)", chat.ErrUnwritable, err)
	case codeCantOpen:
		return fmt.Errorf("%w: its file cannot be opened (%w)", chat.ErrUnwritable, err)
	}
	return err
}

// fail says what was being done when err happened. A nil err stays nil.
func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlite: %s: %w", what, explain(err))
}

// failRead is fail for what only reads. It sees to it that damage is heard of by more than the one who met it: damage of the
// file itself ends all writing, a checksum that does not fit is of one message only.
func (e *Engine) failRead(what string, err error) error {
	err = fail(what, err)
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if e.stats.damaged.Add(1) == 1 {
		e.log.Error("damage in the store", "err", err)
	}
	if _, ok := errors.AsType[*driver.Error](err); ok {
		e.damage.CompareAndSwap(nil, &err)
	}
	return err
}

func errClosed() error { return fmt.Errorf("sqlite: %w", chat.ErrClosed) }

// tooLong refuses what is larger than max bytes.
func tooLong(what string, n, max int) error {
	if n <= max {
		return nil
	}
	return fmt.Errorf("sqlite: %s of %d bytes, the most is %d: %w", what, n, max, chat.ErrTooLarge)
}
