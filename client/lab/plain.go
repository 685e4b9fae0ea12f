package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"udpchat/chat/wire/lab"
)

// A plainLink sends requests as datagrams, one at a time, repeating each until it is answered.
//
// One at a time, because a server knows a repeat only by comparing with the previous datagram from this address.
type plainLink struct {
	c     *Client
	conn  net.Conn      // Every Write is one datagram.
	turns chan *pending // Unbuffered: taken by run when the request before is done with.

	// Owned by run.
	previous []byte    // The datagram sent last.
	sentAt   time.Time // When.
	proven   bool      // The server has seen our JOIN_ID come back.
	failures int       // Signs of life in a row that were not answered.
}

func (l *plainLink) answers() bool { return true }

// startPlain starts the reader and the sender, and asks the server to identify itself.
func (c *Client) startPlain(ctx context.Context, conn net.Conn) error {
	l := &plainLink{c: c, conn: conn, turns: make(chan *pending)}
	c.link = l
	if c.cfg.Callback != "" {
		if err := c.listenPlain(conn); err != nil {
			return err
		}
	}
	c.read(func() error { return c.readDatagrams(conn) })
	c.tasks.Go(l.run) // Owns sending; ends with the client.
	if err := c.do(ctx, c.signOfLife()); err != nil {
		return fmt.Errorf("lab: connecting to %s over %s: %w", c.cfg.Server, Plain, err)
	}
	return nil
}

// signOfLife makes a HELO that changes nothing. It is padded so that the answer is no amplification.
func (c *Client) signOfLife() *pending {
	line := "HELO udpchat "
	p := c.request(lab.Helo{Line: line + strings.Repeat(".", heloPadBytes-len(line))})
	p.quiet = true
	return p
}

// send waits for the turn of p.
func (l *plainLink) send(ctx context.Context, p *pending) error {
	if len(p.wire) > datagramBytesMax {
		return fmt.Errorf("%w: %d bytes with its header, a plain datagram carries %d (transport %s or %s carries more)",
			ErrTooLong, len(p.wire), datagramBytesMax, UDP, TCP)
	}
	select {
	case l.turns <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.c.stop.Done():
		return l.c.reason()
	}
}

// run serves one request after the other until the client ends.
func (l *plainLink) run() {
	for {
		alive := time.NewTimer(aliveEvery)
		select {
		case p := <-l.turns:
			if l.transact(p) == nil {
				l.prove(p)
			}
		case <-alive.C:
			l.showLife()
		case <-l.c.stop.Done():
			alive.Stop()
			return
		}
		alive.Stop()
	}
}

// transact sends p until it is answered, and gives up on it after answerWait. It returns what became of p, which is
// settled then.
func (l *plainLink) transact(p *pending) error {
	err := l.repeat(p)
	if err == nil && l.c.stop.Err() != nil {
		err = l.c.reason()
	}
	if err != nil {
		l.c.settle(p, err) // Unless it has been answered meanwhile.
	}
	<-p.answered
	return p.err
}

// repeat sends p until it is settled, the client ends, or there is an error to settle it with.
func (l *plainLink) repeat(p *pending) error {
	if bytes.Equal(p.wire, l.previous) {
		// The same once more, on purpose: wait until it cannot be taken for a repeat.
		if !l.pause(p, time.Until(l.sentAt.Add(repeatWindow+repeatEvery))) {
			return nil
		}
	}
	// Nobody hears of a member without rooms: no answer will come to its goodbye.
	_, goodbye := p.req.(lab.Disconnect)
	unheard := goodbye && len(p.rooms) == 0
	if err := l.c.add(p); err != nil {
		return err
	}
	start := time.Now()
	for i := range sendsMax {
		if i > 0 {
			l.c.countSend(p)
		}
		l.previous, l.sentAt = p.wire, time.Now()
		if _, err := l.conn.Write(p.wire); err != nil {
			return l.c.lost(fmt.Errorf("writing: %w", err))
		}
		if unheard {
			l.c.settle(p, nil)
		}
		if !l.pause(p, repeatEvery) {
			return nil
		}
	}
	if l.pause(p, time.Until(start.Add(answerWait))) {
		return ErrNoAnswer
	}
	return nil
}

// pause waits for d and reports whether p is still unanswered then.
func (l *plainLink) pause(p *pending, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.answered: // Also when the client ends or the caller gives up.
		return false
	case <-l.c.stop.Done():
		return false
	}
}

// prove sends the JOIN_ID back to the server once, right after it was given in answer to p: until then the server
// sends an address that may be forged no more than three times the bytes it got (PROTOCOL.md 9), and a member who only
// listens would soon hear nothing. Leaving a room that cannot exist is the one request with a JOIN_ID that changes
// nothing; a strict server answers with an error, but has seen the JOIN_ID.
func (l *plainLink) prove(p *pending) {
	j, ok := p.reply.(lab.Joined)
	if !ok || l.proven {
		return
	}
	nowhere := strings.Repeat("0", lab.NameBytesMax+1) // No ROOM_REF, and too long to be a room's name.
	q := l.c.request(lab.Leave{Room: nowhere, JoinID: j.JoinID, Name: l.c.cfg.Name})
	q.quiet = true
	err := l.transact(q)
	_, refused := errors.AsType[*ServerError](err)
	l.proven = err == nil || refused
}

// showLife keeps the server from dropping a silent member, and notices a server that is gone.
func (l *plainLink) showLife() {
	err := l.transact(l.c.signOfLife())
	if err == nil {
		l.failures = 0
		return
	}
	if l.failures++; l.failures == aliveFailuresMax {
		_ = l.c.lost(err)
	}
}

// countSend counts one more copy of p on the wire.
func (c *Client) countSend(p *pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.sends++
}

// readDatagrams reads replies from a connected socket until it fails.
func (c *Client) readDatagrams(conn net.Conn) error {
	buf := make([]byte, datagramReadBytes)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		c.takeDatagram(buf[:n])
	}
}

// listenPlain opens the callback socket. Only what comes from the server's address is read: the socket hears
// everybody.
func (c *Client) listenPlain(conn net.Conn) error {
	listen := c.cfg.ListenPlain
	if listen == nil {
		listen = func(addr string) (net.PacketConn, error) { return net.ListenPacket("udp", addr) }
	}
	pc, err := listen(c.cfg.Callback)
	if err != nil {
		return fmt.Errorf("lab: %w at %s: %w", ErrCallback, c.cfg.Callback, err)
	}
	if err := c.own(pc); err != nil {
		return err
	}
	if c.callback, err = announced(pc.LocalAddr(), conn.LocalAddr()); err != nil {
		return err
	}
	server, err := addrPort(conn.RemoteAddr())
	if err != nil {
		return err
	}
	c.read(func() error { return c.readCallbacks(pc, server.Addr()) })
	return nil
}

func (c *Client) readCallbacks(pc net.PacketConn, server netip.Addr) error {
	buf := make([]byte, datagramReadBytes)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return fmt.Errorf("reading callbacks: %w", err)
		}
		if ap, err := addrPort(from); err == nil && ap.Addr() == server {
			c.takeDatagram(buf[:n])
		}
	}
}

// takeDatagram handles the replies in one datagram. Its end is the end of the last one.
func (c *Client) takeDatagram(b []byte) {
	var d lab.ReplyDecoder
	d.Feed(b)
	c.takeReplies(&d)
	d.Flush()
	c.takeReplies(&d)
}
