// Package migrate copies what one engine has stored into another: rooms in their order with ids and times, records and files.
//
// Nobody may use either engine meanwhile. Numbers are the other engine's own afterwards, also in records of the chat core, and
// so is Epoch. What was dropped is not copied. A copy that was broken off is done again by calling Copy again: it goes on where it was.
package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"udpchat/chat"
)

// A Source is an engine that can tell what it has.
type Source interface {
	chat.Engine

	// Rooms, Buckets and Blobs return the names after the given one, n at most, in rising order.
	Rooms(ctx context.Context, after string, n int) ([]string, error)
	Buckets(ctx context.Context, after string, n int) ([]string, error)
	Blobs(ctx context.Context, after string, n int) ([]string, error)
}

// A Target is an engine that takes messages with the times that they have.
type Target interface {
	chat.Engine
	Import(ctx context.Context, m chat.Msg) (chat.Msg, error)
}

// Progress is what was copied, or was there already.
type Progress struct{ Rooms, Messages, Records, Blobs int }

const (
	page     = 500 // Messages and names read at a time.
	parallel = 32  // Rooms copied at the same time. Within a room there is an order to keep.
)

// Copy copies everything. report, which may be nil, is called now and then, one call at a time.
func Copy(ctx context.Context, from Source, to Target, report func(Progress)) (Progress, error) {
	c := &copier{from: from, to: to, report: report}
	for _, part := range []struct {
		what string
		copy func(context.Context) error
	}{{"rooms", c.rooms}, {"files", c.blobs}, {"records", c.records}} { // Some records have numbers of messages in them.
		if err := part.copy(ctx); err != nil {
			return c.done, fmt.Errorf("copying %s: %w", part.what, err)
		}
	}
	return c.done, nil
}

type copier struct {
	from   Source
	to     Target
	report func(Progress)

	mu   sync.Mutex
	done Progress // Guarded by mu.
}

func (c *copier) add(p Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done.Rooms += p.Rooms
	c.done.Messages += p.Messages
	c.done.Records += p.Records
	c.done.Blobs += p.Blobs
	if c.report != nil {
		c.report(c.done)
	}
}

// each calls f with every name that list returns.
func each(ctx context.Context, list func(ctx context.Context, after string, n int) ([]string, error), f func(name string) error) error {
	for after := ""; ; {
		names, err := list(ctx, after, page)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := f(name); err != nil {
				return err
			}
		}
		after = names[len(names)-1]
	}
}

func (c *copier) rooms(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	err := each(ctx, c.from.Rooms, func(room string) error {
		g.Go(func() error {
			if err := c.room(ctx, room); err != nil {
				return fmt.Errorf("room %q: %w", room, err)
			}
			c.add(Progress{Rooms: 1})
			return nil
		})
		return ctx.Err()
	})
	return errors.Join(g.Wait(), err)
}

// room copies what comes after the last message that the target has.
func (c *copier) room(ctx context.Context, room string) error {
	there, err := c.to.Read(ctx, room, 0, 1<<64-1, 1)
	if err != nil {
		return err
	}
	skip := len(there) > 0
	for after := uint64(0); ; {
		msgs, err := c.from.Read(ctx, room, after, 0, page)
		if err != nil {
			return err
		}
		if len(msgs) == 0 {
			break
		}
		for _, m := range msgs {
			if skip {
				skip = m.ID != there[0].ID
				continue
			}
			if _, err := c.to.Import(ctx, m); err != nil {
				return err
			}
		}
		c.add(Progress{Messages: len(msgs)})
		after = msgs[len(msgs)-1].Seq
	}
	if skip {
		return fmt.Errorf("there is one already, with other messages: %w", chat.ErrConflict)
	}
	return nil
}

func (c *copier) records(ctx context.Context) error {
	return each(ctx, c.from.Buckets, func(bucket string) error {
		entries, err := c.from.List(ctx, bucket, "")
		if err != nil {
			return err
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(parallel)
		for _, en := range entries {
			g.Go(func() error {
				if err := c.record(ctx, bucket, en); err != nil {
					return fmt.Errorf("record %q of %q: %w", en.Key, bucket, err)
				}
				c.add(Progress{Records: 1})
				return nil
			})
		}
		return g.Wait()
	})
}

func (c *copier) record(ctx context.Context, bucket string, en chat.Entry) error {
	number := func(log string, seq uint64) (uint64, error) { return c.number(ctx, log, seq) }
	val, err := chat.Renumber(bucket, en, number)
	if err != nil {
		return err
	}
	if _, err = c.to.Put(ctx, bucket, en.Key, val, 0); !errors.Is(err, chat.ErrConflict) {
		return err
	}
	there, getErr := c.to.Get(ctx, bucket, en.Key)
	if getErr == nil && bytes.Equal(there.Val, val) {
		return nil
	}
	return errors.Join(err, getErr)
}

// number returns the number in the target of the last message of a room, which was copied, up to a number; 0 if there is none.
func (c *copier) number(ctx context.Context, room string, seq uint64) (uint64, error) {
	before := max(seq+1, seq) // There is nothing above the greatest number.
	msgs, err := c.from.Read(ctx, room, 0, before, 1)
	if err != nil || len(msgs) == 0 {
		return 0, err
	}
	m, err := c.to.Import(ctx, msgs[0]) // It is there, so that it says where.
	return m.Seq, err
}

func (c *copier) blobs(ctx context.Context) error {
	return each(ctx, c.from.Blobs, func(id string) error {
		if r, err := c.to.GetBlob(ctx, id, 0); err == nil {
			c.add(Progress{Blobs: 1})
			return r.Close()
		}
		r, err := c.from.GetBlob(ctx, id, 0)
		if err != nil {
			return err
		}
		got, _, err := c.to.PutBlob(ctx, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
		if got != id {
			return fmt.Errorf("file %s has become %s", id, got)
		}
		c.add(Progress{Blobs: 1})
		return nil
	})
}
