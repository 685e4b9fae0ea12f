package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"udpchat/chat"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// transfer carries out Transfer: the rest of the session is one file. It returns why the session ends, never nil unless it was
// refused because somebody has logged in.
func (c *conn) transfer(work context.Context, head wire.Head, m wire.Transfer) error {
	if c.login != nil {
		return c.refuse(head, refusef(wire.CodeOutOfOrder, "files have sessions of their own"))
	}
	t, err := c.front.tickets.begin(time.Now(), c, m.Token)
	if err != nil {
		return c.failed(head, err)
	}
	defer c.front.tickets.end(c, t)
	if t.upload {
		return c.takeFile(work, head, t)
	}
	return c.giveFile(work, head, t, m.Offset)
}

// takeFile receives a file, from where what has come of it ends.
func (c *conn) takeFile(work context.Context, head wire.Head, t ticket) error {
	p, err := c.front.spool.begin(work, t.account, t.digest, t.size, func() { c.end(ErrEvicted) })
	if err != nil {
		return c.failed(head, err)
	}
	defer p.close()
	// Once more, since many tickets may have been given out before the first of them was used.
	if err := c.front.refuseFull(work, t.account, t.digest, t.size); err != nil {
		if p.offset == 0 {
			p.discard()
		}
		return c.failed(head, err)
	}
	c.reply(head, wire.Transferring{Offset: p.offset, Size: p.size, Upload: true})
	for {
		head, req, err := c.next()
		if err != nil {
			return err
		}
		now := time.Now()
		switch m := req.(type) {
		case wire.Chunk:
			err = p.write(m.Offset, m.Data)
		case wire.Finish:
			if err = c.finish(work, t, p); err == nil {
				c.reply(head, wire.Done{})
				return c.awaitEnd()
			}
		case wire.Ping:
			c.reply(head, wire.Pong{Sent: m.Sent, Received: wire.At(now), Answered: wire.At(time.Now())})
			continue
		default:
			err = refusef(wire.CodeOutOfOrder, "a file is being sent here")
		}
		if err != nil {
			return c.failed(head, err)
		}
		if head.ID != 0 {
			c.reply(head, wire.Done{})
		}
	}
}

// finish stores a file that has come. Bytes that are not the file change nothing.
func (c *conn) finish(work context.Context, t ticket, p *part) error {
	if p.offset < p.size {
		return refusef(wire.CodeOffset, "the next byte is %d", p.offset)
	}
	ctx, cancel := context.WithTimeout(work, storeTimeout)
	defer cancel()
	_, err := io.Copy(io.Discard, p.reader())
	if errors.Is(err, errChecksum) {
		p.discard()
		return err
	}
	if err == nil {
		err = c.front.keep(ctx, t, p)
	}
	if err != nil {
		return fmt.Errorf("native: storing a file: %w", err)
	}
	p.discard()
	return nil
}

// keep stores the bytes of a file for an account. It notes first whose they are until somebody is told of them, so that what
// breaks off in between is collected.
func (f *Front) keep(ctx context.Context, t ticket, p *part) error {
	ok, err := f.cfg.Accounts.Hold(ctx, t.account, t.digest.id())
	if err != nil {
		return err
	}
	if !ok {
		return busy("the same file is just being dropped")
	}
	if err := f.cfg.Accounts.Charge(ctx, t.account, t.digest.id(), int64(t.size)); err != nil {
		return err
	}
	if _, _, err := f.cfg.Engine.PutBlob(ctx, p.reader()); err != nil {
		return err
	}
	val := strconv.AppendUint(nil, t.size, 10)
	_, err = f.cfg.Engine.Put(ctx, uploadsBucket, uploadKey(t.account, t.digest), val, 0)
	if errors.Is(err, chat.ErrConflict) {
		return nil // The account has sent it twice at the same time.
	}
	return err
}

// giveFile sends a file from offset on, at the client's pace.
func (c *conn) giveFile(work context.Context, head wire.Head, t ticket, offset uint64) error {
	if offset > t.size {
		return c.failed(head, refusef(wire.CodeOffset, "the file has %d bytes", t.size))
	}
	r, err := c.front.cfg.Engine.GetBlob(work, t.digest.id(), int64(offset))
	if errors.Is(err, chat.ErrNotFound) {
		err = refusef(wire.CodeNoFile, "the file is gone")
	}
	if err != nil {
		return c.failed(head, err)
	}
	defer r.Close() // Nothing was written.
	c.reply(head, wire.Transferring{Offset: offset, Size: t.size})
	buf := make([]byte, chunkBytes)
	for offset < t.size {
		n, err := io.ReadFull(r, buf[:min(chunkBytes, t.size-offset)])
		if err != nil {
			return c.failed(wire.Head{}, fmt.Errorf("native: reading a file: %w", err))
		}
		c.push(wire.Chunk{Offset: offset, Data: buf[:n]})
		offset += uint64(n)
		if err := c.session.Drained(work, queuedBytesMax); err != nil {
			return err
		}
		if err := c.stopped(); err != nil {
			return err
		}
	}
	c.push(wire.Finish{})
	return c.awaitEnd()
}

// awaitEnd lets the client have the last word, so that nothing is lost that is still on its way to it.
func (c *conn) awaitEnd() error {
	for {
		if _, _, err := c.next(); err != nil {
			return ErrTransferred
		}
	}
}

// failed says why a transfer ends.
func (c *conn) failed(head wire.Head, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		c.front.cfg.Logger.Warn("no room for an upload", "err", err)
		err = busy("the server has no room")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		c.front.cfg.Logger.Error("uploads cannot be written", "err", err)
		err = busy("the server's directory of uploads cannot be written to")
	}
	c.reply(head, errorReply(err, c.front.cfg.Logger))
	return fmt.Errorf("native: transfer: %w", err)
}

// next reads the next request of a transfer. A malformed one ends it.
func (c *conn) next() (wire.Head, wire.Request, error) {
	for {
		m, ok, err := c.decoder.Next()
		if message.Refused(err) {
			return wire.Head{}, nil, c.failed(wire.Head{}, err)
		}
		if err != nil {
			return wire.Head{}, nil, c.failed(wire.Head{}, refusef(wire.CodeMalformed, "frame has no length"))
		}
		if ok && len(m) == 0 {
			continue
		}
		if ok {
			head, req, err := wire.DecodeRequest(m)
			if err != nil {
				err = c.failed(head, err)
			}
			return head, req, err
		}
		if err := c.more(); err != nil {
			return wire.Head{}, nil, err
		}
	}
}

// more feeds the decoder with what comes next.
func (c *conn) more() error {
	if len(c.buf) < transferBytes {
		c.buf = make([]byte, transferBytes) // Of a transfer there are few.
	}
	_ = c.session.SetReadDeadline(time.Now().Add(transferTimeout)) // If it fails the connection has ended; Read knows better why.
	if err := c.stopped(); err != nil {
		return err // After the deadline, which may have undone a wake.
	}
	n, err := c.session.Read(c.buf)
	c.decoder.Feed(c.buf[:n])
	switch {
	case n > 0:
		return nil
	case c.stopped() != nil:
		return c.stopped()
	case errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed):
		return ErrSilent
	}
	return err
}
