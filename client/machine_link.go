package client

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"udpchat/chat/wire/native"
)

// prologue is what a session of the native protocol begins with (SPEC.md 2.1).
const prologue = "UC1\n"

// connected notes that there is a connection. Who we are is said at once, without waiting for the answer to Hello.
func (m *machine) connected(now time.Time, transport, address string) {
	m.phase, m.transport, m.address, m.began, m.heard = greeting, transport, address, now, now
	m.greeted, m.quiet, m.verdict = false, time.Time{}, verdict{}
	m.pinged, m.pause = now, pingFirst
	m.out = append(m.out[:0], prologue...)
	m.send(now, &request{
		what: native.Hello{
			Version: native.Version, VersionMin: native.VersionMin, Capabilities: native.CanFiles | native.CanPrivate,
			Sent: native.At(now), Agent: m.cfg.Agent,
		},
		settle: func(heard time.Time, reply native.Reply, err error) { m.welcomed(now, heard, reply, err) },
	})
	login, err := m.logIn()
	if err != nil {
		m.verdict = verdict{drop: true, err: err, final: true}
		return
	}
	m.send(now, &request{what: login, settle: func(now time.Time, reply native.Reply, err error) { m.loggedIn(now, login, reply, err) }})
}

// welcomed takes the answer to Hello.
func (m *machine) welcomed(asked, heard time.Time, reply native.Reply, err error) {
	if w, ok := reply.(native.Welcome); ok && err == nil {
		m.welcome = w
		m.clock.exchange(asked, w.Received.Time(), w.Answered.Time(), heard)
		return
	}
	if e, refused := errors.AsType[native.Error](err); refused {
		m.verdict = verdict{drop: true, err: err, final: e.Code == native.CodeVersion, wait: e.RetryAfter.Duration()}
	}
}

// logIn returns how we say who we are: by the token of the State, else by name and password.
func (m *machine) logIn() (native.Request, error) {
	c := &m.cfg
	if saved := m.numbers.loaded(); saved.Token != "" && (c.Account == "" || c.Account == saved.Name) {
		return native.LogIn{Token: saved.Token, WatchAll: c.WatchAll}, nil
	}
	switch {
	case c.Account == "":
		return nil, ErrNoAccount
	case c.Guest:
		return native.Guest{Name: c.Account, Label: c.Label, WatchAll: c.WatchAll}, nil
	case c.Register && !m.registered:
		return native.Register{Name: c.Account, Password: c.Password, Label: c.Label, WatchAll: c.WatchAll}, nil
	case c.Password == "":
		return nil, ErrNoAccount
	}
	return native.LogIn{Name: c.Account, Password: c.Password, Label: c.Label, WatchAll: c.WatchAll}, nil
}

// loggedIn takes the answer to a log-in.
func (m *machine) loggedIn(now time.Time, how native.Request, reply native.Reply, err error) {
	l, ok := reply.(native.LoggedIn)
	if err != nil || !ok {
		m.notLoggedIn(how, err)
		return
	}
	m.account, m.show, m.device, m.own = l.Account, l.Show, l.Device, l.Own
	m.registered = true
	if err := m.numbers.become(m.cfg.Account, l); err != nil {
		m.verdict = verdict{drop: true, err: err, final: true} // Without a State numbers would be used twice.
		return
	}
	for _, msg := range m.outbox.become(l.Device) {
		m.tell(msg)
	}
	m.phase, m.upSince = up, now
	away := time.Duration(0)
	if !m.lostAt.IsZero() {
		away = now.Sub(m.lostAt)
	}
	m.queue.add(Online{Transport: m.transport, Address: m.address, Away: away})
	if l.Own != "" {
		m.follow(l.Own, "", 0)
	}
	m.listConversations(now, nil, "")
	m.advance(now)
}

// listConversations asks for the logs of the account that come behind after, and on until it has all of them.
func (m *machine) listConversations(now time.Time, had []native.Conversation, after string) {
	m.send(now, &request{what: native.Conversations{After: after}, settle: func(now time.Time, reply native.Reply, err error) {
		list, ok := reply.(native.ConversationList)
		if err != nil || !ok {
			return // Logs that are followed are resumed all the same.
		}
		had = append(had, list.Conversations...)
		if n := len(list.Conversations); list.More && n > 0 && len(had) <= conversationsMax {
			m.listConversations(now, had, list.Conversations[n-1].Log)
			return
		}
		m.conversations(now, had)
	}})
}

// notLoggedIn decides whether there is another way in.
func (m *machine) notLoggedIn(how native.Request, err error) {
	_, registering := how.(native.Register)
	e, refused := errors.AsType[native.Error](err)
	if !refused {
		m.registerLost = m.registerLost || registering
		m.verdict.drop = true
		return // Another connection may do.
	}
	m.verdict = verdict{drop: true, err: err, wait: e.RetryAfter.Duration(), final: true}
	switch e.Code {
	case native.CodeRateLimited, native.CodeUnavailable, native.CodeShuttingDown, native.CodeInternal:
		m.verdict.final = false
	case native.CodeBadToken:
		// Revoked, or of a guest whose time is over: as if we had never been here, if we know how that goes.
		if m.cfg.Account != "" && (m.cfg.Password != "" || m.cfg.Guest) && m.numbers.become(m.cfg.Account, native.LoggedIn{}) == nil {
			m.verdict.final = false
		}
	case native.CodeNameTaken:
		// By ourselves, if the answer to an earlier Register was lost: then the password is right.
		if registering && m.registerLost {
			m.registered, m.verdict.final = true, false
		}
	}
	if m.verdict.final && m.account != "" {
		m.verdict.err = errors.Join(ErrLoggedOut, err)
	}
}

// conversations takes the list of all logs of the account. Direct conversations are followed from where the user has read
// them, the first time from their beginning; rooms only if the program wants to, and the first time only their newest.
func (m *machine) conversations(now time.Time, list []native.Conversation) {
	if len(list) > logsMax { // What is new must not be left out.
		slices.SortStableFunc(list, func(a, b native.Conversation) int { return cmp.Compare(unread(b), unread(a)) })
	}
	for _, c := range list {
		if c.Log == m.own || c.Peer == "" && !m.cfg.AllRooms || m.logs[c.Log] != nil {
			continue
		}
		f := m.follow(c.Log, c.Peer, pageEvents)
		if f == nil {
			continue
		}
		f.unread = c.Peer != ""
		if c.Epoch != "" && (f.unread || c.Mark > 0) {
			f.epoch, f.cursor = c.Epoch, c.Mark
		}
	}
	m.advance(now)
}

// unread is 1 if there is something new.
func unread(c native.Conversation) int {
	if c.Head > c.Mark {
		return 1
	}
	return 0
}

// follow begins to follow a log, nil if there are too many.
func (m *machine) follow(log, peer string, history int) *follower {
	if f := m.logs[log]; f != nil {
		return f
	}
	if len(m.logs) >= logsMax {
		return nil
	}
	f := &follower{log: log, peer: peer, history: history, give: m.give}
	m.logs[log] = f
	m.names = append(m.names, log)
	return f
}

// unfollow ends following a log.
func (m *machine) unfollow(log string) {
	delete(m.logs, log)
	m.names = slices.DeleteFunc(m.names, func(n string) bool { return n == log })
	m.marks.forget(log)
}

// lost notes that the connection has ended, and why; nil: because we wanted to.
func (m *machine) lost(now time.Time, err error) {
	wasUp := m.phase >= up
	if m.phase == down {
		return
	}
	since := now
	if !m.quiet.IsZero() {
		since = m.quiet // It was lost when the server fell silent.
	}
	m.phase, m.quiet, m.out = down, time.Time{}, nil
	if wasUp {
		m.lostAt = since
		if err != nil {
			m.queue.add(Offline{Err: err})
		}
	}
	m.outbox.lost()
	for id, msg := range m.says {
		delete(m.says, id)
		m.tell(msg)
	}
	for _, f := range m.logs {
		f.lost()
	}
	var again []*request
	for _, id := range m.order {
		r, ok := m.pending[id]
		if !ok {
			continue
		}
		if r.again {
			again = append(again, r)
			continue
		}
		defer r.settle(now, nil, ErrLost) // When everything else is as it should be.
	}
	m.waiting = append(again, m.waiting...)
	clear(m.pending)
	m.order = nil
}

// end fails everything that waits.
func (m *machine) end(now time.Time, err error) {
	m.lost(now, err)
	m.verdict = verdict{drop: true, err: err, final: true}
	waiting := m.waiting
	m.waiting = nil
	for _, r := range waiting {
		r.settle(now, nil, err)
	}
	for _, msg := range m.outbox.end(err) {
		m.tell(msg)
	}
}
