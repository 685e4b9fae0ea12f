package im

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/session"
)

// A member is a user who is logged in. It is the core's Receiver and Correspondent for it.
type member struct {
	front   *Front
	hub     *chat.Hub
	out     *out
	session *session.Session
	account account.Account // Constant.
	end     func(error)     // Has the session end. Constant.
	device  *chat.Device    // Set before start, constant after.
	counter uint64          // Of its messages. Owned by the session's goroutine.
	reads   reads

	working sync.WaitGroup // The goroutine that reads logs. stop waits for it.
	ctx     context.Context
	cancel  context.CancelFunc // Ends that.

	mu      sync.Mutex
	ready   bool                 // Changes of presence are shown. Guarded by mu, like all that follows.
	stopped bool                 // No goroutine is started any more.
	works   bool                 // One runs.
	away    map[string]bool      // People who are there, but away. nil: nobody is.
	news    map[string]time.Time // Since when people are there or not of whom the user was told in the last newsAge.
	blocked map[string]bool      // Whom the user has blocked.
	invites []invite             // Who asks for a private connection.
	talks   map[string]*talk     // Direct conversations, by log.
	todo    []*talk              // Those of which something is to be read.
}

func newMember(c *conn, who account.Account) *member {
	m := &member{
		front: c.front, hub: c.hub, out: c.out, session: c.session, account: who, end: c.end,
		blocked: make(map[string]bool), talks: make(map[string]*talk),
	}
	// The session outlives what runs for it: stop waits.
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.reads.write = m.markRead
	c.out.sent = m.reads.note
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
	case chat.KindProfile:
		if ev.Text == account.PasswordChanged.String() { // By another program: this protocol has no words for it.
			m.end(ErrPassword)
		}
	case chat.KindBlocked, chat.KindUnblocked:
		m.mu.Lock()
		defer m.mu.Unlock()
		if delete(m.blocked, ev.About); ev.Kind == chat.KindBlocked {
			m.blocked[ev.About] = true
		}
	}
}

// presence shows that somebody came or went.
func (m *member) presence(ev *chat.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state, wasAway := chat.Presence(ev.Number), m.away[ev.Account]
	switch {
	case state != chat.Away:
		delete(m.away, ev.Account)
	case m.away == nil:
		m.away = map[string]bool{ev.Account: true}
	default:
		m.away[ev.Account] = true
	}
	switch {
	case !m.isNewsLocked(ev) || state == chat.Away || wasAway && state == chat.Online:
	case state == chat.Offline:
		m.out.notice(oneLine(ev.Name) + " has logged out\n")
	default:
		m.out.notice(oneLine(ev.Name) + " has logged in\n")
	}
}

// isNewsLocked reports whether somebody's presence has changed now. What the core tells because of a block is no news, and
// the one who is blocked is not to notice (PROTOCOL.md 3.5): it has been so for a while, or since a moment the user knows.
// Nothing is kept about people who are simply there, since every user would keep it about every other.
func (m *member) isNewsLocked(ev *chat.Event) bool {
	if !m.ready || time.Since(ev.Time) >= newsAge || m.news[ev.Account].Equal(ev.Time) {
		return false
	}
	maps.DeleteFunc(m.news, func(_ string, since time.Time) bool { return time.Since(since) >= newsAge })
	if m.news == nil {
		m.news = make(map[string]time.Time)
	}
	m.news[ev.Account] = ev.Time
	return true
}

// hasBlocked reports whether the user has blocked an account.
func (m *member) hasBlocked(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blocked[name]
}

// stop ends what runs for the user, who from now on has no files.
func (m *member) stop() {
	m.front.files.forget(m)
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
