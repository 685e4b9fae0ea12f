package lab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"udpchat/chat/wire/lab"
)

// Say says text in the room. Over a stream it returns when the text is on its way; its copy comes back as an event
// marked Mine, and Flush waits for the copies. Over plain datagrams it returns when the copy has come back. Line
// breaks at the end of the text are dropped; an empty line inside it cannot be written in the protocol and becomes a
// line with one space.
func (c *Client) Say(ctx context.Context, room, text string) error {
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\r\n")
	if len(text) > lab.TextBytesMax {
		return fmt.Errorf("lab: %d bytes: %w: the limit is %d", len(text), ErrTooLong, lab.TextBytesMax)
	}
	r, err := c.joinedRoom(room)
	if err != nil {
		return err
	}
	p := c.request(lab.Chat{Room: r.Ref, JoinID: r.JoinID, Name: c.cfg.Name, Text: text})
	if c.link.answers() {
		err = c.do(ctx, p)
	} else {
		err = c.doUnawaited(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("lab: saying something in %q: %w", room, err)
	}
	return nil
}

// Flush waits until everything said has come back from the server, which means that every member was sent it. It
// returns an error if ctx or the client ends before.
func (c *Client) Flush(ctx context.Context) error {
	for {
		c.mu.Lock()
		n, changed, err := c.book.unreturned(), c.changed, c.endLocked()
		c.mu.Unlock()
		switch {
		case n == 0 && err == nil:
			return nil
		case err != nil:
			return fmt.Errorf("lab: waiting for our messages: %w", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("lab: %d of our messages have not come back from the server: %w", n, ctx.Err())
		}
	}
}

// request makes the pending of a request.
func (c *Client) request(req lab.Request) *pending {
	return &pending{req: req, wire: lab.AppendRequest(nil, req, c.cfg.Dialect), answered: make(chan struct{})}
}

// do sends p and waits for its answer.
func (c *Client) do(ctx context.Context, p *pending) error {
	if err := c.link.send(ctx, p); err != nil {
		return err
	}
	return c.await(ctx, p)
}

// await waits until p is answered. If ctx ends before, p is forgotten.
func (c *Client) await(ctx context.Context, p *pending) error {
	select {
	case <-p.answered:
		return p.err
	case <-ctx.Done():
		c.settle(p, ctx.Err())
		<-p.answered
		return p.err // Nil if the answer was quicker after all.
	}
}

// doUnawaited sends p as soon as fewer than unreturnedMax others are on their way.
func (c *Client) doUnawaited(ctx context.Context, p *pending) error {
	p.unawaited = true
	timeout := time.NewTimer(unreturnedWait)
	defer timeout.Stop()
	for {
		c.mu.Lock()
		n, changed, err := c.book.unreturned(), c.changed, c.endLocked()
		c.mu.Unlock()
		if err != nil {
			return err
		}
		if n < unreturnedMax {
			return c.link.send(ctx, p)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			return ErrUnreturned
		}
	}
}

// settle ends p with err unless it has ended already.
func (c *Client) settle(p *pending, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-p.answered:
	default:
		c.book.settle(p, nil, err, time.Now())
		c.wakeLocked()
	}
}

// add puts p into the book, just before it goes on the wire. It returns why not: the client has ended, or the caller
// has given up waiting.
func (c *Client) add(p *pending) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.endLocked(); err != nil {
		return err
	}
	select {
	case <-p.answered:
		return p.err
	default:
	}
	p.sends++
	c.book.add(p)
	return nil
}

// endLocked returns why the client has ended, or nil while it lives.
func (c *Client) endLocked() error {
	switch {
	case !c.ended:
		return nil
	case c.err != nil:
		return c.err
	default:
		return ErrClosed
	}
}

// handleReply books a reply and puts its event on the channel. Only readers call it.
func (c *Client) handleReply(r lab.Reply) {
	c.mu.Lock()
	ev, ok := c.book.handleReply(r, time.Now())
	c.wakeLocked()
	c.mu.Unlock()
	if ok {
		c.emit(ev)
	}
}

// emit puts ev on the channel, waiting for room unless nobody wants events any more. Only readers call it.
func (c *Client) emit(ev Event) {
	select {
	case c.events <- ev:
	case <-c.closed:
	}
}
