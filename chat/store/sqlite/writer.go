package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"udpchat/chat"
)

// A writer makes all changes, in one goroutine and on one connection: it collects what waits, makes one transaction of
// it, answers, and hands the messages on to the feed.
type writer struct {
	engine *Engine
	db     *sql.DB
	conn   *sql.Conn
	txn    txn // Owned by run after Open.

	queue  chan *change
	ended  chan struct{} // Closed when nothing more will be answered.
	failed atomic.Pointer[error]
	swept  chan struct{} // Has one entry when there may be something to give back.
	active uploads
}

// A change is one thing to do within a transaction. It belongs to the writer from the queue on until done is closed.
type change struct {
	apply func(*txn) error // Returns a refusal and has changed nothing, or makes txn.broken what went wrong.
	bytes int              // How much it writes, about.
	gone  <-chan struct{}  // Closed when nobody waits for it any more; nil: never.
	msg   *chat.Msg        // What subscribers are told if it was applied; nil: nothing.
	err   error            // The answer.
	done  chan struct{}
}

func newWriter(ctx context.Context, e *Engine, db *sql.DB) (*writer, error) {
	w := &writer{
		engine: e, db: db,
		queue: make(chan *change, queueMax), ended: make(chan struct{}), swept: make(chan struct{}, 1),
	}
	w.active.nums = make(map[int64]bool)
	var err error
	if w.conn, err = db.Conn(ctx); err == nil {
		err = migrate(ctx, w.conn, migrations)
	}
	if err == nil {
		err = w.txn.prepare(ctx, w.conn)
	}
	if err != nil {
		_ = w.close() // Nothing was written, so nothing can be lost by it.
		return nil, err
	}
	return w, nil
}

// try writes something that changes nothing, before run has begun. A full store is none that cannot be used.
func (w *writer) try() error {
	err := w.txn.run([]*change{{apply: (*txn).probe}})
	if errors.Is(explain(err), chat.ErrFull) {
		w.note(err)
		return nil
	}
	return err
}

// epoch returns which life of the store this is.
func (w *writer) epoch(ctx context.Context) (epoch string, err error) {
	err = w.conn.QueryRowContext(ctx, "SELECT val FROM meta WHERE key = ?", metaEpoch).Scan(&epoch)
	return epoch, err
}

// close closes the connection; run has ended, or never began. It is the last one, so it empties the write-ahead log.
func (w *writer) close() error {
	errs := []error{w.txn.close()} // SQLite keeps a connection that has statements.
	if w.conn != nil {
		errs = append(errs, w.conn.Close()) // Gives it back to db, which closes it.
	}
	return errors.Join(append(errs, w.db.Close())...)
}

// do has the writer apply a change of that many bytes, and waits for the answer. what is being done is said in errors. If
// ctx ends first, the change may or may not be made.
func (w *writer) do(ctx context.Context, what string, bytes int, apply func(*txn) error) error {
	return w.submit(ctx, what, &change{apply: apply, bytes: bytes})
}

func (w *writer) submit(ctx context.Context, what string, c *change) error {
	if err := w.engine.damaged(); err != nil {
		return fmt.Errorf("%w: %w", chat.ErrUnwritable, err)
	}
	c.gone, c.done = ctx.Done(), make(chan struct{})
	select {
	case w.queue <- c:
	case <-w.ended:
		return errClosed()
	case <-ctx.Done():
		return fail(what, context.Cause(ctx))
	}
	select {
	case <-c.done:
		return fail(what, c.err)
	case <-ctx.Done():
		return fail(what, context.Cause(ctx))
	case <-w.ended:
	}
	select {
	case <-c.done: // It was answered at the last moment.
		return fail(what, c.err)
	default:
		return errClosed()
	}
}

// run is the writer's goroutine.
func (w *writer) run() {
	defer close(w.engine.feed.batches)
	defer close(w.ended)
	var batch []*change
	var left *change // Taken from the queue, and too large for the batch before.
	for {
		batch, left = w.collect(left)
		if len(batch) == 0 {
			return
		}
		w.commit(batch)
		runtime.Gosched() // Those who were answered may have more to say: it goes into the next transaction.
	}
}

// collect waits for a change and takes what else waits, within the limits of a transaction. No changes mean the end.
func (w *writer) collect(first *change) (batch []*change, left *change) {
	select {
	case <-w.engine.quit:
		return nil, nil
	default:
	}
	if first == nil {
		select {
		case first = <-w.queue:
		case <-w.engine.quit:
			return nil, nil
		}
	}
	batch = append(batch, first)
	bytes := first.bytes
	for len(batch) < batchMax {
		select {
		case c := <-w.queue:
			if bytes += c.bytes; bytes > batchBytesMax {
				return batch, c
			}
			batch = append(batch, c)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// commit makes one transaction of a batch, answers, and hands the messages on.
func (w *writer) commit(batch []*change) {
	begin := time.Now()
	err := w.txn.run(batch)
	if len(batch) > 1 && errors.Is(explain(err), chat.ErrFull) {
		for i := range batch { // Only those fail for which there is no space. Giving some back must not.
			w.commit(batch[i : i+1])
		}
		return
	}
	if err != nil {
		w.note(err)
		for _, c := range batch {
			c.err, c.msg = err, nil
		}
	} else {
		w.failed.Store(nil)
	}
	w.engine.stats.count(batch, err, time.Since(begin))
	w.engine.feed.committed.Add(1)
	var msgs []chat.Msg
	for _, c := range batch {
		if c.msg != nil && c.err == nil {
			msgs = append(msgs, *c.msg)
		}
		close(c.done)
	}
	w.engine.feed.hand(msgs)
}

// note remembers and logs why a transaction failed. A failure that goes on is logged once.
func (w *writer) note(err error) {
	if explained := fail("writing", err); errors.Is(explained, ErrDamaged) {
		w.engine.damage.CompareAndSwap(nil, &explained)
	}
	if w.failed.Swap(&err) == nil {
		w.engine.log.Error("the store cannot be written to", "err", explain(err))
	}
}

// failure returns why the last transaction failed; nil: it did not.
func (w *writer) failure() error {
	if err := w.failed.Load(); err != nil {
		return *err
	}
	return nil
}
