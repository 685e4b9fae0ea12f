package im

import (
	"context"
	"net/netip"
	"slices"
	"time"

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
	target, reply := m.partner(ctx, r.Target)
	if target == nil {
		return reply
	}
	switch {
	case target == m:
		return refused(textPrivateSelf)
	case target.hasBlocked(m.account.Name):
		return refusedf("Error. Cannot establish private connection with %s, user has blocked you\n", target.account.Show)
	case m.hasBlocked(target.account.Name):
		return refusedf("Error. Cannot establish private connection with %s, you have blocked the user\n", target.account.Show)
	}
	switch {
	case r.File == "":
	case !isFileName(r.File):
		return refused(textFileName)
	case !target.hasFile(r.File):
		return refusedf("Error. %s has not registered %s\n", target.account.Show, r.File)
	}
	target.invited(m.account.Name)
	target.out.reply(inviteFor(m.account.Show, r.File))
	return nil
}

// inviteFor returns that somebody asks for a private connection, because of a file unless it is empty.
func inviteFor(origin, file string) wire.Invite {
	what := "private message"
	if file != "" {
		what = "download " + file
	}
	return wire.Invite{Message: origin + " would like to " + what + ", enter y or n: ", Origin: origin, File: file}
}

// partner returns who is logged in here by that name, or an answer.
func (m *member) partner(ctx context.Context, name string) (*member, wire.Reply) {
	who, err := m.front.cfg.Accounts.Lookup(ctx, name)
	if err != nil && !account.Is(err, account.CodeNoAccount) {
		return nil, m.front.unforeseen(ctx, err)
	}
	if p := m.front.member(who.Name); p != nil && err == nil {
		return p, nil
	}
	return nil, refusedf("Error. user %s is not found or online\n", oneLine(name))
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
	origin, reply := m.asker(ctx, r.Origin)
	if origin == nil {
		return reply
	}
	ip := place(r.IP, m.session.RemoteAddr().Addr(), origin.session.RemoteAddr().Addr(), origin.session.LocalAddr().Addr())
	origin.out.reply(wire.Connect{IP: ip, Port: r.Port, Origin: origin.account.Show, Target: m.account.Show})
	return nil
}

// decline tells the origin that this user does not want to.
func (m *member) decline(ctx context.Context, r wire.Decline) wire.Reply {
	origin, reply := m.asker(ctx, r.Origin)
	if origin == nil {
		return reply
	}
	origin.out.reply(refusedf("%s has declined your private invitation\n", m.account.Show))
	return nil
}

// asker returns who has asked by that name, or an answer: nobody is introduced to somebody who did not ask.
func (m *member) asker(ctx context.Context, name string) (*member, wire.Reply) {
	origin, reply := m.partner(ctx, name)
	switch {
	case origin == nil:
		return nil, reply
	case !m.answered(origin.account.Name):
		return nil, refusedf("Error. %s has not asked for a private connection\n", origin.account.Show)
	}
	return origin, nil
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
