package jsonchat

import (
	"errors"
	"net"
	"os"
	"time"

	wire "udpchat/chat/wire/jsonchat"
)

// watchPartial bounds how long a JSON text may be coming in, and how many large ones are: what is there takes memory.
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
	switch isLarge := bytes > largeBytes; {
	case isLarge == c.large:
	case c.large:
		c.endLarge()
	default:
		select {
		case c.front.large <- struct{}{}:
			c.large = true
		default:
			_ = c.answer(wire.UnknownName, nil, errBusy) // The connection ends anyway.
			return errBusy
		}
	}
	return nil
}

// endLarge gives the place for a large JSON text back, if the connection has one.
func (c *conn) endLarge() {
	if c.large {
		c.large = false
		<-c.front.large
	}
}

// whyEnded returns why the session ends, of which Read returned err.
func (c *conn) whyEnded(err error) error {
	if c.partial && errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		return errFrameSlow
	}
	return err
}
