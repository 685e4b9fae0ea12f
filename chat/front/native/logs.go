package native

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"udpchat/chat"
	wire "udpchat/chat/wire/native"
)

// say carries out Say. It returns when the message is stored.
func (l *login) say(ctx context.Context, m wire.Say) (wire.Reply, error) {
	if err := l.order.check(m.Log, m.Counter, time.Now()); err != nil {
		return nil, err
	}
	said, err := l.store(ctx, m)
	if err != nil && !final(err) {
		l.order.fail(m.Log, m.Counter, time.Now())
		return nil, err
	}
	l.order.settle(m.Log, m.Counter)
	return wire.Said{Seq: said.Seq, Time: wire.At(said.Time)}, err
}

func (l *login) store(ctx context.Context, m wire.Say) (chat.Said, error) {
	content := chat.Content{Text: m.Text}
	if m.File != nil {
		if err := l.owns(ctx, m.Log, digest(m.File.Digest), m.File.Size); err != nil {
			return chat.Said{}, err
		}
		content.File = &chat.File{
			SHA256: hex.EncodeToString(m.File.Digest), Size: int64(m.File.Size), Name: m.File.Name, MIME: m.File.Type,
		}
	}
	return l.device.Say(ctx, m.Log, m.Counter, content)
}

// final reports whether a refusal will be the same next time.
func final(err error) bool {
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		return refused.Code != chat.CodeShuttingDown
	}
	own, ok := errors.AsType[wire.Error](err)
	return ok && own.RetryAfter == 0
}

func (l *login) join(ctx context.Context, m wire.Join) (wire.Reply, error) {
	if err := l.refuseNewRoom(m.Room); err != nil {
		return nil, err
	}
	p, err := l.device.Join(ctx, m.Room)
	if err != nil {
		l.receiver.abandon(m.Room)
		return nil, err
	}
	return l.place(ctx, p, chat.Page{}, m.N)
}

func (l *login) attach(ctx context.Context, m wire.Attach) (wire.Reply, error) {
	if m.Epoch == "" {
		p, err := l.device.Attach(ctx, m.Log)
		if err != nil {
			return nil, err
		}
		return l.place(ctx, p, chat.Page{}, m.N)
	}
	p, err := l.device.Resume(ctx, m.Log, m.Epoch, m.After)
	if err != nil {
		l.device.Detach(m.Log) // It may have been attached before the comparison failed.
		l.receiver.abandon(m.Log)
		return nil, err
	}
	if p.Reload || m.After > p.Head {
		return l.place(ctx, p, chat.Page{}, m.N)
	}
	return l.place(ctx, p, chat.Page{After: m.After, Forward: true}, m.N)
}

func (l *login) direct(ctx context.Context, m wire.Direct) (wire.Reply, error) {
	peer, err := l.other(ctx, m.Peer)
	if err != nil {
		return nil, err
	}
	p, err := l.device.Direct(ctx, peer)
	if err != nil {
		return nil, err
	}
	return l.place(ctx, p, chat.Page{}, m.N)
}

// place makes the answer of having been attached, with n events of that page up to the place.
func (l *login) place(ctx context.Context, p chat.Place, page chat.Page, n uint64) (wire.Reply, error) {
	page.Before = p.Head + 1
	events, more, err := l.page(ctx, p.Room, page, n, pageBytes)
	if err != nil {
		l.device.Detach(p.Room)
		l.receiver.abandon(p.Room)
		return nil, err
	}
	peer, _ := chat.DirectPeer(p.Room, l.account)
	return wire.Place{
		Log: p.Room, Epoch: p.Epoch, Head: p.Head, Ref: uint64(p.Ref), Reload: p.Reload, Events: events, More: more,
		Peer: peer, Topic: printable(p.Topic), Mark: p.Read, Forgets: p.Forgets,
	}, nil
}

// page reads up to n events, as many as fit into so many bytes but at least one, in rising order. more says that there are
// others in the direction of the page.
func (l *login) page(ctx context.Context, log string, p chat.Page, n uint64, bytes int) (events []wire.Event, more bool, err error) {
	want := int(min(n, wire.PageEventsMax))
	for len(events) < want && bytes > 0 {
		p.N = want - len(events)
		evs, err := l.device.History(ctx, log, p)
		if err != nil || len(evs) == 0 {
			return inOrder(events, p.Forward), false, err
		}
		if !p.Forward {
			slices.Reverse(evs)
		}
		for _, ev := range evs {
			if bytes <= 0 {
				return inOrder(events, p.Forward), true, nil
			}
			p = beyond(p, ev.Seq)
			if m, ok := eventOf(ev); ok {
				events = append(events, m)
				bytes -= sizeOf(m)
			}
		}
	}
	p.N = 1
	evs, err := l.device.History(ctx, log, p)
	return inOrder(events, p.Forward), len(evs) > 0, err
}

// inOrder returns events that were read in the direction of a page in rising order.
func inOrder(events []wire.Event, forward bool) []wire.Event {
	if !forward {
		slices.Reverse(events)
	}
	return events
}

// beyond returns the page that goes on behind the event with that number.
func beyond(p chat.Page, seq uint64) chat.Page {
	if p.Forward {
		p.After = seq
	} else {
		p.Before = seq
	}
	return p
}

// sizeOf returns how many bytes an event takes, about.
func sizeOf(m wire.Event) int {
	n := eventHeadBytes + len(m.Log) + len(m.Account) + len(m.Show) + len(m.Text) + len(m.Peer) + len(m.About)
	if m.File != nil {
		n += len(m.File.Digest) + len(m.File.Name) + len(m.File.Type)
	}
	return n
}

// history carries out History.
func (l *login) history(ctx context.Context, m wire.History) (wire.Reply, error) {
	page, err := l.pages(ctx, m)
	if err != nil {
		return nil, err
	}
	// Only now is it sure that the account may know even that.
	if page.Epoch, err = l.front.cfg.Engine.Epoch(ctx, m.Log); err != nil {
		return nil, fmt.Errorf("native: history: %w", err)
	}
	if m.Epoch != "" && m.Epoch != page.Epoch {
		return nil, refusef(wire.CodeEpoch, "the log began anew")
	}
	return page, nil
}

// pages reads what History asks for.
func (l *login) pages(ctx context.Context, m wire.History) (p wire.Page, err error) {
	around := m.Around
	if m.At != 0 {
		if around, err = l.firstSince(ctx, m.Log, m.At.Time()); err != nil {
			return p, err
		}
	}
	switch {
	case around != 0:
		p.Events, p.More, err = l.around(ctx, m.Log, around, m.N)
	case m.After != 0:
		p.Events, p.More, err = l.page(ctx, m.Log, chat.Page{After: m.After, Before: m.Before, Forward: true}, m.N, pageBytes)
	default:
		p.Events, p.More, err = l.page(ctx, m.Log, chat.Page{Before: m.Before}, m.N, pageBytes)
	}
	return p, err
}

// around returns what is on both sides of a number.
func (l *login) around(ctx context.Context, log string, seq, n uint64) ([]wire.Event, bool, error) {
	n = min(n, wire.PageEventsMax)
	older, more, err := l.page(ctx, log, chat.Page{Before: seq}, n/2, pageBytes/2)
	if err != nil {
		return nil, false, err
	}
	newer, alsoMore, err := l.page(ctx, log, chat.Page{After: seq - 1, Forward: true}, n-n/2, pageBytes/2)
	return slices.Concat(older, newer), more || alsoMore, err
}

// firstSince returns the number of the first event that is not older than at, or the one after the last. Times may go back a
// little where a clock was set; then it is one of those around it.
func (l *login) firstSince(ctx context.Context, log string, at time.Time) (uint64, error) {
	newest, err := l.device.History(ctx, log, chat.Page{N: 1})
	if err != nil || len(newest) == 0 {
		return 1, err
	}
	older, notOlder := uint64(0), newest[0].Seq // The answer is above the one and at most behind the other.
	for older < notOlder {
		middle := older + (notOlder-older)/2
		evs, err := l.device.History(ctx, log, chat.Page{After: middle, Forward: true, N: 1})
		switch {
		case err != nil:
			return 0, err
		case len(evs) == 0 || !evs[0].Time.Before(at):
			notOlder = middle
		default:
			older = evs[0].Seq
		}
	}
	return older + 1, nil
}

// rooms carries out Rooms.
func (l *login) rooms(ctx context.Context, m wire.Rooms) (wire.Reply, error) {
	n := int(min(m.N, roomsMax))
	if n == 0 {
		n = roomsDefault
	}
	rooms, err := l.conn.hub.List(ctx, m.After, n+1)
	if err != nil {
		return nil, err
	}
	var list wire.RoomList
	size := 0
	for i, r := range rooms {
		if size += roomBytes + len(r.Name) + len(r.Topic); i == n || size > pageBytes && i > 0 {
			list.More = true
			break
		}
		ref, _ := l.conn.hub.RoomNamed(r.Name)
		list.Rooms = append(list.Rooms, wire.Room{Room: r.Name, Ref: uint64(ref), Here: uint64(r.Here), Topic: printable(r.Topic)})
	}
	return list, nil
}

// conversations carries out Conversations: the account's own log first, then all others by name.
func (l *login) conversations(ctx context.Context, m wire.Conversations) (wire.Reply, error) {
	all, err := l.device.Conversations(ctx)
	if err != nil {
		return nil, err
	}
	own := chat.AccountLog(l.account)
	heads, err := l.front.cfg.Engine.Heads(ctx, []string{own})
	if err != nil {
		return nil, fmt.Errorf("native: conversations: %w", err)
	}
	slices.SortFunc(all, func(a, b chat.Conversation) int { return cmp.Compare(a.Log, b.Log) })
	switch m.After {
	case "":
		all = slices.Concat([]chat.Conversation{{Log: own, Head: heads[0]}}, all)
	case own: // All others come behind it.
	default:
		all = slices.DeleteFunc(all, func(c chat.Conversation) bool { return c.Log <= m.After })
	}
	var list wire.ConversationList
	for size := 0; len(list.Conversations) < len(all); {
		c := all[len(list.Conversations)]
		topic, err := l.topicOf(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("native: conversations: %w", err)
		}
		if size += conversationBytes + 2*len(c.Log) + len(topic); size > pageBytes && len(list.Conversations) > 0 {
			list.More = true
			break
		}
		epoch, err := l.front.cfg.Engine.Epoch(ctx, c.Log)
		if err != nil {
			return nil, fmt.Errorf("native: conversations: %w", err)
		}
		ref, _ := l.conn.hub.RoomNamed(c.Log)
		list.Conversations = append(list.Conversations, wire.Conversation{
			Log: c.Log, Epoch: epoch, Head: c.Head, Mark: c.Read, Topic: printable(topic), Peer: c.Peer, Ref: uint64(ref),
		})
	}
	return list, nil
}

// topicOf returns the topic of a conversation, which only rooms have.
func (l *login) topicOf(ctx context.Context, c chat.Conversation) (string, error) {
	if c.Peer != "" || c.Log == chat.AccountLog(l.account) {
		return "", nil
	}
	return l.conn.hub.TopicOf(ctx, c.Log)
}
