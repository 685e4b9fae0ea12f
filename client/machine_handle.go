package client

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"udpchat/chat/wire/native"
)

// handle takes a message of the server.
func (m *machine) handle(now time.Time, head native.Head, reply native.Reply) {
	m.heard, m.greeted = now, true
	defer func() {
		m.quiet = time.Time{}
		if m.unanswered() > 0 {
			m.quiet = now
		}
		m.advance(now)
	}()
	if head.ID != 0 {
		m.answer(now, head.ID, reply)
		return
	}
	switch r := reply.(type) {
	case native.Event:
		m.happened(now, r)
	case native.Typing:
		if f := m.logs[r.Log]; f != nil && r.Account != m.account {
			m.queue.offer(Typing{Log: r.Log, Peer: f.peer, Account: r.Account, On: r.On})
		}
	case native.Presence:
		if r.Person != nil {
			m.queue.offerPresence(Presence{personOf(*r.Person)})
		}
	case native.Whisper:
		m.queue.offer(Whispered{Name: r.Name, Text: r.Text})
	case native.Private:
		m.introduced(r)
	case native.Drain:
		m.drain(now, r)
	case native.Error:
		m.told(r)
	}
	// Anything else is of a newer server and not for us.
}

// garbled takes a message of the server that cannot be decoded: if it answers a request, that one has failed.
func (m *machine) garbled(now time.Time, head native.Head, err error) {
	if r := m.take(head.ID); r != nil {
		r.settle(now, nil, fmt.Errorf("the server's answer makes no sense: %w", err))
	}
}

// answer settles the request with that id. An id that is not known is one that nobody waits for any more.
func (m *machine) answer(now time.Time, id uint64, reply native.Reply) {
	if msg, ok := m.says[id]; ok {
		delete(m.says, id)
		m.said(now, msg, reply)
		return
	}
	r := m.take(id)
	if r == nil {
		return
	}
	if e, refused := reply.(native.Error); refused {
		r.settle(now, nil, e)
		return
	}
	r.settle(now, reply, nil)
}

// take returns the request with that id, which is not pending any more; nil: there is none.
func (m *machine) take(id uint64) *request {
	r, ok := m.pending[id]
	if !ok {
		return nil
	}
	delete(m.pending, id)
	if at := slices.Index(m.order, id); at >= 0 {
		m.order = slices.Delete(m.order, at, at+1)
	}
	return r
}

// said takes the answer to a message of ours.
func (m *machine) said(now time.Time, msg *Message, reply native.Reply) {
	switch r := reply.(type) {
	case native.Said:
		m.outbox.stored(msg, r.Seq, r.Time.Time(), now)
	case native.Error:
		m.outbox.refused(msg, r, now)
	default:
		return // No answer at all: the silence will tell.
	}
	m.tell(msg)
}

// told takes an error that answers no request: the session is about to end, or something that is not answered was wrong.
func (m *machine) told(e native.Error) {
	switch e.Code {
	case native.CodeLoggedIn: // Coming back would end the other session, which would come back …
		m.verdict = verdict{drop: true, err: errors.Join(ErrElsewhere, e), final: true}
	case native.CodeRevoked, native.CodeBadToken:
		m.verdict = verdict{drop: true, err: errors.Join(ErrLoggedOut, e), final: true}
	case native.CodeTooSlow, native.CodeShuttingDown, native.CodeUnavailable, native.CodeRateLimited, native.CodeInternal:
		m.verdict = verdict{drop: true, err: e, wait: e.RetryAfter.Duration()}
	}
}

// drain takes the announcement that the server will close the connection: what it owes is waited for, nothing new begins.
func (m *machine) drain(now time.Time, d native.Drain) {
	if m.phase != up {
		return
	}
	after := min(d.After.Duration(), drainMost)
	m.phase, m.ends = draining, now.Add(drainWait)
	m.verdict = verdict{err: ErrDrained, wait: after, next: d.Address}
	m.queue.add(Draining{Text: d.Text, In: after})
}

// followed takes the answer to what a follower has asked.
func (m *machine) followed(now time.Time, f *follower, reply native.Reply, err error) {
	switch r := reply.(type) {
	case native.Place:
		m.placed(f, r, (*follower).resume)
		return
	case native.Page:
		f.page(r)
		return
	}
	e, refused := errors.AsType[native.Error](err)
	switch {
	case !refused:
		f.asked = false // The connection was lost.
	case e.Code == native.CodeEpoch: // It began anew since it was attached.
		f.asked, f.attached = false, false
	case e.Code == native.CodeNoLog || e.Code == native.CodeNotMember || e.Code == native.CodeNotAllowed ||
		e.Code == native.CodeBadField || e.Code == native.CodeUnknownType || e.Code == native.CodeBlocked:
		m.unfollow(f.log)
		m.queue.add(Gone{Log: f.log, Peer: f.peer, Err: e})
	default:
		f.refused(now, e.RetryAfter.Duration())
	}
}

// placed takes a place in a log that is followed, or is to be; goOn takes it if the program has something of the log
// that is still good.
func (m *machine) placed(f *follower, p native.Place, goOn func(*follower, native.Place)) {
	if p.Peer != "" {
		f.peer = p.Peer
	}
	switch {
	case f.epoch == "":
		f.begin(p)
	case f.epoch != p.Epoch || p.Reload:
		m.queue.add(Reload{Log: f.log, Peer: f.peer})
		m.marks.forget(f.log)
		f.begin(p)
	default:
		goOn(f, p)
	}
}

// entered takes the place of a log that the program has entered. The error is ErrFull if we are in too many.
func (m *machine) entered(p native.Place) error {
	f := m.follow(p.Log, p.Peer, 0)
	if f == nil {
		return ErrFull
	}
	m.placed(f, p, (*follower).again)
	return nil
}

// happened takes an event that happens now.
func (m *machine) happened(now time.Time, ev native.Event) {
	f := m.logs[ev.Log]
	if f == nil {
		return // We have just left it.
	}
	if ev.Device == m.device && ev.Counter > 0 {
		// Our own: the server has it, whether we have heard its answer or not.
		if msg := m.outbox.find(ev.Device, ev.Counter); msg != nil && msg.Log == ev.Log && msg.is(ev) {
			m.outbox.stored(msg, ev.Seq, ev.Time.Time(), now)
			m.tell(msg)
		}
	}
	f.push(ev)
}

// give puts an event of a log into the queue and reports whether there was room. Kinds that are not known are skipped, but
// count as given.
func (m *machine) give(f *follower, ev native.Event, past bool) bool {
	if f.log == m.own && m.own != "" {
		if !m.queue.offer(Own{
			Kind: ev.Kind, Seq: ev.Seq, Time: ev.Time.Time(), Peer: ev.Peer, Log: ev.About, Label: ev.Text, Number: ev.Number,
		}) {
			return false
		}
		m.ours(ev, past)
		return true
	}
	id := messageID(ev.Device, ev.Counter)
	if m.direct.ids[id] {
		return true // It came over a direct connection, and the other did not know.
	}
	out := eventOf(f.log, f.peer, ev)
	if out == nil {
		return true
	}
	if !m.queue.offer(m.seen(out, past)) {
		return false
	}
	if f.peer != "" && id != "" {
		m.served.add(id)
	}
	return true
}

// seen completes an event by what only we know: who we are, and what time it is.
func (m *machine) seen(ev Event, past bool) Event {
	complete := func(o *Origin) {
		o.Past = past
		o.Mine = o.Account != "" && o.Account == m.account
		o.Here = o.Device != "" && o.Device == m.device
		if !past {
			var doubt bool
			if o.Took, doubt = m.clock.since(o.Time, m.heard); doubt {
				m.pause = min(m.pause, pingFirst) // A clock was set: asking again must not wait for minutes.
			}
		}
	}
	switch ev := ev.(type) {
	case Said:
		complete(&ev.Origin)
		return ev
	case Joined:
		complete(&ev.Origin)
		return ev
	case Left:
		complete(&ev.Origin)
		return ev
	case Topic:
		complete(&ev.Origin)
		return ev
	}
	return ev
}

// ours does what an event of the account's own log asks of every device.
func (m *machine) ours(ev native.Event, past bool) {
	switch ev.Kind {
	case native.KindConversation: // It comes before the first message.
		if ev.About == "" || m.logs[ev.About] != nil {
			return
		}
		if f := m.follow(ev.About, ev.Peer, pageEvents); f != nil {
			f.unread, f.young = true, !past
		}
	case native.KindRoomJoined:
		if m.cfg.AllRooms && ev.About != "" {
			m.follow(ev.About, "", pageEvents)
		}
	case native.KindRoomLeft:
		m.unfollow(ev.About)
	}
}

// eventOf returns what happened in a log as an Event, nil if it is of a kind that is not known.
func eventOf(log, peer string, ev native.Event) Event {
	o := Origin{
		Log: log, Peer: peer, Seq: ev.Seq, Time: ev.Time.Time(), Account: ev.Account, Show: ev.Show, Device: ev.Device,
		Counter: ev.Counter,
	}
	switch ev.Kind {
	case native.KindSaid:
		return Said{Origin: o, Text: ev.Text}
	case native.KindFile:
		if f := fileOf(ev.File); f != nil {
			return Said{Origin: o, File: f}
		}
	case native.KindJoined:
		return Joined{o}
	case native.KindLeft:
		return Left{o, ev.Reason}
	case native.KindTopic:
		return Topic{o, ev.Text}
	}
	return nil
}
