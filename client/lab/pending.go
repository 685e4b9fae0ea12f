package lab

import (
	"slices"
	"strings"
	"time"

	"udpchat/chat/wire/lab"
)

// A pending is one request that has no answer yet.
type pending struct {
	req  lab.Request // With the room's reference, once in the book.
	wire []byte      // The request's bytes.

	// answered is closed once reply and err are set: by an answer, an ERROR_CODE, or the end of the client.
	answered chan struct{}
	reply    lab.Reply // Constant after answered is closed; nil if err is set.
	err      error     // Constant after answered is closed.

	sends int  // Times it was put on the wire. Guarded by Client.mu.
	quiet bool // Its answer is no event: a sign of life of our own.
	// unawaited: nobody waits for the answer; Say over a stream. Bounded by unreturnedMax.
	unawaited bool
	// rooms are those whose leave notices answer a DISCONNECT over plain datagrams.
	rooms map[string]bool
}

// A book is what a client knows of its rooms and unanswered requests. It is a plain value: no locks, no clock, no
// I/O. Client.mu guards it.
type book struct {
	name    string            // Our CLIENT_NAME.
	rooms   []Room            // That we are in, in order of joining.
	names   map[string]string // ROOM_REF to name, also of rooms we have left.
	waiting []*pending        // In the order they were sent.
	surplus []surplus
}

// A surplus says that an answer to a repeated request may come up to n more times.
type surplus struct {
	reply   lab.Reply
	n       int
	until   time.Time
	unshown bool // It has not come at all yet: the first one is to be shown.
}

// room returns the room we are in under that name.
func (b *book) room(name string) (Room, bool) {
	i := slices.IndexFunc(b.rooms, func(r Room) bool { return r.Name == name })
	if i < 0 {
		return Room{}, false
	}
	return b.rooms[i], true
}

// add appends p to those that wait.
func (b *book) add(p *pending) { b.waiting = append(b.waiting, p) }

// remove forgets p, whoever gave up on it.
func (b *book) remove(p *pending) {
	b.waiting = slices.DeleteFunc(b.waiting, func(q *pending) bool { return q == p })
}

// unreturned counts the own messages that have not come back.
func (b *book) unreturned() int {
	n := 0
	for _, p := range b.waiting {
		if p.unawaited {
			n++
		}
	}
	return n
}

// settle ends p with a reply or an error.
func (b *book) settle(p *pending, reply lab.Reply, err error, now time.Time) {
	b.remove(p)
	p.reply, p.err = reply, err
	close(p.answered)
	if reply == nil || p.sends < 2 {
		return
	}
	until := now.Add(repeatWindow + answerWait)
	b.expectSurplus(surplus{reply: reply, n: p.sends - 1, until: until})
	// The notice about ourselves comes with every answer too (PROTOCOL.md 5.1, 5.2).
	switch r := reply.(type) {
	case lab.Joined:
		notice := lab.ChatMessage{RoomRef: r.RoomRef, Name: b.name, Text: b.name + joinedText}
		b.expectSurplus(surplus{reply: notice, n: p.sends - 1, until: until, unshown: true})
	case lab.Left:
		notice := lab.ChatMessage{RoomRef: r.RoomRef, Name: b.name, Text: b.name + leftText}
		b.expectSurplus(surplus{reply: notice, n: p.sends - 1, until: until, unshown: true})
	}
}

func (b *book) expectSurplus(s surplus) {
	if len(b.surplus) >= surplusMax {
		b.surplus = b.surplus[1:]
	}
	b.surplus = append(b.surplus, s)
}

// settleAll ends everything that waits with err.
func (b *book) settleAll(err error, now time.Time) {
	for len(b.waiting) > 0 {
		b.settle(b.waiting[0], nil, err, now)
	}
}

// handleReply takes a reply of the server into the book, gives it to the request it answers, and returns the event
// to show. ok is false if there is nothing to show: the answer came once more because the request was repeated.
func (b *book) handleReply(r lab.Reply, now time.Time) (ev Event, ok bool) {
	p := b.match(r)
	if joined, ok := r.(lab.Joined); ok && p != nil && p.req.(lab.Join).Room != joined.Room && b.isSurplus(r, now) {
		return Event{}, false // Not an odd spelling of the room asked for now, but a late repeat about another.
	}
	if p == nil && b.isSurplus(r, now) {
		return Event{}, false
	}
	switch r := r.(type) {
	case lab.Joined:
		b.joined(r)
		ev = Event{Kind: KindJoined, Room: r.Room, Ref: r.RoomRef, JoinID: r.JoinID}
	case lab.Left:
		ev = Event{Kind: KindLeft, Room: b.names[r.RoomRef], Ref: r.RoomRef, JoinID: r.JoinID}
		b.left(r.RoomRef)
	case lab.ChatMessage:
		ev = Event{Kind: KindSaid, Room: b.names[r.RoomRef], Ref: r.RoomRef, Name: r.Name, Text: r.Text, Mine: p != nil}
		if p == nil && isNotice(r.Name, r.Text) {
			ev.Kind = KindNotice
			p = b.goodbyeNoticed(r)
		}
	case lab.HeloReply:
		ev = Event{Kind: KindHello, Hello: r}
	case lab.ErrorReply:
		err := &ServerError{Code: r.Code, Description: r.Description}
		if p != nil {
			b.settle(p, nil, err, now)
		}
		return Event{Kind: KindError, Err: err}, p == nil || !p.quiet
	case lab.UnknownReply:
		ev = Event{Kind: KindUnknown, Text: r.Line}
	}
	if p == nil {
		return ev, true
	}
	b.settle(p, r, nil, now)
	return ev, !p.quiet
}

// match returns the waiting request that r answers, or nil. An ERROR_CODE answers the oldest, and a JOINED for a
// room nobody asked for the oldest JOIN: the server spells the name its own way.
func (b *book) match(r lab.Reply) *pending {
	var join *pending
	for _, p := range b.waiting {
		switch r := r.(type) {
		case lab.Joined:
			q, ok := p.req.(lab.Join)
			if ok && q.Room == r.Room {
				return p
			}
			if ok && join == nil {
				join = p
			}
		case lab.Left:
			if q, ok := p.req.(lab.Leave); ok && q.Room == r.RoomRef {
				return p
			}
		case lab.ChatMessage:
			q, ok := p.req.(lab.Chat)
			if ok && r.Name == b.name && q.Room == r.RoomRef && sameText(q.Text, r.Text) {
				return p
			}
		case lab.HeloReply:
			if q, ok := p.req.(lab.Helo); ok && q.Line == r.Line {
				return p
			}
		case lab.ErrorReply:
			return p
		}
	}
	return join
}

// goodbyeNoticed returns the waiting DISCONNECT over plain datagrams if r is the last of the notices that answer it.
func (b *book) goodbyeNoticed(r lab.ChatMessage) *pending {
	for _, p := range b.waiting {
		if p.rooms[r.RoomRef] && r.Name == b.name && r.Text == b.name+leftText {
			delete(p.rooms, r.RoomRef)
			if len(p.rooms) == 0 {
				return p
			}
		}
	}
	return nil
}

// isSurplus reports whether r is one more answer to a request that was repeated, and counts it.
func (b *book) isSurplus(r lab.Reply, now time.Time) bool {
	b.surplus = slices.DeleteFunc(b.surplus, func(s surplus) bool { return s.n == 0 || !now.Before(s.until) })
	for i := range b.surplus {
		s := &b.surplus[i]
		switch {
		case s.reply != r:
		case s.unshown:
			s.unshown = false
			return false
		default:
			s.n--
			return true
		}
	}
	return false
}

func (b *book) joined(r lab.Joined) {
	room := Room{Name: r.Room, Ref: r.RoomRef, JoinID: r.JoinID}
	if i := slices.IndexFunc(b.rooms, func(have Room) bool { return have.Ref == r.RoomRef }); i >= 0 {
		b.rooms[i] = room // Joined again: the server says the same, or knows better.
	} else {
		b.rooms = append(b.rooms, room)
	}
	if len(b.names) >= namesMax {
		b.names = nil
		for _, have := range b.rooms {
			b.remember(have)
		}
	}
	b.remember(room)
}

func (b *book) remember(r Room) {
	if b.names == nil {
		b.names = make(map[string]string)
	}
	b.names[r.Ref] = r.Name
}

func (b *book) left(ref string) {
	b.rooms = slices.DeleteFunc(b.rooms, func(r Room) bool { return r.Ref == ref })
}

// sameText reports whether the server's copy of a text is what was sent. Empty lines inside a text travel as a
// space, and blanks at line ends do not all survive (PROTOCOL.md 2.2), so neither counts.
func sameText(sent, got string) bool {
	return sent == got || bareText(sent) == bareText(got)
}

func bareText(s string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(s, " \t\r\n")) {
		b.WriteString(strings.TrimRight(line, " \t\r\n"))
		b.WriteByte('\n')
	}
	return b.String()
}
