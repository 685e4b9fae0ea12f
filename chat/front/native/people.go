package native

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/native"
)

// presence carries out Presence.
func (l *login) presence(m wire.Presence) error {
	state := chat.Online
	if m.State == wire.StateAway {
		state = chat.Away
	}
	return l.device.SetPresence(state)
}

func stateOf(p chat.Presence) wire.State {
	switch p {
	case chat.Online:
		return wire.StateOnline
	case chat.Away:
		return wire.StateAway
	case chat.Offline:
	}
	return wire.StateOffline
}

// who carries out Who.
func (l *login) who(ctx context.Context, m wire.Who) (wire.Reply, error) {
	if m.Log == "" {
		return people(l.device.Online(), m.Skip), nil
	}
	list, err := l.device.Who(ctx, m.Log)
	return people(list, m.Skip), err
}

// since carries out Since.
func (l *login) since(m wire.Since) wire.Reply {
	return people(l.device.Since(m.Ago.Duration()), m.Skip)
}

// people makes an answer of persons, as many as it may have, without the first ones.
func people(list []chat.Person, skip uint64) wire.People {
	var p wire.People
	list = list[min(skip, uint64(len(list))):]
	p.More = len(list) > peopleMax
	for _, who := range list[:min(len(list), peopleMax)] {
		p.People = append(p.People, personOf(who))
	}
	return p
}

func personOf(who chat.Person) wire.Person {
	p := wire.Person{
		Account: who.Account, Show: showOf(who.Name, who.Account), State: stateOf(who.State), Visitor: uint64(who.User),
		Since: wire.At(who.Arrived),
	}
	if who.State == chat.Offline {
		p.Since = wire.At(who.Seen)
	}
	return p
}

// contacts carries out Contacts: all three lists in one, with who of them is there.
func (l *login) contacts(ctx context.Context, m wire.Contacts) (wire.Reply, error) {
	lists, err := l.front.cfg.Accounts.Lists(ctx, l.account)
	if err != nil {
		return nil, err
	}
	all := make(map[string]wire.Contact)
	for bits, names := range map[wire.Contact][]string{
		wire.ContactMine | wire.ContactTheirs: lists.Mutual, wire.ContactMine: lists.Pending, wire.ContactTheirs: lists.Requesting,
	} {
		for _, name := range names {
			all[name] = bits
		}
	}
	there := make(map[string]chat.Person)
	for _, who := range l.device.Since(contactSince) {
		there[who.Account] = who
	}
	var list wire.People
	size := 0
	for _, name := range behind(all, m) {
		who := wire.Person{Account: name}
		if all[name]&wire.ContactMine != 0 { // Whoever only asks to be a contact shows nothing by that, and is told nothing.
			if seen, ok := there[name]; ok {
				who = personOf(seen)
			}
		}
		who.Contact = all[name]
		if size += personBytes + len(name) + len(who.Show); len(list.People) == peopleMax || size > contactsBytes {
			list.More = true
			break
		}
		list.People = append(list.People, who)
	}
	return list, nil
}

// behind returns those of contacts that are asked for, in the order in which they are listed: nobody's requests push out whom the
// account has added.
func behind(all map[string]wire.Contact, m wire.Contacts) []string {
	order := func(a string, aBits wire.Contact, b string, bBits wire.Contact) int {
		return cmp.Or(cmp.Compare(bBits&wire.ContactMine, aBits&wire.ContactMine), cmp.Compare(a, b))
	}
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return order(a, all[a], b, all[b]) })
	if m.After == "" {
		return names
	}
	return slices.DeleteFunc(names, func(name string) bool { return order(name, all[name], m.After, m.Contact) <= 0 })
}

// removeContact carries out RemoveContact. Removing whom one does not have does nothing.
func (l *login) removeContact(ctx context.Context, m wire.RemoveContact) error {
	return unless(account.CodeNotFound, l.front.cfg.Accounts.RemoveContact(ctx, l.account, m.Name))
}

// unblock carries out Unblock. Unblocking whom one has not blocked does nothing.
func (l *login) unblock(ctx context.Context, m wire.Unblock) error {
	return unless(account.CodeNotFound, l.front.cfg.Accounts.Unblock(ctx, l.account, m.Name))
}

// unless returns err, but nil if it is a refusal with that code.
func unless(code account.Code, err error) error {
	if account.Is(err, code) {
		return nil
	}
	return err
}

// whisper carries out Whisper. It returns when one of those it is for has it.
func (l *login) whisper(ctx context.Context, m wire.Whisper) error {
	receipt, err := l.device.Whisper(m.Name, m.Text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, whisperTimeout)
	defer cancel()
	err = receipt.Wait(ctx)
	switch {
	case errors.Is(err, chat.ErrNotTaken):
		return refusef(wire.CodeNotThere, "nobody of that name has taken it")
	case errors.Is(err, context.DeadlineExceeded):
		return refusef(wire.CodeNotThere, "nobody of that name has said in time that it came")
	}
	return err
}

// blocked carries out Blocked.
func (l *login) blocked(ctx context.Context) (wire.Reply, error) {
	names, err := l.front.cfg.Accounts.Blocked(ctx, l.account)
	slices.Sort(names)
	return wire.Names{Names: names}, err
}
