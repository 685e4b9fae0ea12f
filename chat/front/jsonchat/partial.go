package jsonchat

import (
	"errors"
	"net"
	"os"
	"time"

	wire "udpchat/chat/wire/jsonchat"
)

// watchPartial bounds how long a JSON text may be coming in, and how much there may be of all large ones: what is there takes
// memory.
//
//go:noinline
func (c *conn) watchPartial() error {
	bytes := c.decoder.Partial()
	if began := bytes > 0; began != c.partial {
		c.partial = began
		var at time.Time
		if began {
			at = time.Now().Add(frameTime)
		}
		_ = c.out.session.SetReadDeadline(at) // An error: Read knows better why. A wake that it undoes is seen next.
	}
	held := 0
	if bytes > largeBytes {
		held = c.decoder.Held()
	}
	if held <= largeBytes {
		held = 0
	}
	if !c.countLarge(held) {
		_ = c.answer(wire.UnknownName, nil, errBusy) // The connection ends anyway.
		return errBusy
	}
	return nil
}

// countLarge has so many bytes of the connection counted, and reports whether there may be as many in all.
func (c *conn) countLarge(bytes int) bool {
	more := bytes - c.large
	if more == 0 {
		return true
	}
	c.large = bytes
	return c.front.large.Add(int64(more)) <= c.front.largeMost || more < 0
}

// whyEnded returns why the session ends, of which Read returned err.
func (c *conn) whyEnded(err error) error {
	if c.partial && errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		return errFrameSlow
	}
	return err
}
