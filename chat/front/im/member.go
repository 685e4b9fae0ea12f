package im

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/session"
)

// A member is a user who is logged in. It is the core's Receiver for it.
type member struct {
	front   *Front
	out     *out
	session *session.Session
	account account.Account // Constant.
	device  *chat.Device    // Set before start, constant after.
	since   time.Time       // When it came. Constant.
	counter uint64          // Of its messages. Owned by the session's goroutine.
	reads   reads

	working sync.WaitGroup // The goroutine that reads logs. stop waits for it.
	ctx     context.Context
	cancel  context.CancelFunc // Ends that.

	mu      sync.Mutex
	ready   bool             // Changes of presence are shown. Guarded by mu, like all that follows.
	stopped bool             // No goroutine is started any more.
	works   bool             // One runs.
	people  map[string]times // People of whom it matters what was heard before.
	blocked map[string]bool  // Whom the user has blocked.
	invites []invite         // Who asks for a private connection.
	talks   map[string]*talk // Direct conversations, by log.
	todo    []*talk          // Those of which something is to be read.
}

// times is what was heard of somebody: whether it is there, and since when that was so.
type times struct {
	here  bool
	since time.Time
}

func newMember(f *Front, o *out, s *session.Session, who account.Account) *member {
	m := &member{
		front: f, out: o, session: s, account: who, since: time.Now(),
		people: make(map[string]times), blocked: make(map[string]bool), talks: make(map[string]*talk),
	}
	// The session outlives what runs for it: stop waits.
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.reads.write = m.markRead
	o.sent = m.reads.note
	return m
}

// Receive implements chat.Receiver.
func (m *member) Receive(ev *chat.Event) {
	switch ev.Kind {
	case chat.KindSaid:
		switch {
		case ev.Account == m.account.Name: // By this device or another one: nobody is shown what he says.
		case ev.RoomName == m.front.cfg.Room:
			m.out.notice(shown(ev.Name, ev.Text))
		default:
			m.said(ev)
		}
	case chat.KindWhispered:
		m.out.notice(shown(ev.Name, ev.Text))
	case chat.KindJoined:
		if ev.User != 0 {
			m.out.notice(oneLine(ev.Name) + " has logged in\n")
		}
	case chat.KindLeft:
		if ev.User != 0 && ev.Reason != chat.ReasonShutdown {
			m.out.notice(oneLine(ev.Name) + " has logged out\n")
		}
	case chat.KindPresence:
		m.presence(ev)
	case chat.KindConversation:
		m.follow(chat.DirectLog(m.account.Name, ev.About))
	case chat.KindBlocked, chat.KindUnblocked:
		m.mu.Lock()
		defer m.mu.Unlock()
		if delete(m.blocked, ev.About); ev.Kind == chat.KindBlocked {
			m.blocked[ev.About] = true
		}
	}
}

// presence shows that somebody came or went. What the core tells because of a block is neither, and the one who is blocked
// is not to notice (PROTOCOL.md 3.5): such a change says that somebody is there since a moment that was known, or before the
// log-in.
func (m *member) presence(ev *chat.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	here := chat.Presence(ev.Number) != chat.Offline
	before := m.people[ev.Account]
	news := ev.Time.After(before.since) && !ev.Time.Before(m.since)
	switch {
	case !here && news:
		delete(m.people, ev.Account)
	case news || here != before.here && chat.Presence(ev.Number) != chat.Online:
		m.people[ev.Account] = times{here: here, since: ev.Time}
	}
	switch {
	case !m.ready || !news:
	case !here:
		m.out.notice(oneLine(ev.Name) + " has logged out\n")
	case !before.here && chat.Presence(ev.Number) == chat.Online: // Away is nobody who has just come.
		m.out.notice(oneLine(ev.Name) + " has logged in\n")
	}
}

// hasBlocked reports whether the user has blocked an account.
func (m *member) hasBlocked(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blocked[name]
}

// stop ends what runs for the user.
func (m *member) stop() {
	m.mu.Lock()
	m.stopped = true
	m.mu.Unlock()
	m.cancel()
	m.working.Wait()
}

// close logs the user out, after stop.
func (m *member) close(ctx context.Context) {
	defer m.front.leave(m)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	m.reads.close()
	if err := m.device.Close(ctx); err != nil {
		m.front.cfg.Logger.Warn("how far a user has read is not written down", "user", m.account.Name, "err", err)
	}
}

// shown is how a client shows what somebody says.
func shown(name, text string) string { return oneLine(name) + ": " + oneLine(text) + "\n" }

// oneLine makes a text fit for the terminal it will be printed on: a line end in it would look like somebody else's line,
// and control characters do things.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
}
