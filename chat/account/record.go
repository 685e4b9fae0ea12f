package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"udpchat/chat"
)

// Buckets of records; see the package comment.
const (
	bucketAccounts  = "accounts"
	bucketIDs       = "account-ids"
	bucketLast      = "account-last"
	bucketGuests    = "account-guests"
	bucketSecrets   = "account-secrets"
	bucketTokens    = "tokens"
	bucketTokensOf  = "account-tokens"
	bucketProfiles  = "profiles"
	bucketContacts  = "contacts"
	bucketContactOf = "contact-of"
	bucketBlocks    = "blocks"
	bucketQuota     = "file-quota"
	bucketFiles     = "files-stored"
)

// secretBytes is the length of keys and tokens.
const secretBytes = 32

// read reads a record into v, a pointer. found is false, and v unchanged, if there is none.
func (s *Service) read(ctx context.Context, bucket, key string, v any) (rev uint64, found bool, err error) {
	en, err := s.cfg.Engine.Get(ctx, bucket, key)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("account: reading %s: %w", bucket, err)
	}
	if err := unmarshal(bucket, en, v); err != nil {
		return 0, false, err
	}
	return en.Rev, true, nil
}

// decode reads an entry of a list.
func decode[T any](bucket string, en chat.Entry) (T, error) {
	var v T
	err := unmarshal(bucket, en, &v)
	return v, err
}

func unmarshal(bucket string, en chat.Entry, v any) error {
	if err := json.Unmarshal(en.Val, v); err != nil {
		return fmt.Errorf("account: record %q of %s is damaged: %w", en.Key, bucket, err)
	}
	return nil
}

// write writes a record over the revision rev; 0: there is none. The error matches chat.ErrConflict if there is another.
func (s *Service) write(ctx context.Context, bucket, key string, v any, rev uint64) error {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: account: a record cannot be written down: " + err.Error())
	}
	if _, err := s.cfg.Engine.Put(ctx, bucket, key, b, rev); err != nil {
		return fmt.Errorf("account: writing %s: %w", bucket, err)
	}
	return nil
}

// remove deletes a record if it is there.
func (s *Service) remove(ctx context.Context, bucket, key string) error {
	if err := s.cfg.Engine.Delete(ctx, bucket, key, 0); err != nil && !errors.Is(err, chat.ErrNotFound) {
		return fmt.Errorf("account: deleting from %s: %w", bucket, err)
	}
	return nil
}

// errUnchanged is what f of change returns if there is nothing to write.
var errUnchanged = errors.New("account: unchanged")

// change reads a record into a T, zero if there is none, has f change it, and writes it back, again if somebody else did so
// at the same time. An error of f is returned and nothing written; errUnchanged is no error.
func change[T any](ctx context.Context, s *Service, bucket, key string, f func(v *T, found bool) error) error {
	for range recordTries {
		var v T
		rev, found, err := s.read(ctx, bucket, key, &v)
		if err != nil {
			return err
		}
		if err := f(&v, found); errors.Is(err, errUnchanged) {
			return nil
		} else if err != nil {
			return err
		}
		if err = s.write(ctx, bucket, key, v, rev); err == nil || !isConflict(err) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return fmt.Errorf("account: changing %s: too many change it at the same time", bucket)
}

func isConflict(err error) bool { return errors.Is(err, chat.ErrConflict) }
