package client

import (
	"context"
	"errors"
	"io"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
	"udpchat/reliable/message"
)

// On a direct connection both sides send what they would send to a server: Say, and Mark with the number of the message up
// to which everything has come (chat/wire/native/SPEC.md 9). The numbers are those the messages would have there.

// meetLocked begins to look for the other.
func (c *Client) meetLocked(p *private) error {
	if c.closing {
		return ErrClosed
	}
	ctx, cancel := context.WithCancel(c.stop)
	waiting := p.cancel
	p.cancel = func() { waiting(); cancel() }
	m := p.meeting()
	c.talks.Go(func() { // Owns the connection; ends with it, at the latest when the client does.
		err := c.talk(ctx, p, m)
		if ctx.Err() != nil {
			err = nil // Somebody wanted it.
		}
		c.endPrivate(p, err)
	})
	return nil
}

// talk meets the other and serves the connection to its end. It returns why it ended, nil if the other wanted it.
func (c *Client) talk(ctx context.Context, p *private, m reliable.Meeting) error {
	e, err := c.net.socket()
	if err != nil {
		return err
	}
	conn, err := e.Meet(ctx, m)
	if err != nil {
		return err
	}
	own, err := e.ServerKey()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	c.mu.Lock()
	p.up = !p.ended
	if p.up {
		c.m.queue.offer(Private{
			Peer: p.peer, Log: p.log, State: PrivateUp, Address: conn.RemoteAddr().String(), Words: reliable.Words(own, m.Key),
		})
	}
	c.mu.Unlock()
	signal(c.queued)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // What was said is still delivered. Ends the reader, too.
	defer stop()
	c.talks.Go(func() { c.writePrivate(ctx, p, conn) }) // Owns writing; ends with ctx or conn.
	return c.readPrivate(ctx, p, conn)
}

// writePrivate writes what there is to say.
func (c *Client) writePrivate(ctx context.Context, p *private, conn *reliable.Conn) {
	for {
		select {
		case <-p.more:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		b := p.out
		p.out = nil
		c.mu.Unlock()
		if _, err := conn.Write(b); err != nil {
			return // The reader finds out.
		}
	}
}

// readPrivate takes what the other says.
func (c *Client) readPrivate(ctx context.Context, p *private, conn *reliable.Conn) error {
	r := message.NewReader(conn, message.Config{MessageBytesMax: native.RequestBytesMax, BufferBytes: readBytes})
	defer r.Close()
	for {
		b, err := r.Next()
		if err != nil {
			if e, ok := errors.AsType[*reliable.CloseError](err); ok && e.Remote && e.Code == reliable.CodeShutdown || errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		_, what, err := native.DecodeRequest(b)
		if err != nil {
			return err
		}
		switch what := what.(type) {
		case native.Say:
			if err := c.awaitRoom(ctx); err != nil {
				return err
			}
			c.heardPrivate(p, what)
		case native.Mark:
			c.ackedPrivate(p, what.Seq)
		}
		signal(c.queued)
	}
}

// awaitRoom waits until the program has taken enough of the events: what it has not got could not be read again.
func (c *Client) awaitRoom(ctx context.Context) error {
	for {
		c.mu.Lock()
		full := c.m.queue.full()
		c.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-time.After(privateRoomWait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// heardPrivate takes a message of the other and confirms it.
func (c *Client) heardPrivate(p *private, s native.Say) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.ended || s.File != nil {
		return
	}
	if id := messageID(p.device, s.Counter); !c.m.served.ids[id] && c.m.direct.add(id) {
		c.m.queue.add(Said{Origin: Origin{
			Log: p.log, Peer: p.peer, Time: time.Now(), Account: p.peer, Device: p.device, Counter: s.Counter, Direct: true,
		}, Text: s.Text})
	}
	p.sendLocked(native.Mark{Log: p.log, Seq: s.Counter})
}

// ackedPrivate notes that the other has our messages up to a number.
func (c *Client) ackedPrivate(p *private, counter uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for len(p.unacked) > 0 && p.unacked[0].counter <= counter {
		m := p.unacked[0]
		p.unacked = p.unacked[1:]
		p.bytes -= m.bytes()
		m.change(func(s *Status) { s.State, s.Time, s.After, s.Err = Delivered, now, now.Sub(m.made), nil })
		c.m.tell(m)
		c.m.queue.offer(Said{Origin: Origin{
			Log: p.log, Peer: p.peer, Time: now, Account: c.m.account, Show: c.m.show, Device: m.device, Counter: m.counter,
			Mine: true, Here: true, Direct: true,
		}, Text: m.Text})
	}
	c.m.change()
}

// sayPrivateLocked says a text over the direct connection there is for its log; false: there is none.
func (c *Client) sayPrivateLocked(now time.Time, m *Message) (taken bool, err error) {
	for _, p := range c.privates {
		if p.log != m.Log || !p.up || m.File != nil {
			continue
		}
		if len(p.unacked) >= outboxMax || p.bytes+m.bytes() > outboxBytesMax {
			return true, ErrFull
		}
		if err := c.m.outbox.name(m, now); err != nil {
			return true, err
		}
		p.unacked = append(p.unacked, m)
		p.bytes += m.bytes()
		if len(p.unacked) == 1 {
			c.doubtLocked(p)
		}
		m.change(func(s *Status) { s.State, s.Sends = Sent, s.Sends+1 })
		c.m.tell(m)
		p.sendLocked(m.request())
		return true, nil
	}
	return false, nil
}

// doubtLocked gives the direct connection up when the oldest message is not confirmed in time.
func (c *Client) doubtLocked(p *private) {
	m := p.unacked[0]
	time.AfterFunc(time.Until(m.made.Add(privateDoubt)), func() {
		c.mu.Lock()
		late := len(p.unacked) > 0 && p.unacked[0] == m
		if !late && len(p.unacked) > 0 {
			c.doubtLocked(p)
		}
		c.mu.Unlock()
		if late {
			c.endPrivate(p, ErrUnconfirmed)
		}
	})
}

// sendLocked leaves a message for the writer.
func (p *private) sendLocked(r native.Request) {
	p.out = message.Append(p.out, native.AppendRequest(nil, 0, r))
	signal(p.more)
}

// unackedLocked returns how many of our messages direct connections have not confirmed.
func (c *Client) unackedLocked() (n int) {
	for _, p := range c.privates {
		n += len(p.unacked)
	}
	return n
}

// An idSet remembers the ids of the latest messages that came on one way.
type idSet struct {
	ids   map[string]bool
	order []string
}

// add reports whether the id is new.
func (d *idSet) add(id string) bool {
	if d.ids[id] {
		return false
	}
	if d.ids == nil {
		d.ids = make(map[string]bool)
	}
	if len(d.order) == directMax {
		delete(d.ids, d.order[0])
		d.order = d.order[1:]
	}
	d.ids[id] = true
	d.order = append(d.order, id)
	return true
}
