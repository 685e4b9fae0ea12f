package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"udpchat/chat"
	"udpchat/chat/names"
	"udpchat/chat/passwd"
)

// LogIn checks a password. It refuses with CodeDenied, CodeLocked, CodeRateLimited or CodeBusy; answers, work and locks are
// the same whether there is an account of that name or not.
func (s *Service) LogIn(ctx context.Context, at Attempt, name string, secret passwd.Secret) (Account, error) {
	const op = "log in"
	r, rev, err := s.check(ctx, op, at, name, secret)
	if err != nil {
		return Account{}, err
	}
	if rev != 0 {
		s.upgrade(ctx, *r, rev, secret)
	}
	return r.account(), nil
}

// check returns the account if secret is its password. rev is its revision if its verifier should be made anew, else 0.
func (s *Service) check(ctx context.Context, op string, at Attempt, name string, secret passwd.Secret) (*record, uint64, error) {
	look := "" // Names too long for an account are one, so that they are no way to fill our memory.
	if len(name) <= names.AccountBytesMax {
		look = names.Look(name)
	}
	if wait := s.spenders.left(time.Now(), at.From, guessing); wait > 0 {
		return nil, 0, &Error{Op: op, Code: CodeRateLimited, Wait: wait}
	}
	try, err := s.attempts.begin(ctx, look, at)
	if err != nil {
		return nil, 0, withOp(op, err)
	}
	r, rev, result, err := s.verify(ctx, name, secret)
	if err != nil {
		try.abandon()
		return nil, 0, explainHash(op, err)
	}
	if result == passwd.Wrong {
		s.spenders.spend(time.Now(), at.From, guessing)
		left, wait := try.wrong(time.Now())
		if left == 0 {
			s.log.Info("log-in locked", "user", look, "peer", at.From, "dur", wait)
		}
		return nil, 0, &Error{Op: op, Code: CodeDenied, Left: left, Wait: wait}
	}
	try.right()
	if result != passwd.Upgrade {
		rev = 0
	}
	return r, rev, nil
}

// verify does the same work whoever is asked for.
func (s *Service) verify(ctx context.Context, name string, secret passwd.Secret) (*record, uint64, passwd.Result, error) {
	r, rev, err := s.find(ctx, name)
	if err != nil {
		return nil, 0, passwd.Wrong, err
	}
	if r == nil || r.Verifier == "" {
		return nil, 0, passwd.Wrong, s.hasher.Idle(ctx, secret)
	}
	result, err := s.hasher.Verify(ctx, r.Verifier, secret)
	return r, rev, result, err
}

// upgrade stores a verifier of today's costs. If that does not work now, the next log-in does it.
func (s *Service) upgrade(ctx context.Context, r record, rev uint64, secret passwd.Secret) {
	verifier, err := s.hasher.Hash(ctx, secret)
	if err == nil {
		r.Verifier = verifier
		err = s.write(ctx, bucketAccounts, names.Look(r.Name), r, rev)
	}
	if err != nil && !errors.Is(err, chat.ErrConflict) && !errors.Is(err, passwd.ErrBusy) {
		s.log.Warn("password not hashed anew", "err", err)
	}
}

// ChangePassword gives an account another password, if old is its password. All its devices but keep, if that is not empty,
// have to log in anew. It refuses like LogIn, and with CodeBadPassword.
func (s *Service) ChangePassword(ctx context.Context, at Attempt, name string, old, secret passwd.Secret, keep string) error {
	const op = "change password"
	r, _, err := s.check(ctx, op, at, name, old)
	if err != nil {
		return err
	}
	return s.setPassword(ctx, op, r.Name, r.Verifier, secret, keep)
}

// setPassword stores another password in place of the verifier was: if it is another one by now, it is CodeDenied.
func (s *Service) setPassword(ctx context.Context, op, name, was string, secret passwd.Secret, keep string) error {
	verifier, err := s.hasher.Hash(ctx, secret)
	if err != nil {
		return explainHash(op, err)
	}
	return s.store(ctx, op, name, was, verifier, keep)
}

// store stores a verifier, in place of was if that is not empty, and ends the tokens of all devices but keep.
func (s *Service) store(ctx context.Context, op, name, was, verifier, keep string) error {
	var era uint64
	err := change(ctx, s, bucketAccounts, names.Look(name), func(r *record, found bool) error {
		if !found || r.Name != name || was != "" && r.Verifier != was {
			return refuse(op, CodeDenied)
		}
		r.Verifier = verifier
		r.Era++ // All tokens are none from this moment on, also those that are just being made.
		era = r.Era
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.keepToken(ctx, name, keep, era); err != nil {
		return err
	}
	s.tell(ctx, Change{Account: name, Kind: PasswordChanged})
	return s.revokeAll(ctx, name, keep)
}

func withOp(op string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Op = op
		return e
	}
	return fmt.Errorf("account: %s: %w", op, err)
}
