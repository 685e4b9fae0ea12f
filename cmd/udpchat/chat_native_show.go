package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/client/clean"
)

const (
	// sharedMax is how many announced files have a number for /file get; the oldest lose theirs.
	sharedMax = 4096

	// peopleMax is of how many people is known whether they were there; beyond it they are told anew.
	peopleMax = 16_384

	// comingsMax is how many lines about people who come and go are printed within comingsSpan: in a room of thousands
	// nobody could read anything else.
	comingsMax  = 20
	comingsSpan = 10 * time.Second

	// tookMax is of how many messages /link tells how long they took.
	tookMax = 64
)

// A nativeShow is what show knows beside the client: what has not come to an end yet.
type nativeShow struct {
	u       *nativeUI
	pending map[*client.Message]time.Time // Of ours, and since when; zero: it was shown that it is.
	byID    map[string]*client.Message    // The same.
	people  map[string]native.State       // Who was there last, as far as it was told.
	comings comings
	lost    time.Time // When the connection was lost; zero: there is one.
	why     string
	told    bool // It was shown that it is lost.
}

// show prints what happens until the client has ended.
func (u *nativeUI) show() {
	s := &nativeShow{u: u, pending: make(map[*client.Message]time.Time), byID: make(map[string]*client.Message), people: make(map[string]native.State)}
	tick := time.NewTicker(nativeTick)
	defer tick.Stop()
	events := u.client.Events()
	for {
		due := tick.C
		if len(s.pending) == 0 && s.lost.IsZero() {
			due = nil // Nothing can take too long.
		}
		select {
		case ev, ok := <-events:
			if !ok {
				return
			}
			s.event(ev)
		case now := <-due:
			s.late(now)
		}
	}
}

// event prints an event.
func (s *nativeShow) event(ev client.Event) {
	u := s.u
	switch ev := ev.(type) {
	case client.Said:
		s.said(ev)
	case client.Joined, client.Left, client.Topic:
		s.note(ev)
	case client.Outgoing:
		s.outgoing(ev)
	case client.Online:
		s.online(ev)
	case client.Offline:
		s.lost, s.why, s.told = time.Now(), nativeReason(ev.Err), false
		if errors.Is(ev.Err, client.ErrDrained) {
			s.why, s.told = "", true // It was announced.
		}
	case client.Silent:
		if s.lost.IsZero() && u.interactive {
			u.out.problem(fmt.Sprintf("%s says nothing; looking for it over another connection", u.server))
		}
	case client.Retry:
		if !s.told {
			s.why = nativeReason(ev.Err)
		}
	case client.Draining:
		if u.interactive {
			u.out.event("* The server goes" + because(ev.Text) + "; we come back by ourselves.")
		}
	case client.Reload:
		u.ends.forget(ev.Log)
		u.out.event(fmt.Sprintf("* [%s] has begun anew: what was said before is gone.", shownName(placeOf(ev.Log, ev.Peer).name)))
		u.mu.Lock()
		delete(u.oldest, ev.Log)
		u.mu.Unlock()
	case client.Gone:
		u.out.event(fmt.Sprintf("* [%s] is closed to you: %s", shownName(placeOf(ev.Log, ev.Peer).name), nativeReason(ev.Err)))
	case client.Presence:
		s.presence(ev)
	case client.Private:
		u.out.event(showPrivate(ev, u.noteDirect(ev)))
	case client.Whispered:
		u.out.event(fmt.Sprintf("* %s, who has no account, says to you alone: %s", shownName(ev.Name), clean.Line(ev.Text)))
	case client.Own:
		if line := showOwn(ev); line != "" && u.interactive {
			u.out.event(line)
		}
	}
}

// presence prints who has come, gone or is away, if that is news: all of it is told again after a loss.
func (s *nativeShow) presence(ev client.Presence) {
	state, known := s.people[ev.Account]
	if state == ev.State && known || ev.State == native.StateOffline && !known {
		return
	}
	if len(s.people) >= peopleMax {
		clear(s.people)
	}
	s.people[ev.Account] = ev.State
	if s.u.interactive && ev.Account != s.u.client.Account() {
		if line := s.comings.line(time.Now(), fmt.Sprintf("* %s is %v", shownName(ev.Name()), ev.State)); line != "" {
			s.u.out.event(line)
		}
	}
}

// comings counts the lines about people who come and go since a moment.
type comings struct {
	since time.Time
	n     int
}

// line returns what is to be printed for one more line: that, or that there are too many of them, or nothing.
func (c *comings) line(now time.Time, line string) string {
	if now.Sub(c.since) >= comingsSpan {
		c.since, c.n = now, 0
	}
	c.n++
	switch {
	case c.n <= comingsMax:
		return line
	case c.n == comingsMax+1:
		return "* More people come and go than can be shown: /who says who is here."
	}
	return ""
}

// said prints a message, and remembers what other commands need of it.
func (s *nativeShow) said(ev client.Said) {
	u := s.u
	number := u.remember(ev)
	took := time.Duration(0)
	if m := s.byID[ev.ID()]; m != nil {
		took = m.Status().After
		s.forget(m)
	}
	u.out.event(showSaid(ev, number, took, u.interactive))
	s.read(ev.Origin)
}

// read notes that the user has seen an event.
func (s *nativeShow) read(o client.Origin) {
	s.u.ends.shown(o)
	if o.Seq > 0 {
		s.u.client.Read(o.Log, o.Seq)
	}
}

// begins notes from where on a place will be shown, for a /history that comes before that.
func (u *nativeUI) begins(p client.Place) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if low, ok := u.oldest[p.Log]; p.First > 0 && (!ok || p.First < low) {
		u.oldest[p.Log] = p.First
	}
}

// remember notes a message for /history, /link and /file, and returns the number of the file it announces, 0 if it
// announces none.
func (u *nativeUI) remember(ev client.Said) (number int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if low, ok := u.oldest[ev.Log]; ev.Seq > 0 && (!ok || ev.Seq < low) {
		u.oldest[ev.Log] = ev.Seq
	}
	if ev.Took > 0 && !ev.Here {
		u.took = append(u.took, ev.Took)
		u.took = u.took[max(0, len(u.took)-tookMax):]
	}
	if ev.File == nil {
		return 0
	}
	if at := slices.IndexFunc(u.shared, func(o client.Said) bool { return o.Log == ev.Log && o.Seq == ev.Seq }); at >= 0 {
		return at + 1
	}
	if len(u.shared) >= sharedMax {
		u.shared[len(u.shared)-sharedMax] = client.Said{}
	}
	u.shared = append(u.shared, ev)
	return len(u.shared)
}

// note prints who came, who went and what the topic is. Of the past only the topic is of interest.
func (s *nativeShow) note(ev client.Event) {
	u := s.u
	switch ev := ev.(type) {
	case client.Joined:
		s.read(ev.Origin)
		if !ev.Past {
			u.out.event(fmt.Sprintf("* [%s] %s has joined.", shownName(placeOf(ev.Log, ev.Peer).name), shownName(ev.Name())))
		}
	case client.Left:
		s.read(ev.Origin)
		if !ev.Past {
			u.out.event(fmt.Sprintf("* [%s] %s has left%s.", shownName(placeOf(ev.Log, ev.Peer).name), shownName(ev.Name()), leftWhy(ev.Reason)))
		}
	case client.Topic:
		s.read(ev.Origin)
		u.out.event(showTopic(ev))
	}
}

// showTopic returns the line for a topic that somebody has set or removed.
func showTopic(ev client.Topic) string {
	room, name, text := shownName(placeOf(ev.Log, ev.Peer).name), shownName(ev.Name()), clean.Line(ev.Text)
	if text == "" {
		return fmt.Sprintf("* [%s] %s has removed the topic.", room, name)
	}
	return fmt.Sprintf("* [%s] %s has set the topic: %s", room, name, text)
}

// outgoing follows a message of ours. Most are shown by said, when they come back.
func (s *nativeShow) outgoing(ev client.Outgoing) {
	m := ev.Message
	switch ev.Status.State {
	case client.Queued, client.Sent:
		if _, known := s.pending[m]; !known {
			s.pending[m] = time.Now()
		}
		s.byID[m.ID()] = m
	case client.Failed:
		s.forget(m)
		if m.File != nil {
			return // Whoever sends the file says so.
		}
		s.u.out.problem(fmt.Sprintf("not stored: %s: %s", clean.Line(brief(m.Text)), nativeReason(ev.Status.Err)))
	}
}

// forget forgets a message that has come to its end.
func (s *nativeShow) forget(m *client.Message) {
	delete(s.pending, m)
	delete(s.byID, m.ID())
}

// online prints that the connection is back, if it was shown that it was lost or if it took long.
func (s *nativeShow) online(ev client.Online) {
	if s.lost.IsZero() {
		return // The first one.
	}
	if s.u.interactive {
		s.u.out.event(fmt.Sprintf("* Back on %s over %s after %s%s.", s.u.server, ev.Transport, seconds(ev.Away), because(s.why)))
	}
	s.lost, s.why = time.Time{}, ""
}

// late prints what takes too long.
func (s *nativeShow) late(now time.Time) {
	u := s.u
	if !s.lost.IsZero() && !s.told && now.Sub(s.lost) >= nativePendingAfter {
		s.told = true
		u.out.problem(fmt.Sprintf("the connection to %s is lost%s; coming back by itself", u.server, because(s.why)))
	}
	for m, since := range s.pending {
		switch st := m.Status(); {
		case st.State >= client.Stored:
			if now.Sub(since) > nativeFlushWait {
				s.forget(m) // Said where we do not listen.
			}
		case u.interactive && !since.IsZero() && now.Sub(since) >= nativePendingAfter:
			s.pending[m] = time.Time{}
			why := ""
			if st.Err != nil {
				why = ": " + nativeReason(st.Err)
			}
			u.out.event(fmt.Sprintf("* pending (%v%s): %s", st.State, why, clean.Line(brief(m.Text))))
		}
	}
}

// showSaid returns the line for a message. number is that of the file it announces; took how long ours took to be stored.
// Only somebody who watches is told times: scripts get the same line for the same message whenever they come.
func showSaid(ev client.Said, number int, took time.Duration, interactive bool) string {
	text := clean.Line(ev.Text)
	if ev.File != nil {
		text = fmt.Sprintf("* file %d: %s, %s", number, shownName(ev.File.Name), kilobytes(uint64(ev.File.Size)))
	}
	where := shownName(placeOf(ev.Log, ev.Peer).name)
	if ev.Direct {
		where += ", direct"
	}
	line := fmt.Sprintf("[%s] %s: %s", where, shownName(ev.Name()), text)
	switch {
	case !interactive:
	case ev.Direct && took > 0:
		line += fmt.Sprintf("  (delivered, %s)", milliseconds(took))
	case took > 0:
		line += fmt.Sprintf("  (stored, %s)", milliseconds(took))
	case ev.Past:
		line = ev.Time.Local().Format("Jan 2 15:04 ") + line
	}
	return line
}

// showOwn returns the line for an event of the account's own log, nothing if it needs none.
func showOwn(ev client.Own) string {
	peer := shownName(ev.Peer)
	switch ev.Kind {
	case native.KindContactRequest:
		return fmt.Sprintf("* %s wants to be your contact: /contacts add %[1]s accepts, /block %[1]s ends it", peer)
	case native.KindContactAdded:
		return fmt.Sprintf("* %s is on your list: /contacts shows it.", peer)
	case native.KindPassword:
		return "* The password of your account was changed."
	}
	return ""
}

// leftWhy says why somebody left, if it was not because they wanted to.
func leftWhy(r native.Reason) string {
	switch r {
	case native.ReasonLost:
		return " (connection lost)"
	case native.ReasonSlow:
		return " (too slow)"
	case native.ReasonShutdown:
		return " (server went down)"
	case native.ReasonLeft, native.ReasonDisconnected:
	}
	return ""
}

// because appends why something is so, if that is known.
func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + clean.Line(why) + ")"
}

// brief is the beginning of a text.
func brief(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// seconds writes d as people read it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
