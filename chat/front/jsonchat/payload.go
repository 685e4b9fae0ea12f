package jsonchat

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A payload is the payload of the last frame, to be read. It ends with io.EOF when all of it was read.
type payload struct {
	conn  *conn
	ended func() error // Why the server wants no more of it, or nil.
}

// payload returns the payload of the last frame.
func (c *conn) payload(ctx context.Context) io.Reader {
	return &payload{c, func() error { return context.Cause(ctx) }}
}

// Read implements io.Reader.
func (p *payload) Read(b []byte) (int, error) {
	c := p.conn
	for {
		if n := c.decoder.Take(b); n > 0 || len(b) == 0 {
			return n, nil
		}
		if c.decoder.Left() == 0 {
			return 0, io.EOF
		}
		if c.broken == nil {
			c.broken = p.more()
		}
		if c.broken != nil {
			return 0, c.broken
		}
	}
}

// more reads some more of the payload into the decoder.
func (p *payload) more() error {
	c := p.conn
	if len(c.buf) < payloadBytes {
		c.buf = make([]byte, payloadBytes)
	}
	_ = c.out.session.SetReadDeadline(time.Now().Add(payloadIdle)) // An error: Read knows better why.
	if err := p.ended(); err != nil {                              // After it, which may have undone a wake.
		return err
	}
	n, err := c.out.session.Read(c.buf)
	c.decoder.Feed(c.buf[:n])
	switch {
	case n > 0:
		return nil
	case p.ended() != nil:
		return p.ended()
	case errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed):
		return errPayloadIdle
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// skipPayload throws away what was not read of the last frame's payload, so that the next one begins where it should.
func (c *conn) skipPayload(ctx context.Context) error {
	if c.decoder.Left() > 0 {
		if _, err := io.Copy(io.Discard, c.payload(ctx)); err != nil {
			return err
		}
	}
	if len(c.buf) > readBytes {
		c.buf = make([]byte, readBytes)
		_ = c.out.session.SetReadDeadline(time.Time{}) // As above; a wake that it undoes is seen next.
	}
	return nil
}
