package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"udpchat/chat"
	"udpchat/chat/names"
	"udpchat/chat/passwd"
)

// An Attempt is where somebody comes from who wants to register or to log in.
type Attempt struct {
	// From is the address of the client. The zero value is somebody who is trusted, such as a command on the server itself.
	From netip.Addr

	// NameLock, if not 0, locks the name for that long after three wrong passwords in a row with a NameLock, from wherever,
	// for log-ins with a NameLock, in place of the lock for the network.
	NameLock time.Duration
}

// Register makes an account. name is how its owner writes it. It refuses with CodeNotOpen, CodeBadName, CodeBadPassword,
// CodeTaken, CodeLooksAlike, CodeRateLimited or CodeBusy.
func (s *Service) Register(ctx context.Context, at Attempt, name string, secret passwd.Secret) (Account, error) {
	const op = "register"
	if !s.cfg.Open {
		return Account{}, refuse(op, CodeNotOpen)
	}
	canonical, err := names.NewAccount(name, s.cfg.AnyScript)
	if err != nil {
		return Account{}, refuseName(op, err)
	}
	// Before the work of a hash, and before a place of the network's is used up.
	if err := s.free(ctx, op, canonical); err != nil {
		return Account{}, err
	}
	if wait := s.spenders.spend(time.Now(), at.From, registering); wait > 0 {
		return Account{}, &Error{Op: op, Code: CodeRateLimited, Wait: wait}
	}
	verifier, err := s.hasher.Hash(ctx, secret)
	if err != nil {
		return Account{}, explainHash(op, err)
	}
	return s.create(ctx, op, record{Name: canonical, Show: name, Verifier: verifier})
}

// free returns nil if an account of that name could be made, or CodeTaken or CodeLooksAlike.
func (s *Service) free(ctx context.Context, op, canonical string) error {
	var r record
	_, found, err := s.read(ctx, bucketAccounts, names.Look(canonical), &r)
	switch {
	case err != nil || !found:
		return err
	case r.Name == canonical:
		return refuse(op, CodeTaken)
	}
	return refuse(op, CodeLooksAlike)
}

// create stores a new account and gives it a number.
func (s *Service) create(ctx context.Context, op string, r record) (Account, error) {
	if r.ID == 0 {
		id, err := s.nextID(ctx)
		if err != nil {
			return Account{}, err
		}
		r.ID = id
	}
	r.Created = time.Now().UTC()
	// The number first: one that leads nowhere is seen to do so, an account without would never be found by it.
	if _, err := s.cfg.Engine.Put(ctx, bucketIDs, idKey(r.ID), []byte(r.Name), 0); err != nil {
		return Account{}, fmt.Errorf("account: %s: %w", op, err)
	}
	err := s.write(ctx, bucketAccounts, names.Look(r.Name), r, 0)
	if err == nil {
		return r.account(), nil
	}
	if errors.Is(err, chat.ErrConflict) {
		// Somebody was quicker.
		if taken := s.free(ctx, op, r.Name); taken != nil {
			err = taken
		}
	}
	return Account{}, err
}

// nextID returns a number that nobody else has got or will get. Many who come at the same moment, as after a restart, would
// all change one record; so whoever changes it takes some for the others, too.
func (s *Service) nextID(ctx context.Context) (uint64, error) {
	var id, taken uint64
	err := change(ctx, s, bucketLast, "number", func(last *uint64, _ bool) error {
		if id = s.numbers.next(); id != 0 {
			return errUnchanged
		}
		*last += numbersAtOnce
		taken = *last
		return nil
	})
	if err != nil || id != 0 {
		return id, err
	}
	return s.numbers.add(taken-numbersAtOnce+1, taken), nil
}

// numbers are those that this server may give out.
type numbers struct {
	mu    sync.Mutex
	spare []uint64 // Guarded by mu.
}

// next takes a number, 0 if there is none.
func (n *numbers) next() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.spare) == 0 {
		return 0
	}
	id := n.spare[0]
	n.spare = n.spare[1:]
	return id
}

// add puts all from first to last in stock, but the one that it returns.
func (n *numbers) add(first, last uint64) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id := first + 1; id <= last; id++ {
		n.spare = append(n.spare, id)
	}
	return first
}
