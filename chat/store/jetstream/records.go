package jetstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"udpchat/chat"
)

// Get implements chat.Engine.
func (e *Engine) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	if err := e.enter(); err != nil {
		return chat.Entry{}, err
	}
	defer e.calls.Done()
	m, err := e.ask(ctx, e.names.recordStream(), question{Last: e.names.record(bucket, key)})
	if err != nil {
		return chat.Entry{}, recordError("get", bucket, key, err)
	}
	return chat.Entry{Key: key, Val: m.data, Rev: m.seq}, nil
}

// Put implements chat.Engine.
func (e *Engine) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.calls.Done()
	for _, err := range []error{
		tooLong("bucket", len(bucket), nameBytesMax), tooLong("key", len(key), nameBytesMax), tooLong("record", len(val), valueBytesMax),
	} {
		if err != nil {
			return 0, err
		}
	}
	next, err := e.put(ctx, e.names.record(bucket, key), slices.Clone(val), rev)
	return next, recordError("put", bucket, key, err)
}

// put writes the last message of a subject in the stream of records. rev is the number of the one before; 0: none.
func (e *Engine) put(ctx context.Context, subject string, val []byte, rev uint64) (next uint64, err error) {
	msgID := rand.Text() // So that an attempt whose answer was lost is not in its own way.
	err = e.retry(ctx, func(ctx context.Context) error {
		m := nats.NewMsg(subject)
		m.Data = val
		next, _, err = e.publish(ctx, m, msgID, rev)
		if !errors.Is(err, errConflict) {
			return err
		}
		// Whoever is told of a conflict must be able to see it: the message that was in our way may be under way itself.
		last, askErr := e.askOnce(ctx, e.names.recordStream(), question{Last: subject})
		if askErr = explain(askErr); askErr != nil && !errors.Is(askErr, errNone) {
			return askErr
		}
		if last.seq == rev {
			return fmt.Errorf("%w: %w", errAgain, err)
		}
		return err
	})
	return next, err
}

// Delete implements chat.Engine.
func (e *Engine) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	for {
		m, err := e.ask(ctx, e.names.recordStream(), question{Last: e.names.record(bucket, key)})
		if err == nil && rev != 0 && m.seq != rev {
			err = errConflict
		}
		if err != nil {
			return recordError("delete", bucket, key, err)
		}
		// If it was replaced meanwhile, that number is gone.
		err = e.remove(ctx, e.names.recordStream(), m.seq)
		if !errors.Is(err, errNone) {
			return recordError("delete", bucket, key, err)
		}
		m, err = e.ask(ctx, e.names.recordStream(), question{Last: e.names.record(bucket, key)})
		if errors.Is(err, errNone) {
			return nil // By our own attempt, whose answer was lost, or at the same moment by somebody else.
		}
		if err == nil && rev != 0 {
			err = errConflict
		}
		if err != nil {
			return recordError("delete", bucket, key, err)
		}
	}
}

// List implements chat.Engine.
func (e *Engine) List(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	list, err := e.list(ctx, bucket, prefix)
	return list, recordError("list", bucket, prefix, err)
}

func (e *Engine) list(ctx context.Context, bucket, prefix string) ([]chat.Entry, error) {
	subjects, err := e.subjects(ctx, e.names.records(bucket, prefix))
	if err != nil {
		return nil, err
	}
	var list []chat.Entry
	for _, subject := range subjects {
		key, err := e.names.keyOf(subject)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(key, prefix) {
			list = append(list, chat.Entry{Key: key})
		}
	}
	if err := e.fetch(ctx, bucket, list); err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(en chat.Entry) bool { return en.Rev == 0 })
	slices.SortFunc(list, func(a, b chat.Entry) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// fetch fills in the records with these keys, many at a time. What was deleted meanwhile keeps revision 0.
func (e *Engine) fetch(ctx context.Context, bucket string, list []chat.Entry) error {
	var next atomic.Int64
	errs := make([]error, min(listParallel, len(list)))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(list)); i = next.Add(1) - 1 {
				m, err := e.ask(ctx, e.names.recordStream(), question{Last: e.names.record(bucket, list[i].Key)})
				if err != nil && !errors.Is(err, errNone) {
					errs[w] = err
					return
				}
				list[i].Val, list[i].Rev = m.data, m.seq
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// subjects asks the leader of the stream of records which subjects match a filter.
func (e *Engine) subjects(ctx context.Context, filter string) ([]string, error) {
	var found []string
	err := e.retry(ctx, func(ctx context.Context) error {
		stream, err := e.js.Stream(ctx, e.names.recordStream())
		if err != nil {
			return err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return err
		}
		found = found[:0]
		for subject := range info.State.Subjects {
			found = append(found, subject)
		}
		return nil
	})
	return found, err
}

func recordError(op, bucket, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNone):
		err = fmt.Errorf("%w: %w", chat.ErrNotFound, err)
	case errors.Is(err, errConflict):
		err = fmt.Errorf("%w: %w", chat.ErrConflict, err)
	}
	return fail(fmt.Sprintf("%s record %q of %q", op, key, bucket), err)
}
