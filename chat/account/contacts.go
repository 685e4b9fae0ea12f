package account

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Lists are the contacts of one account, each in the order of names. Accounts that it has blocked are in none of them.
type Lists struct {
	Mutual     []string // It has added them and they have added it.
	Pending    []string // It has added them, and they have not answered.
	Requesting []string // They have added it, and it has not answered.
}

// contactsRecord is whom an account has added.
type contactsRecord struct {
	Added map[string]time.Time `json:"added"`
	// Unsure are those of whose contact-of it is not known whether it says so, and therefore is made so by the next read.
	Unsure []string `json:"unsure,omitempty"`
}

// contactOfRecord is who has added an account.
type contactOfRecord struct {
	By map[string]time.Time `json:"by"`
}

// AddContact has an account add another one. Added by both they are contacts, so accepting a request is this, too. It refuses
// with CodeSelf, CodeNoAccount or CodeTooMany. Adding again does nothing.
func (s *Service) AddContact(ctx context.Context, name, peer string) error {
	const op = "add a contact"
	self, other, err := s.pair(ctx, op, name, peer)
	if err != nil {
		return err
	}
	added := false
	err = change(ctx, s, bucketContacts, self, func(c *contactsRecord, _ bool) error {
		added = false
		if _, ok := c.Added[other]; ok {
			return errUnchanged
		}
		if len(c.Added) >= contactsMax {
			return refuse(op, CodeTooMany)
		}
		if c.Added == nil {
			c.Added = make(map[string]time.Time)
		}
		c.Added[other] = time.Now().UTC()
		c.unsure(other)
		added = true
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.settle(ctx, self); err != nil || !added {
		return err
	}
	s.tell(ctx, Change{Account: self, Kind: ContactAdded, Peer: other})
	return s.tellPeer(ctx, self, other)
}

// tellPeer tells the devices of other that self has added it, unless it has blocked self.
func (s *Service) tellPeer(ctx context.Context, self, other string) error {
	blocked, err := s.Blocks(ctx, other, self)
	if err != nil || blocked {
		return err
	}
	var theirs contactsRecord
	if _, _, err := s.read(ctx, bucketContacts, other, &theirs); err != nil {
		return err
	}
	kind := ContactRequested
	if _, ok := theirs.Added[self]; ok {
		kind = ContactAccepted
	}
	s.tell(ctx, Change{Account: other, Kind: kind, Peer: self})
	return nil
}

// RemoveContact takes back AddContact. It refuses with CodeNoAccount or CodeNotFound.
func (s *Service) RemoveContact(ctx context.Context, name, peer string) error {
	const op = "remove a contact"
	self, err := canonicalName(op, name)
	if err != nil {
		return err
	}
	other, err := canonicalName(op, peer)
	if err != nil {
		return err
	}
	err = change(ctx, s, bucketContacts, self, func(c *contactsRecord, _ bool) error {
		if _, ok := c.Added[other]; !ok {
			return refuse(op, CodeNotFound)
		}
		delete(c.Added, other)
		c.unsure(other)
		return nil
	})
	if err != nil {
		return err
	}
	s.tell(ctx, Change{Account: self, Kind: ContactRemoved, Peer: other})
	return s.settle(ctx, self)
}

// removeContacts takes back all that an account has added: whom nobody can answer any more must not be in the others' lists.
func (s *Service) removeContacts(ctx context.Context, self string) error {
	err := change(ctx, s, bucketContacts, self, func(c *contactsRecord, _ bool) error {
		if len(c.Added) == 0 {
			return errUnchanged
		}
		for other := range c.Added {
			c.unsure(other)
		}
		c.Added = nil
		return nil
	})
	if err != nil {
		return err
	}
	return s.settle(ctx, self)
}

// Contacts returns whom an account has added, unless it has blocked them: those whose presence it wants to know.
func (s *Service) Contacts(ctx context.Context, name string) ([]string, error) {
	lists, err := s.Lists(ctx, name)
	return append(lists.Mutual, lists.Pending...), err
}

// Lists returns the contacts of an account.
func (s *Service) Lists(ctx context.Context, name string) (Lists, error) {
	self, err := canonicalName("list contacts", name)
	if err != nil {
		return Lists{}, err
	}
	var mine contactsRecord
	var of contactOfRecord
	if _, _, err := s.read(ctx, bucketContacts, self, &mine); err != nil {
		return Lists{}, err
	}
	if len(mine.Unsure) > 0 {
		if err := s.settle(ctx, self); err != nil {
			return Lists{}, err
		}
	}
	if _, _, err := s.read(ctx, bucketContactOf, self, &of); err != nil {
		return Lists{}, err
	}
	blocked, err := s.Blocked(ctx, self)
	if err != nil {
		return Lists{}, err
	}
	var c Lists
	for _, other := range slices.Sorted(maps.Keys(mine.Added)) {
		_, back := of.By[other]
		switch {
		case isIn(blocked, other):
		case back:
			c.Mutual = append(c.Mutual, other)
		default:
			c.Pending = append(c.Pending, other)
		}
	}
	for _, other := range slices.Sorted(maps.Keys(of.By)) {
		if _, ok := mine.Added[other]; !ok && !isIn(blocked, other) {
			c.Requesting = append(c.Requesting, other)
		}
	}
	return c, nil
}

// isIn reports whether a name is among names in their order.
func isIn(names []string, name string) bool {
	_, found := slices.BinarySearch(names, name)
	return found
}

// settle makes contact-of of all of whom self is unsure say what self's contacts say.
func (s *Service) settle(ctx context.Context, self string) error {
	for range recordTries {
		var mine contactsRecord
		rev, found, err := s.read(ctx, bucketContacts, self, &mine)
		if err != nil || !found || len(mine.Unsure) == 0 {
			return err
		}
		unsure := mine.Unsure
		for _, other := range unsure {
			since, added := mine.Added[other]
			if err := s.settleOne(ctx, self, other, since, added); err != nil {
				return err
			}
		}
		mine.Unsure = nil
		if err := s.write(ctx, bucketContacts, self, mine, rev); !isConflict(err) {
			return err
		}
		// Whoever has changed it may have settled it before what we have just written.
		err = change(ctx, s, bucketContacts, self, func(c *contactsRecord, _ bool) error {
			for _, other := range unsure {
				c.unsure(other)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil // The next read goes on.
}

// settleOne makes contact-of of other say whether self has added it.
func (s *Service) settleOne(ctx context.Context, self, other string, since time.Time, added bool) error {
	return change(ctx, s, bucketContactOf, other, func(of *contactOfRecord, _ bool) error {
		_, there := of.By[self]
		switch {
		case there == added:
			return errUnchanged
		case !added:
			delete(of.By, self)
			return nil
		case len(of.By) >= requestsMax:
			return errUnchanged
		case of.By == nil:
			of.By = make(map[string]time.Time)
		}
		of.By[self] = since
		return nil
	})
}

// unsure notes that contact-of of a name may say something else.
func (c *contactsRecord) unsure(other string) {
	if !slices.Contains(c.Unsure, other) {
		c.Unsure = append(c.Unsure, other)
	}
}

// pair returns the canonical names of an account and of another one, which must exist.
func (s *Service) pair(ctx context.Context, op, name, peer string) (self, other string, err error) {
	if self, err = canonicalName(op, name); err != nil {
		return "", "", err
	}
	r, _, err := s.find(ctx, peer)
	switch {
	case err != nil:
		return "", "", err
	case r == nil:
		return "", "", refuse(op, CodeNoAccount)
	case r.Name == self:
		return "", "", refuse(op, CodeSelf)
	}
	return self, r.Name, nil
}
