package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"udpchat/chat/wire/lab"
)

// idleFlush is how long a stream must be silent before a reply that lacks only its end is taken as whole. It is for
// servers that never end their messages; see lab.ReplyDecoder.Pending.
const idleFlush = 200 * time.Millisecond

// A streamLink sends requests over TCP or reliable UDP, which repeat for us.
type streamLink struct {
	c    *Client
	conn net.Conn
}

func (l *streamLink) answers() bool { return false }

// send writes p in one piece. A write that fails or takes too long leaves half a message behind, so it ends the
// client.
func (l *streamLink) send(ctx context.Context, p *pending) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ok := p.req.(lab.Disconnect); !ok { // Nothing answers a DISCONNECT but the end of the connection.
		if err := l.c.add(p); err != nil {
			return err
		}
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return l.c.lost(err)
	}
	if _, err := l.conn.Write(p.wire); err != nil {
		return l.c.lost(err)
	}
	return nil
}

// read starts a reader: a goroutine that owns reading from one connection and ends with it. The client ends with its
// first reader, or with the last one if it is leaving: the notices may come over the other connection.
func (c *Client) read(run func() error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.readers++
	c.mu.Unlock()
	c.tasks.Go(func() {
		err := run()
		c.mu.Lock()
		c.readers--
		last, leaving := c.readers == 0, c.leaving
		if last && c.ended {
			close(c.events)
		}
		c.mu.Unlock()
		switch {
		case leaving && last:
			c.end(nil)
		case !leaving:
			_ = c.lost(err) // The first reason is kept; this is it, or came too late.
		}
	})
}

// lost ends the client because of err and returns the reason it has ended for.
func (c *Client) lost(err error) error {
	c.end(&LostError{Server: c.cfg.Server, Err: err})
	return c.reason()
}

// readStream reads replies from conn until it ends, and returns why: io.EOF if the server closed it.
func (c *Client) readStream(conn net.Conn) error {
	var d lab.ReplyDecoder
	buf := make([]byte, readBytes)
	for {
		n, err := conn.Read(buf)
		d.Feed(buf[:n])
		c.takeReplies(&d)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && d.Pending():
			d.Flush()
			c.takeReplies(&d)
		default:
			d.Flush() // What lacks only its end is whole now.
			c.takeReplies(&d)
			if errors.Is(err, io.EOF) {
				return io.EOF
			}
			return fmt.Errorf("reading: %w", err)
		}
		if c.cfg.Transport != TCP {
			continue // On a reliable stream over UDP a pause may be loss.
		}
		var until time.Time
		if d.Pending() {
			until = time.Now().Add(idleFlush)
		}
		if err := conn.SetReadDeadline(until); err != nil {
			return err
		}
	}
}

// takeReplies handles every reply the decoder holds.
func (c *Client) takeReplies(d *lab.ReplyDecoder) {
	for {
		r, ok, err := d.Next()
		switch {
		case err != nil:
			c.log.Debug("malformed reply", "err", err)
			c.emit(Event{Kind: KindUnknown, Text: err.Error()})
		case !ok:
			return
		default:
			c.handleReply(r)
		}
	}
}
