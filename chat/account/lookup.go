package account

import (
	"context"
	"errors"
	"strconv"
	"time"

	"udpchat/chat"
	"udpchat/chat/names"
)

// An Account is what others may know of an account.
type Account struct {
	Name    string    // Canonical: the same for all ways to write it.
	Show    string    // As its owner writes it.
	ID      uint64    // Its number: 1, 2, …, with gaps, never given out again.
	Guest   bool      // It has no password.
	Created time.Time // In UTC.
	Expires time.Time // When a guest ends; zero for others.

	era uint64
}

// record is an account as it is stored.
type record struct {
	Name     string    `json:"name"`
	Show     string    `json:"show"`
	ID       uint64    `json:"id"`
	Verifier string    `json:"verifier,omitempty"` // Empty: a guest.
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
	Era      uint64    `json:"era,omitempty"` // How often the password was changed.
}

func (r record) account() Account {
	return Account{Name: r.Name, Show: r.Show, ID: r.ID, Guest: r.Verifier == "", Created: r.Created, Expires: r.Expires, era: r.Era}
}

// ended reports whether the account was a guest whose time is over.
func (r record) ended(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// Lookup returns the account of that name, however it is written, or CodeNoAccount.
func (s *Service) Lookup(ctx context.Context, name string) (Account, error) {
	r, _, err := s.find(ctx, name)
	if err != nil {
		return Account{}, err
	}
	if r == nil {
		return Account{}, refuse("look up", CodeNoAccount)
	}
	return r.account(), nil
}

// IsCurrent reports whether who, which a log-in has returned, is an account still, and has the password it had then.
func (s *Service) IsCurrent(ctx context.Context, who Account) (bool, error) {
	r, _, err := s.find(ctx, who.Name)
	return r != nil && r.ID == who.ID && r.Era == who.era, err
}

// Exists reports whether there is an account of that name.
func (s *Service) Exists(ctx context.Context, name string) (bool, error) {
	r, _, err := s.find(ctx, name)
	return r != nil, err
}

// ByID returns the account of that number, or CodeNoAccount.
func (s *Service) ByID(ctx context.Context, id uint64) (Account, error) {
	en, err := s.cfg.Engine.Get(ctx, bucketIDs, idKey(id))
	if errors.Is(err, chat.ErrNotFound) {
		return Account{}, refuse("look up", CodeNoAccount)
	}
	if err != nil {
		return Account{}, err
	}
	a, err := s.Lookup(ctx, string(en.Val))
	if err == nil && a.ID != id { // The number was given out, and somebody else got the name.
		return Account{}, refuse("look up", CodeNoAccount)
	}
	return a, err
}

// Reserved reports whether only the owner of an account may be called name: there is an account of that name, or one that
// looks like it. It is for people without an account. If that cannot be found out it is true.
func (s *Service) Reserved(name string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.cfg.Engine.Get(ctx, bucketAccounts, names.Look(name))
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		s.log.Warn("whether a name is an account's is not known", "err", err)
	}
	return !errors.Is(err, chat.ErrNotFound)
}

// find returns the record of an account by its name, and its revision; nil if there is no such account.
func (s *Service) find(ctx context.Context, name string) (*record, uint64, error) {
	canonical, err := names.Account(name)
	if err != nil {
		return nil, 0, nil // No account has such a name.
	}
	var r record
	rev, found, err := s.read(ctx, bucketAccounts, names.Look(canonical), &r)
	if err != nil || !found || r.Name != canonical || r.ended(time.Now()) {
		return nil, 0, err
	}
	return &r, rev, nil
}

// canonicalName returns the canonical name, or CodeNoAccount if no account can have that name.
func canonicalName(op, name string) (string, error) {
	canonical, err := names.Account(name)
	if err != nil {
		return "", refuse(op, CodeNoAccount)
	}
	return canonical, nil
}

func idKey(id uint64) string { return strconv.FormatUint(id, 10) }
