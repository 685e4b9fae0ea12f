package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"udpchat/chat"
)

// A file is stored before anybody is told of it. One that nobody is told of is collected after unsharedLife, unless somebody
// else has stored the same bytes and told of them: the engine keeps those once. What is known of a file's bytes is one record,
// so that of an account that is about to tell of them and a server that is about to drop them only one succeeds:
//
//	Hold    → waits → Share → shared, for ever
//	                → Collect → gone → dropped, no record
//
// The record comes before the bytes, so that of what breaks off in between nothing stays for ever. Bytes without a record were
// stored by a protocol that tells of them at once, or before there were records, and stay.
type fileRecord struct {
	Waits  map[string]time.Time `json:"waits,omitempty"` // Who has stored it and told nobody yet, and when.
	Shared bool                 `json:"shared,omitempty"`
	Gone   time.Time            `json:"gone,omitzero"` // Since when it is being dropped; zero: it is not.
}

// Hold notes that an account is about to store a file, and has told nobody yet. ok is false if the same bytes are just being
// dropped: then store them later. Store them, and charge the account for them, after Hold: if that breaks off, Collect gives
// back both.
func (s *Service) Hold(ctx context.Context, name, id string) (ok bool, err error) {
	canonical, err := canonicalName("store a file", name)
	if err != nil {
		return false, err
	}
	err = change(ctx, s, bucketFiles, id, func(f *fileRecord, found bool) error {
		ok = f.Gone.IsZero()
		if !ok || f.Shared {
			return errUnchanged
		}
		unknown := false
		if !found {
			if unknown, err = s.stored(ctx, id); err != nil {
				return err
			}
		}
		if unknown || len(f.Waits) >= waitsMax {
			*f = fileRecord{Shared: true} // Whose it was nobody knows.
			return nil
		}
		if f.Waits == nil {
			f.Waits = make(map[string]time.Time)
		}
		f.Waits[canonical] = time.Now().UTC()
		return nil
	})
	return ok, err
}

// stored reports whether the bytes of a file are there.
func (s *Service) stored(ctx context.Context, id string) (bool, error) {
	r, err := s.cfg.Engine.GetBlob(ctx, id, 0)
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.Close()
}

// Share notes that somebody is told of a file from now on, so that it stays. ok is false if it is just being dropped. Call it
// before telling, and look afterwards whether the file is there.
func (s *Service) Share(ctx context.Context, id string) (ok bool, err error) {
	err = change(ctx, s, bucketFiles, id, func(f *fileRecord, _ bool) error {
		ok = f.Gone.IsZero()
		if !ok || f.Shared {
			return errUnchanged
		}
		*f = fileRecord{Shared: true}
		return nil
	})
	return ok, err
}

// Collect drops the files that nobody was told of for too long. gone, which may be called again for the same, has an account
// forget that it has stored one. The server calls Collect now and then; it may run on several servers.
func (s *Service) Collect(ctx context.Context, gone func(ctx context.Context, name, id string) error) error {
	files, err := s.cfg.Engine.List(ctx, bucketFiles, "")
	if err != nil {
		return err
	}
	var errs []error
	for _, en := range files {
		if f, err := decode[fileRecord](bucketFiles, en); err != nil {
			errs = append(errs, err)
		} else if f.over(time.Now()) {
			errs = append(errs, s.collect(ctx, en.Key, gone))
		}
	}
	return errors.Join(errs...)
}

// over reports whether a file is to be dropped: because nobody was told of it for too long, or because whoever was dropping it
// did not come to the end.
func (f *fileRecord) over(now time.Time) bool {
	if !f.Gone.IsZero() {
		return now.Sub(f.Gone) >= dropLease
	}
	for _, since := range f.Waits {
		if now.Sub(since) < unsharedLife {
			return false
		}
	}
	return !f.Shared && len(f.Waits) > 0
}

// collect drops one file, if it is still to be dropped. The record goes last, so that what is interrupted is found again.
func (s *Service) collect(ctx context.Context, id string, gone func(context.Context, string, string) error) error {
	ctx, cancel := context.WithTimeout(ctx, dropTimeout)
	defer cancel()
	var mine fileRecord
	err := change(ctx, s, bucketFiles, id, func(f *fileRecord, found bool) error {
		mine = fileRecord{}
		if now := time.Now().UTC(); found && f.over(now) {
			f.Gone = now
			mine = *f
			return nil
		}
		return errUnchanged
	})
	if err != nil || mine.Gone.IsZero() {
		return err
	}
	for name := range mine.Waits {
		if err := errors.Join(gone(ctx, name, id), s.Release(ctx, name, id)); err != nil {
			return fmt.Errorf("account: collecting a file: %w", err)
		}
	}
	if err := s.cfg.Engine.DropBlob(ctx, id); err != nil && !errors.Is(err, chat.ErrNotFound) {
		return fmt.Errorf("account: collecting a file: %w", err)
	}
	return s.remove(ctx, bucketFiles, id)
}
