package account

import (
	"context"
	"errors"
	"time"

	"udpchat/chat"
	"udpchat/chat/names"
)

// Guest makes an account without a password, which only a token can log in to and which ends when it was not used for
// Config.GuestLife. wanted is what the guest would like to be called, or empty: it becomes part of its name. It refuses with
// CodeNotOpen, CodeTooMany or CodeRateLimited.
func (s *Service) Guest(ctx context.Context, at Attempt, wanted string) (Account, error) {
	const op = "come as a guest"
	now := time.Now()
	switch {
	case !s.cfg.Guests:
		return Account{}, refuse(op, CodeNotOpen)
	case s.guests.Load() >= guestsMax:
		return Account{}, refuse(op, CodeTooMany)
	}
	if wait := s.spenders.spend(now, at.From, registering); wait > 0 {
		return Account{}, &Error{Op: op, Code: CodeRateLimited, Wait: wait}
	}
	for range recordTries {
		id, err := s.nextID(ctx)
		if err != nil {
			return Account{}, err
		}
		name := names.Guest(wanted, id)
		r := record{Name: name, Show: name, ID: id, Expires: now.Add(s.cfg.GuestLife).UTC()}
		// The list of guests first: the sweep, which goes by it, must not miss one.
		if err := s.write(ctx, bucketGuests, name, r.Expires, 0); err != nil {
			return Account{}, err
		}
		a, err := s.create(ctx, op, r)
		if err == nil {
			s.guests.Add(1)
		}
		if !Is(err, CodeTaken) && !Is(err, CodeLooksAlike) { // By somebody's name that looks like a guest's.
			return a, err
		}
	}
	return Account{}, refuse(op, CodeTooMany)
}

// prolong has a guest live on from now.
func (s *Service) prolong(ctx context.Context, r *record) error {
	now := time.Now().UTC()
	if r.Expires.IsZero() || r.Expires.Sub(now) > s.cfg.GuestLife-usedStep {
		return nil
	}
	return change(ctx, s, bucketAccounts, names.Look(r.Name), func(r *record, found bool) error {
		if !found || r.ended(now) {
			return errUnchanged
		}
		r.Expires = now.Add(s.cfg.GuestLife)
		return nil
	})
}

// Sweep forgets the guests whose time is over, and all that was theirs but what they have said. Those for whom online, if it
// is not nil, says true live on. gone, if it is not nil, has whoever else keeps something of an account that is no more forget
// that; it may be called again for the same. The server calls Sweep now and then; it may run on several servers.
func (s *Service) Sweep(ctx context.Context, online func(name string) bool, gone func(ctx context.Context, name string) error) error {
	guests, err := s.cfg.Engine.List(ctx, bucketGuests, "")
	if err != nil {
		return err
	}
	left := int64(0)
	var errs []error
	for _, en := range guests {
		ended, err := s.sweepOne(ctx, en, online, gone)
		if err != nil {
			errs = append(errs, err)
		}
		if !ended {
			left++
		}
	}
	s.guests.Store(left)
	return errors.Join(errs...)
}

// sweepOne forgets one guest if its time is over.
func (s *Service) sweepOne(
	ctx context.Context, en chat.Entry, online func(string) bool, gone func(context.Context, string) error,
) (ended bool, err error) {
	name := en.Key
	var r record
	_, found, err := s.read(ctx, bucketAccounts, names.Look(name), &r)
	now := time.Now()
	switch {
	case err != nil:
		return false, err
	case !found || r.Name != name:
		// It was not made in the end, or not forgotten to the end, or is being made now: then it has time.
		if expires, err := decode[time.Time](bucketGuests, en); err != nil || now.Before(expires) {
			return false, err
		}
		return true, s.unlistGuest(ctx, name, gone)
	case !r.ended(now):
		return false, nil
	case online != nil && online(name):
		return false, s.revive(ctx, name)
	}
	return true, s.forget(ctx, name, gone)
}

// revive is prolong for a guest whose time is over but who is here.
func (s *Service) revive(ctx context.Context, name string) error {
	return change(ctx, s, bucketAccounts, names.Look(name), func(r *record, found bool) error {
		if !found || r.Name != name {
			return errUnchanged
		}
		r.Expires = time.Now().Add(s.cfg.GuestLife).UTC()
		return nil
	})
}

// forget removes all that is stored of an account. The account itself goes after what belongs to it and before the entry in
// the list of guests, so that what is left over when this is interrupted is found again.
func (s *Service) forget(ctx context.Context, name string, gone func(context.Context, string) error) error {
	err := s.revokeAll(ctx, name, "")
	if err == nil {
		err = s.unlistTokens(ctx, name)
	}
	if err == nil {
		err = s.removeContacts(ctx, name)
	}
	for _, bucket := range []string{bucketProfiles, bucketContacts, bucketContactOf, bucketBlocks, bucketQuota} {
		if err == nil {
			err = s.remove(ctx, bucket, name)
		}
	}
	if err == nil {
		err = s.remove(ctx, bucketAccounts, names.Look(name))
	}
	if err == nil {
		err = s.unlistGuest(ctx, name, gone)
	}
	return err
}

// unlistGuest is the end of forgetting an account that is no more.
func (s *Service) unlistGuest(ctx context.Context, name string, gone func(context.Context, string) error) error {
	if gone != nil {
		if err := gone(ctx, name); err != nil {
			return err
		}
	}
	return s.remove(ctx, bucketGuests, name)
}
