package client

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"udpchat/chat/wire/native"
)

// A Place is a log we have entered.
type Place struct {
	Log   string
	Peer  string // Of a direct conversation: the other account.
	Topic string
	Head  uint64 // The number of its last event.
	Mark  uint64 // Up to where the account has read.
	// Forgets: the server does not keep what is said there, because visitors were there before any account.
	Forgets bool
	First   uint64 // The number of the oldest event that comes of the past; 0: none comes.
	More    bool   // There is more of the past than was asked for.
}

// Join makes the account a member of a room, which is made if need be, and follows it, also over the connections to come:
// its events come on Events, beginning with at most history of the past.
func (c *Client) Join(ctx context.Context, room string, history int) (Place, error) {
	p, err := c.enter(ctx, native.Join{Room: room, N: uint64(max(history, 0))})
	if err != nil {
		return p, fmt.Errorf("client: joining %q: %w", room, err)
	}
	return p, nil
}

// Direct begins, or finds, the conversation with another account and follows it as Join does. What is said goes to Place.Log.
func (c *Client) Direct(ctx context.Context, peer string, history int) (Place, error) {
	p, err := c.enter(ctx, native.Direct{Peer: peer, N: uint64(max(history, 0))})
	if err != nil {
		return p, fmt.Errorf("client: talking to %q: %w", peer, err)
	}
	return p, nil
}

// enter sends a request that is answered with a place, and follows the log. The events of the place are in the queue
// before any that happen later: both are handled under the lock.
func (c *Client) enter(ctx context.Context, what native.Request) (Place, error) {
	var full error
	p, err := doThen(ctx, c, what, true, func(p native.Place) { full = c.m.entered(p) })
	if err == nil {
		err = full
	}
	place := Place{Log: p.Log, Peer: p.Peer, Topic: p.Topic, Head: p.Head, Mark: p.Mark, More: p.More, Forgets: p.Forgets}
	if len(p.Events) > 0 {
		place.First = p.Events[0].Seq
	}
	return place, err
}

// Leave ends the account's membership of a room, on all its devices.
func (c *Client) Leave(ctx context.Context, room string) error {
	_, err := doThen(ctx, c, native.Leave{Log: room}, true, func(native.Done) { c.m.unfollow(room) })
	if err != nil {
		return fmt.Errorf("client: leaving %q: %w", room, err)
	}
	return nil
}

// Send queues a text for a log and returns at once: the Message tells what becomes of it. It is sent when there is a
// connection, in order, and stored once. The error is ErrFull if too many are waiting, or why it cannot have a number.
func (c *Client) Send(log, text string) (*Message, error) {
	return c.post(&Message{Log: log, Text: text})
}

// Say is Send, and waits until the server has stored the text or ctx is done; then it may still be stored later, and the
// Message, which is nil only if Send would have failed, tells.
func (c *Client) Say(ctx context.Context, log, text string) (*Message, error) {
	m, err := c.Send(log, text)
	if err != nil {
		return nil, err
	}
	return m, m.Wait(ctx)
}

// Announce is Send for a file that the account has uploaded. f must not be changed afterwards.
func (c *Client) Announce(log string, f *File) (*Message, error) {
	return c.post(&Message{Log: log, File: f})
}

func (c *Client) post(m *Message) (*Message, error) {
	switch {
	case m.Log == "" || len(m.Log) > native.LogBytesMax:
		return nil, fmt.Errorf("client: saying: no log has the name %q", m.Log)
	case m.File == nil && m.Text == "":
		return nil, fmt.Errorf("client: saying: an empty text")
	case len(m.Text) > native.TextBytesMax:
		return nil, fmt.Errorf("client: saying: %w", native.Error{Code: native.CodeTooLong})
	case !utf8.ValidString(m.Text):
		return nil, errors.New("client: saying: the text is not in UTF-8")
	}
	now := time.Now()
	c.mu.Lock()
	taken, err := c.sayPrivateLocked(now, m)
	if !taken {
		err = c.m.post(now, m)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("client: saying: %w", err)
	}
	c.wake()
	return m, nil
}

// Page says which events History returns: the newest, unless one of the other fields is set. The zero Page is the newest.
type Page struct {
	N      int       // How many at most; 0: a page.
	After  uint64    // The oldest after this number, and before Before if that is set as well.
	Before uint64    // The newest before this number.
	Around uint64    // Those around this number.
	At     time.Time // Those around this time.
}

// History returns events of a log, in rising order, and whether there are more in the direction asked for.
func (c *Client) History(ctx context.Context, log string, p Page) (events []Event, more bool, err error) {
	if p.N <= 0 {
		p.N = pageEvents
	}
	got, err := do[native.Page](ctx, c, native.History{
		Log: log, N: uint64(p.N), After: p.After, Before: p.Before, Around: p.Around, At: native.At(p.At),
	}, true)
	if err != nil {
		return nil, false, fmt.Errorf("client: reading %q: %w", log, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	peer := ""
	if f := c.m.logs[log]; f != nil {
		peer = f.peer
	}
	for _, ev := range got.Events {
		if out := eventOf(log, peer, ev); out != nil {
			events = append(events, c.m.seen(out, true))
		}
	}
	return events, got.More, nil
}

// Read notes that the user has read a log up to seq. The server, and with it the account's other devices, is told soon.
func (c *Client) Read(log string, seq uint64) {
	c.mu.Lock()
	c.m.marks.set(log, seq)
	c.mu.Unlock()
	c.wake()
}

// Type tells the others in a log that the user types, or no longer. Call it every 3 s while it is so. Without a connection
// nobody is told.
func (c *Client) Type(log string, on bool) {
	now := time.Now()
	c.mu.Lock()
	if c.m.phase == up {
		c.m.frame(now, native.Typing{Log: log, On: on})
	}
	c.mu.Unlock()
	c.wake()
}

// SetTopic sets a room's topic; empty removes it.
func (c *Client) SetTopic(ctx context.Context, room, text string) error {
	return c.tell(ctx, "setting the topic", native.Topic{Log: room, Text: text}, true)
}

// A Room is one of the server's.
type Room struct {
	Name, Topic string
	Here        int // How many are connected to it on the server we are connected to.
}

// Rooms lists the server's rooms by name, those after a name, and says whether there are more.
func (c *Client) Rooms(ctx context.Context, after string) (rooms []Room, more bool, err error) {
	list, err := do[native.RoomList](ctx, c, native.Rooms{After: after, N: pageEvents}, true)
	if err != nil {
		return nil, false, fmt.Errorf("client: listing rooms: %w", err)
	}
	for _, r := range list.Rooms {
		rooms = append(rooms, Room{Name: r.Room, Topic: r.Topic, Here: int(min(r.Here, 1<<30))})
	}
	return rooms, list.More, nil
}

// A Conversation is a room or direct conversation that the account is a member of, or its own log.
type Conversation struct {
	Log, Peer, Topic string // Peer is empty for rooms and the own log.
	Head, Mark       uint64 // Of its last event; up to where the account has read.
	Own              bool   // It is the account's own log.
}

// Conversations lists everything the account is a member of.
func (c *Client) Conversations(ctx context.Context) (all []Conversation, err error) {
	for after := ""; ; after = all[len(all)-1].Log {
		list, err := do[native.ConversationList](ctx, c, native.Conversations{After: after}, true)
		if err != nil {
			return nil, fmt.Errorf("client: listing conversations: %w", err)
		}
		c.mu.Lock()
		own := c.m.own
		c.mu.Unlock()
		for _, v := range list.Conversations {
			all = append(all, Conversation{Log: v.Log, Peer: v.Peer, Topic: v.Topic, Head: v.Head, Mark: v.Mark, Own: v.Log == own})
		}
		if !list.More || len(list.Conversations) == 0 || len(all) > conversationsMax {
			return all, nil
		}
	}
}

// Followed lists the logs whose events come on Events, in the order they were entered.
func (c *Client) Followed() (logs []Conversation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.m.names {
		f := c.m.logs[name]
		logs = append(logs, Conversation{Log: name, Peer: f.peer, Head: f.top, Own: name == c.m.own})
	}
	return logs
}
