package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"udpchat/chat"
)

// Files of a data directory; SQLite's own have their names from databaseFile.
const (
	databaseFile = "udpchat.db"
	lockFile     = "udpchat.lock"
)

// Engine implements chat.Engine.
type Engine struct {
	cfg    Config       // With defaults. Constant after Open.
	log    *slog.Logger // Constant after Open.
	dir    string
	epoch  string
	lock   *lock
	killed string // The durability of the last one to have the store, if it did not close it. Constant after Open.
	opened bool   // Constant after Open.
	reader reader
	writer *writer
	feed   feed
	stats  counters

	damage atomic.Pointer[error] // What the check found; nil: nothing yet.
	tasks  sync.WaitGroup        // The goroutines of writer, feed, sweeper and checker.

	mu     sync.RWMutex   // Held for writing by Close only, for a moment.
	calls  sync.WaitGroup // Calls under way. Add with mu held.
	closed bool           // Guarded by mu.
	quit   chan struct{}  // Closed by Close, with mu held.
}

var _ chat.Engine = (*Engine)(nil)

// Open opens the store in dir and makes what is not there. The error matches ErrInUse if another process has it, ErrDamaged
// if it is broken, ErrForeign if it is none of ours, chat.ErrUnwritable if nothing can be stored in it.
func Open(dir string, cfg Config) (*Engine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fail("opening the store", err)
	}
	e := &Engine{cfg: cfg, log: cfg.Logger, dir: dir, quit: make(chan struct{})}
	if err := e.open(context.Background()); err != nil {
		return nil, errors.Join(fail("opening the store in "+dir, err), e.Close())
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return err
	}
	var err error
	if e.lock, e.killed, err = takeLock(filepath.Join(e.dir, lockFile), e.cfg.Durability); err != nil {
		return err
	}
	if err := e.inspectWAL(); err != nil {
		return err
	}
	if err := own(e.path()); err != nil {
		return err
	}
	db, err := openDatabase(e.path(), e.cfg, true)
	if err != nil {
		return err
	}
	if e.writer, err = newWriter(ctx, e, db); err != nil {
		return err
	}
	if e.epoch, err = e.writer.epoch(ctx); err != nil {
		return err
	}
	if err := errors.Join(syncDir(e.dir), syncDir(filepath.Dir(e.dir))); err != nil {
		return err
	}
	if err := e.reader.open(ctx, e.path(), e.cfg); err != nil {
		return err
	}
	if err := e.check(ctx); err != nil {
		return err
	}
	if err := e.writer.try(); err != nil {
		return err
	}
	e.feed.init()
	e.tasks.Go(e.writer.run)   // Owns all changes; ends when quit is closed, after what was begun.
	e.tasks.Go(e.feed.run)     // Owns calling subscribers; ends after the writer.
	e.tasks.Go(e.writer.sweep) // Owns giving back space; ends when quit is closed.
	e.opened = true
	return nil
}

func (e *Engine) path() string { return filepath.Join(e.dir, databaseFile) }

// enter lets a call in, unless the engine is closed. The caller owes e.calls.Done.
func (e *Engine) enter() error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return errClosed()
	}
	e.calls.Add(1)
	return nil
}

// Epoch implements chat.Engine.
func (e *Engine) Epoch(context.Context, string) (string, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return "", errClosed()
	}
	return e.epoch, nil
}

// Health implements chat.Engine. After a failed change it tries to write something.
func (e *Engine) Health() error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	if err := e.damaged(); err != nil {
		return err
	}
	if e.writer.failure() == nil {
		return nil
	}
	return e.writer.do(context.Background(), "writing again after an error", 0, (*txn).probe)
}

// damaged returns what the check has found.
func (e *Engine) damaged() error {
	if err := e.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// Close implements chat.Engine. Changes that are being committed are answered, those that wait are refused. No subscriber
// is called after it has returned.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		e.tasks.Wait() // So that whoever calls second may rely on the same.
		return nil
	}
	e.closed = true
	close(e.quit)
	e.mu.Unlock()
	e.tasks.Wait()
	e.calls.Wait()
	err := e.reader.close()
	if e.writer != nil {
		err = errors.Join(err, e.writer.close())
	}
	if e.lock != nil {
		clean := err == nil && e.damaged() == nil && (e.opened || e.killed == "")
		err = errors.Join(err, e.lock.release(clean))
	}
	return fail("closing the store", err)
}
