package chat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A read marker is how far an account has read a log: a record, marks/<account>/<log>, an uvarint. The
// greatest one counts. It is shared by all devices at once, and written every crierTick and when the device
// is closed; so a crash makes it up to that much older.
const markBucket = "marks"

func markKey(account, log string) string { return account + "/" + log }

// Mark says that the account has read a log up to seq. Its other devices are told with KindMarked in the
// account's own log. A seq before the one there is changes nothing. It refuses like History, and with CodeTooMany.
func (d *Device) Mark(ctx context.Context, log string, seq uint64) error {
	const op = "mark"
	if _, err := d.mayRead(ctx, op, log); err != nil {
		return err
	}
	a := d.account
	moved, full := a.noteMark(log, seq)
	switch {
	case full:
		return d.hub.refuse(op, CodeTooMany, 0, fmt.Sprintf("the most is %d read markers", marksMax))
	case !moved:
		return nil
	}
	rec := record{kind: KindMarked, account: a.name, about: log, number: seq}
	if err := d.hub.cfg.Engine.Send(AccountLog(a.name), rec.encode()); err != nil {
		return engineError(op, err)
	}
	return nil
}

// noteMark moves a marker, which must be written then. It reports whether it did, and whether there are too many.
func (a *account) noteMark(log string, seq uint64) (moved, full bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	old, known := a.marks[log]
	switch {
	case seq <= old:
		return false, false
	case !known && len(a.marks) >= marksMax:
		return false, true
	}
	a.marks[log] = seq
	if a.dirtyMarks == nil {
		a.dirtyMarks = make(map[string]bool)
	}
	a.dirtyMarks[log] = true
	return true, false
}

func (a *account) marked(log string) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.marks[log]
}

// flushMarks writes the markers that were moved.
func (a *account) flushMarks(ctx context.Context) error {
	a.mu.Lock()
	dirty := a.dirtyMarks
	a.dirtyMarks = nil
	a.mu.Unlock()
	var errs []error
	for log := range dirty {
		if err := a.hub.writeMark(ctx, a.name, log, a.marked(log)); err != nil {
			errs = append(errs, err)
			a.mu.Lock()
			if a.dirtyMarks == nil {
				a.dirtyMarks = make(map[string]bool)
			}
			a.dirtyMarks[log] = true
			a.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

// writeMark writes a marker unless a greater one is written.
func (h *Hub) writeMark(ctx context.Context, account, log string, seq uint64) error {
	for {
		entry, err := h.cfg.Engine.Get(ctx, markBucket, markKey(account, log))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if old, n := binary.Uvarint(entry.Val); n > 0 && old >= seq {
			return nil
		}
		_, err = h.cfg.Engine.Put(ctx, markBucket, markKey(account, log), binary.AppendUvarint(nil, seq), entry.Rev)
		if !errors.Is(err, ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
}

// marks returns the markers of an account.
func (h *Hub) marks(ctx context.Context, account string) (map[string]uint64, error) {
	prefix := markKey(account, "")
	entries, err := h.cfg.Engine.List(ctx, markBucket, prefix)
	if err != nil {
		return nil, err
	}
	marks := make(map[string]uint64, len(entries))
	for _, entry := range entries {
		seq, _ := binary.Uvarint(entry.Val) // 0, and so none, if it is damaged.
		marks[strings.TrimPrefix(entry.Key, prefix)] = seq
	}
	return marks, nil
}
