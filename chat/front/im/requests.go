package im

import (
	"context"
	"errors"
	"strings"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/im"
)

// message says something to one user, who is there or reads it at the next log-in (PROTOCOL.md 3.3).
func (m *member) message(ctx context.Context, r wire.Message) wire.Reply {
	to, err := m.front.cfg.Accounts.Lookup(ctx, r.To)
	switch {
	case account.Is(err, account.CodeNoAccount):
		return m.whisper(ctx, r)
	case err != nil:
		return m.front.unforeseen(ctx, err)
	case to.Name == m.account.Name:
		return refused(textMessageSelf)
	case m.hasBlocked(to.Name):
		return refused(textBlocking)
	}
	m.counter++
	if _, err := m.device.Say(ctx, chat.DirectLog(m.account.Name, to.Name), m.counter, chat.Content{Text: r.Text}); err != nil {
		return m.front.sayRefused(ctx, err)
	}
	return ok("")
}

// whisper says something to visitors of that name, who have no accounts and only hear what is said while they are here.
func (m *member) whisper(ctx context.Context, r wire.Message) wire.Reply {
	if _, err := m.device.Whisper(r.To, oneLine(r.Text)); err != nil {
		return m.front.sayRefused(ctx, err)
	}
	return ok("")
}

// broadcast says something in the room where everybody is (PROTOCOL.md 3.3).
func (m *member) broadcast(ctx context.Context, r wire.Broadcast) wire.Reply {
	m.counter++
	_, err := m.device.Say(ctx, m.front.cfg.Room, m.counter, chat.Content{Text: r.Text})
	if e, is := errors.AsType[*chat.Error](err); is && e.Code == chat.CodeNotMember {
		// Another device of the account has left it.
		if _, err = m.device.Join(ctx, m.front.cfg.Room); err == nil {
			_, err = m.device.Say(ctx, m.front.cfg.Room, m.counter, chat.Content{Text: r.Text})
		}
	}
	switch {
	case err != nil:
		return m.front.sayRefused(ctx, err)
	case m.device.Shunned(m.front.cfg.Room):
		return ok(textSome)
	}
	return ok("")
}

// whoElse lists who else is there: accounts, then the visitors of the room.
func (m *member) whoElse(ctx context.Context) wire.Reply {
	here, err := m.device.Who(ctx, m.front.cfg.Room)
	if e, is := errors.AsType[*chat.Error](err); err != nil && !(is && e.Code == chat.CodeNotMember) {
		return m.front.unforeseen(ctx, err)
	}
	list := m.device.Online()
	for _, p := range here {
		if p.User != 0 {
			list = append(list, p)
		}
	}
	return m.list(list)
}

// whoElseSince lists whoever else was there within a time, or is.
func (m *member) whoElseSince(r wire.WhoElseSince) wire.Reply {
	ago := sinceMax
	if r.Seconds < int64(sinceMax/time.Second) {
		ago = time.Duration(r.Seconds) * time.Second
	}
	return m.list(m.device.Since(ago))
}

// list is people but for the user, one in each line.
func (m *member) list(people []chat.Person) wire.Reply {
	var b strings.Builder
	seen := map[string]bool{}
	for _, p := range people {
		if p.Account == m.account.Name || seen[p.Name] {
			continue
		}
		seen[p.Name] = true
		b.WriteString(oneLine(p.Name) + "\n")
	}
	return ok(b.String())
}

// block has the server keep a user away from this one (PROTOCOL.md 3.5).
func (m *member) block(ctx context.Context, name string) wire.Reply {
	who, err := m.front.cfg.Accounts.Lookup(ctx, name)
	switch {
	case account.Is(err, account.CodeNoAccount):
		return refusedf("Error. %s cannot be found\n", oneLine(name))
	case err != nil:
		return m.front.unforeseen(ctx, err)
	case who.Name == m.account.Name:
		return refused(textBlockSelf)
	case m.hasBlocked(who.Name):
		return refusedf("Error. %s is already blocked\n", who.Show)
	}
	if err := m.front.cfg.Accounts.Block(ctx, m.account.Name, who.Name); err != nil {
		if account.Is(err, account.CodeTooMany) {
			return refused("Error. You have blocked too many users\n")
		}
		return m.front.unforeseen(ctx, err)
	}
	return ok(who.Show + " is blocked\n")
}

// unblock takes back block.
func (m *member) unblock(ctx context.Context, name string) wire.Reply {
	who, err := m.front.cfg.Accounts.Lookup(ctx, name)
	switch {
	case account.Is(err, account.CodeNoAccount):
		return refusedf("Error. %s cannot be found\n", oneLine(name))
	case err != nil:
		return m.front.unforeseen(ctx, err)
	case who.Name == m.account.Name:
		return refused(textUnblockSelf)
	}
	err = m.front.cfg.Accounts.Unblock(ctx, m.account.Name, who.Name)
	switch {
	case account.Is(err, account.CodeNotFound):
		return refusedf("Error. %s was not blocked\n", who.Show)
	case err != nil:
		return m.front.unforeseen(ctx, err)
	}
	return ok(who.Show + " is unblocked\n")
}
