package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// A transfer is a session that carries the bytes of one file (SPEC.md 8). Its methods belong to one goroutine, but for the
// one that listen starts.
type transfer struct {
	conn   net.Conn
	r      *message.Reader
	what   native.Transferring
	forget func() bool   // Stops watching the context.
	gone   chan struct{} // Closed when nobody listens any more; nil: nobody ever did.
}

// transfer opens a session for a ticket, beside the one there is.
func (c *Client) transfer(ctx context.Context, begin native.Transfer) (*transfer, error) {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return nil, net.ErrClosed // Lost since the ticket came.
	}
	opening, cancel := context.WithTimeout(ctx, transferWait)
	defer cancel()
	bulk, err := conn.OpenBulk(opening)
	if err != nil {
		return nil, err
	}
	t := &transfer{conn: bulk, r: message.NewReader(bulk, message.Config{MessageBytesMax: native.ReplyBytesMax, BufferBytes: readBytes})}
	t.forget = context.AfterFunc(ctx, func() { _ = bulk.Close() }) // Whoever reads or writes notices.
	if err := t.begin(begin, c.cfg.Agent); err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

// begin says hello and presents the ticket.
func (t *transfer) begin(begin native.Transfer, agent string) error {
	b := []byte(prologue)
	b = message.Append(b, native.AppendRequest(nil, 1, native.Hello{
		Version: native.Version, VersionMin: native.VersionMin, Capabilities: native.CanFiles, Agent: agent,
	}))
	b = message.Append(b, native.AppendRequest(nil, 2, begin))
	if err := t.write(b); err != nil {
		return err
	}
	for {
		reply, err := t.next()
		if err != nil {
			return err
		}
		if what, ok := reply.(native.Transferring); ok {
			t.what = what
			return nil
		}
	}
}

// next returns the next message; an Error is one.
func (t *transfer) next() (native.Reply, error) {
	if err := t.conn.SetReadDeadline(time.Now().Add(transferWait)); err != nil {
		return nil, err
	}
	b, err := t.r.Next()
	if err != nil {
		return nil, err
	}
	_, reply, err := native.DecodeReply(b)
	if err != nil {
		return nil, err
	}
	if e, refused := reply.(native.Error); refused {
		return nil, e
	}
	return reply, nil
}

// listen hears the server out while chunks are sent: the channel gets nil when it has said Done, else why it ended.
func (t *transfer) listen() <-chan error {
	result := make(chan error, 1)
	t.gone = make(chan struct{})
	// Owns reading; ends with the session.
	go func() {
		defer close(t.gone)
		for {
			b, err := t.r.Next()
			if err != nil {
				result <- err
				return
			}
			_, reply, err := native.DecodeReply(b)
			if e, refused := reply.(native.Error); refused {
				err = e
			}
			if _, done := reply.(native.Done); done || err != nil {
				result <- err
				return
			}
		}
	}()
	return result
}

// send writes a request.
func (t *transfer) send(id uint64, what native.Request) error {
	return t.write(message.Append(nil, native.AppendRequest(nil, id, what)))
}

func (t *transfer) write(b []byte) error {
	if err := t.conn.SetWriteDeadline(time.Now().Add(transferWait)); err != nil {
		return err
	}
	_, err := t.conn.Write(b)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		err = fmt.Errorf("sending: %w", err)
	}
	return err
}

// end ends the session.
func (t *transfer) end() {
	t.forget()
	_ = t.conn.Close() // Everything that matters was answered.
	if t.gone != nil {
		_ = t.conn.SetReadDeadline(time.Unix(1, 0)) // A stream that is closed may still be read.
		<-t.gone
	}
	t.r.Close()
}
