package im

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/im"
)

// An invite is that somebody asks for a private connection, until it is answered or too old.
type invite struct {
	origin string // Canonical.
	at     time.Time
}

// startPrivate asks a user for a private connection (PROTOCOL.md 4).
func (m *member) startPrivate(ctx context.Context, r wire.StartPrivate) wire.Reply {
	target, refusal := m.partner(ctx, r.Target)
	if refusal != nil {
		return refusal
	}
	switch {
	case target.who.Name == m.account.Name:
		return refused(textPrivateSelf)
	case target.here == nil && !m.hub.IsOnline(target.who.Name):
		return notOnline(r.Target)
	}
	if refusal := m.barred(ctx, target.who); refusal != nil {
		return refusal
	}
	noFile := refusedf("Error. %s has not registered %s\n", target.who.Show, r.File)
	switch {
	case r.File != "" && !isFileName(r.File):
		return refused(textFileName)
	case target.here == nil:
		err := deliver(ctx, m.hub, m.account.Name, target.who.Name, letter{Kind: letterInvite, Show: m.account.Show, File: r.File})
		if errors.Is(err, chat.ErrNotUnderstood) {
			return noFile
		}
		return m.unlessTaken(ctx, err, r.Target)
	case r.File != "" && !target.here.hasFile(r.File):
		return noFile
	}
	target.here.invite(m.account.Name, m.account.Show, r.File)
	return nil
}

// invite asks the user for a private connection with origin, who is called show.
func (m *member) invite(origin, show, file string) {
	m.invited(origin)
	m.out.reply(inviteFor(show, file))
}

// inviteFor returns that somebody asks for a private connection, because of a file unless it is empty.
func inviteFor(origin, file string) wire.Invite {
	what := "private message"
	if file != "" {
		what = "download " + file
	}
	return wire.Invite{Message: origin + " would like to " + what + ", enter y or n: ", Origin: origin, File: file}
}

// A partner is a user who may be logged in by this protocol.
type partner struct {
	who  account.Account
	here *member // nil: not at this server.
}

// partner returns the user of that name, or an answer.
func (m *member) partner(ctx context.Context, name string) (partner, wire.Reply) {
	who, err := m.front.cfg.Accounts.Lookup(ctx, name)
	switch {
	case account.Is(err, account.CodeNoAccount):
		return partner{}, notOnline(name)
	case err != nil:
		return partner{}, m.front.unforeseen(ctx, err)
	}
	return partner{who, m.front.member(who.Name)}, nil
}

func notOnline(name string) wire.Reply {
	return refusedf("Error. user %s is not found or online\n", oneLine(name))
}

// unlessTaken is the answer to a request for which a letter was sent to the user of that name: none if it was taken.
func (m *member) unlessTaken(ctx context.Context, err error, name string) wire.Reply {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, chat.ErrNotTaken):
		return notOnline(name)
	}
	return m.front.sayRefused(ctx, err)
}

// barred returns why there is to be no private connection with another user; nil: there is no reason.
func (m *member) barred(ctx context.Context, other account.Account) wire.Reply {
	for _, block := range []struct{ who, whom, text string }{
		{other.Name, m.account.Name, "user has blocked you"}, {m.account.Name, other.Name, "you have blocked the user"},
	} {
		blocked, err := m.front.cfg.Accounts.Blocks(ctx, block.who, block.whom)
		switch {
		case err != nil:
			return m.front.unforeseen(ctx, err)
		case blocked:
			return refusedf("Error. Cannot establish private connection with %s, %s\n", other.Show, block.text)
		}
	}
	return nil
}

// invited notes that somebody asks.
func (m *member) invited(origin string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invites = slices.DeleteFunc(m.invites, func(i invite) bool { return i.origin == origin })
	if len(m.invites) >= invitesMax {
		m.invites = m.invites[1:]
	}
	m.invites = append(m.invites, invite{origin: origin, at: time.Now()})
}

// answered reports whether somebody has asked, and takes that back.
func (m *member) answered(origin string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.invites, func(i invite) bool { return i.origin == origin })
	if i < 0 {
		return false
	}
	fresh := time.Since(m.invites[i].at) < inviteLife
	m.invites = slices.Delete(m.invites, i, i+1)
	return fresh
}

// accept tells the origin where this user listens.
func (m *member) accept(ctx context.Context, r wire.Accept) wire.Reply {
	origin, refusal := m.asker(ctx, r.Origin)
	if refusal != nil {
		return refusal
	}
	if refusal := m.barred(ctx, origin.who); refusal != nil {
		return refusal // One of the two has blocked the other since.
	}
	seen := m.session.RemoteAddr().Addr()
	if origin.here != nil {
		origin.here.connect(r, m.account.Show, seen)
		return nil
	}
	err := deliver(ctx, m.hub, m.account.Name, origin.who.Name, letter{
		Kind: letterAccept, Show: m.account.Show, IP: r.IP, Port: r.Port, Seen: seen.String(),
	})
	return m.unlessTaken(ctx, err, r.Origin)
}

// connect tells the user, who has asked for it, where target listens, which its server sees at an address.
func (m *member) connect(r wire.Accept, target string, seen netip.Addr) {
	ip := place(r.IP, seen, m.session.RemoteAddr().Addr(), m.session.LocalAddr().Addr())
	m.out.reply(wire.Connect{IP: ip, Port: r.Port, Origin: m.account.Show, Target: target})
}

// decline tells the origin that this user does not want to.
func (m *member) decline(ctx context.Context, r wire.Decline) wire.Reply {
	origin, refusal := m.asker(ctx, r.Origin)
	if refusal != nil {
		return refusal
	}
	if origin.here != nil {
		origin.here.declined(m.account.Show)
		return nil
	}
	err := deliver(ctx, m.hub, m.account.Name, origin.who.Name, letter{Kind: letterDecline, Show: m.account.Show})
	return m.unlessTaken(ctx, err, r.Origin)
}

// declined tells the user that target does not want to.
func (m *member) declined(target string) {
	m.out.reply(refusedf("%s has declined your private invitation\n", target))
}

// asker returns who has asked by that name, or an answer: nobody is introduced to somebody who did not ask.
func (m *member) asker(ctx context.Context, name string) (partner, wire.Reply) {
	origin, refusal := m.partner(ctx, name)
	switch {
	case refusal != nil:
		return partner{}, refusal
	case origin.here == nil && !m.hub.IsOnline(origin.who.Name):
		return partner{}, notOnline(name)
	case !m.answered(origin.who.Name):
		return partner{}, refusedf("Error. %s has not asked for a private connection\n", origin.who.Show)
	}
	return origin, nil
}

// address reads what String of an address wrote; the zero Addr if that was none.
func address(text string) netip.Addr {
	a, _ := netip.ParseAddr(text) // The zero Addr.
	return a
}

// place is the address at which the origin is to connect to the target, who says that it listens at said and who is seen by
// us at seen. The program of this protocol says 0.0.0.0, which would be the origin's own host (PROTOCOL.md 4). A target on
// our own host is seen at an address that means nothing elsewhere: the origin reaches it as it reaches us.
func place(said string, seen, origin, us netip.Addr) string {
	if ip, err := netip.ParseAddr(said); err == nil && !ip.IsUnspecified() {
		return ip.String()
	}
	if seen.Unmap().IsLoopback() && !origin.Unmap().IsLoopback() {
		seen = us
	}
	if !seen.IsValid() {
		return said
	}
	return seen.Unmap().WithZone("").String()
}
