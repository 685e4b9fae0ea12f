package account

import (
	"context"
	"slices"
)

// blocksRecord is whom an account has blocked, in the order of names.
type blocksRecord struct {
	Names []string `json:"names"`
}

// Block has an account block another one. It refuses with CodeSelf, CodeNoAccount or CodeTooMany. Blocking again does nothing.
func (s *Service) Block(ctx context.Context, name, peer string) error {
	const op = "block"
	self, other, err := s.pair(ctx, op, name, peer)
	if err != nil {
		return err
	}
	changed := false
	err = change(ctx, s, bucketBlocks, self, func(b *blocksRecord, _ bool) error {
		i, found := slices.BinarySearch(b.Names, other)
		changed = !found
		switch {
		case found:
			return errUnchanged
		case len(b.Names) >= blocksMax:
			return refuse(op, CodeTooMany)
		}
		b.Names = slices.Insert(b.Names, i, other)
		return nil
	})
	if err == nil && changed {
		s.tell(ctx, Change{Account: self, Kind: Blocked, Peer: other})
	}
	return err
}

// Unblock takes back Block. It refuses with CodeSelf, CodeNoAccount (there cannot be one of that name) or CodeNotFound (it is
// not blocked).
func (s *Service) Unblock(ctx context.Context, name, peer string) error {
	const op = "unblock"
	self, err := canonicalName(op, name)
	if err != nil {
		return err
	}
	other, err := canonicalName(op, peer)
	switch {
	case err != nil:
		return err
	case other == self:
		return refuse(op, CodeSelf)
	}
	err = change(ctx, s, bucketBlocks, self, func(b *blocksRecord, _ bool) error {
		i, found := slices.BinarySearch(b.Names, other)
		if !found {
			return refuse(op, CodeNotFound)
		}
		b.Names = slices.Delete(b.Names, i, i+1)
		return nil
	})
	if err == nil {
		s.tell(ctx, Change{Account: self, Kind: Unblocked, Peer: other})
	}
	return err
}

// Blocked returns whom an account has blocked: canonical names in order. It is one read of one record.
func (s *Service) Blocked(ctx context.Context, name string) ([]string, error) {
	self, err := canonicalName("list blocks", name)
	if err != nil {
		return nil, err
	}
	var b blocksRecord
	_, _, err = s.read(ctx, bucketBlocks, self, &b)
	return b.Names, err
}

// Blocks reports whether an account has blocked another one.
func (s *Service) Blocks(ctx context.Context, name, peer string) (bool, error) {
	blocked, err := s.Blocked(ctx, name)
	if err != nil {
		return false, err
	}
	other, err := canonicalName("list blocks", peer)
	return err == nil && isIn(blocked, other), nil
}
