package jsonchat

import (
	"cmp"
	"context"
	"math"
	"slices"

	"udpchat/chat"
	wire "udpchat/chat/wire/jsonchat"
)

// ackFetch moves the cursor. It has no answer, so what goes wrong is nobody's business.
func (c *conn) ackFetch(ctx context.Context, at int64) {
	if l, err := c.login(ctx); err == nil {
		l.setCursor(ctx, at)
	}
}

// heavily has f make and send the answer to a request, which may be large, when there are not too many of those. f gets
// the log-in, without which there is no such answer.
func (c *conn) heavily(ctx context.Context, name string, f func(l *login) error) error {
	l, err := c.login(ctx)
	if err != nil {
		return c.answer(name, nil, err)
	}
	done, err := c.front.fetches.enter(ctx, l.who.Name)
	if err != nil {
		return c.answer(name, nil, err)
	}
	defer done()
	return f(l)
}

// fetchMsg answers FETCHMSG. An error ends the session.
func (c *conn) fetchMsg(ctx context.Context) error {
	name := wire.FetchMsg{}.Name()
	return c.heavily(ctx, name, func(l *login) error {
		list, err := l.unfetched(ctx)
		return c.answer(name, wire.Messages{Messages: list}, err)
	})
}

// A found message is one in a conversation with peer.
type found struct {
	stored
	peer string
}

// unfetched returns the messages behind the cursor, newest first.
func (l *login) unfetched(ctx context.Context) ([]wire.Message, error) {
	conversations, err := l.dev.Conversations(ctx)
	if err != nil {
		return nil, err
	}
	p := pile{after: l.fetchedTo()}
	for _, conv := range conversations {
		if conv.Peer == "" || conv.Head == 0 {
			continue
		}
		if err := l.pileUp(ctx, &p, conv); err != nil && !is(err, chat.CodeNoUser) {
			return nil, err
		}
	}
	if err := l.pileUpNotes(ctx, &p); err != nil {
		return nil, err
	}
	p.trim()
	list := make([]wire.Message, 0, len(p.found))
	for _, one := range p.found {
		m, err := l.device.front.message(ctx, l.who, one.peer, one.stored)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			// A file that is gone, a sender that is gone: the others must not be lost with it.
			l.device.front.cfg.Logger.Warn("message not fetched", "user", l.who.Name, "err", err)
			continue
		}
		list = append(list, m)
	}
	return list, nil
}

// pileUp puts the messages of a conversation on the pile, from the newest back.
func (l *login) pileUp(ctx context.Context, p *pile, conv chat.Conversation) error {
	p.begin()
	for page := (chat.Page{Before: conv.Head + 1}); ; {
		events, err := l.dev.History(ctx, conv.Log, page)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, ev := range slices.Backward(events) {
			if ev.Kind != chat.KindSaid && ev.Kind != chat.KindFile {
				continue
			}
			if !p.add(found{storedOf(ev), conv.Peer}) {
				return nil
			}
		}
		page.Before = events[0].Seq
	}
}

// pileUpNotes does the same with messages to oneself.
func (l *login) pileUpNotes(ctx context.Context, p *pile) error {
	p.begin()
	for before := uint64(math.MaxInt64); ; {
		msgs, err := l.device.front.cfg.Engine.Read(ctx, noteLog(l.who.Name), 0, before, repeatMessages)
		if err != nil || len(msgs) == 0 {
			return err
		}
		for _, msg := range slices.Backward(msgs) {
			s, err := storedNote(l.who.Name, msg)
			if err != nil {
				l.device.front.cfg.Logger.Warn("message not fetched", "user", l.who.Name, "err", err)
				continue
			}
			if !p.add(found{s, l.who.Name}) {
				return nil
			}
		}
		before = msgs[0].Seq
	}
}

// A pile has the newest messages behind a cursor, of many conversations, and never much more than an answer may have.
type pile struct {
	after        int64
	found        []found
	bytes        int
	count, taken int // Of the conversation: messages, and their bytes.
}

// begin is the beginning of a conversation.
func (p *pile) begin() { p.count, p.taken = 0, 0 }

// add puts the next older message of a conversation on the pile, if it is behind the cursor. It reports whether even
// older ones may be wanted.
func (p *pile) add(m found) bool {
	if m.at.UnixMilli()+fetchSlack.Milliseconds() < p.after {
		return false // By our clock it is so old that it cannot be behind the cursor by its sender's.
	}
	if m.timestamp() <= p.after {
		return true
	}
	p.found = append(p.found, m)
	size := m.bytes()
	p.bytes += size
	p.count, p.taken = p.count+1, p.taken+size
	if len(p.found) > 2*fetchMessagesMax || p.bytes > 2*fetchBytesMax {
		p.trim()
	}
	return p.count < fetchMessagesMax && p.taken < fetchBytesMax
}

// trim puts the newest messages first, and leaves out what is too much.
func (p *pile) trim() {
	slices.SortStableFunc(p.found, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.timestamp(), a.timestamp()), cmp.Compare(b.seq, a.seq))
	})
	p.bytes = 0
	for i, m := range p.found {
		if size := m.bytes(); i >= fetchMessagesMax || i > 0 && p.bytes+size > fetchBytesMax {
			clear(p.found[i:])
			p.found = p.found[:i]
			return
		}
		p.bytes += m.bytes()
	}
}
