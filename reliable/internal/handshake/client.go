package handshake

import (
	"bytes"
	"time"

	"udpchat/reliable/internal/wire"
)

// A Client asks one server for one connection.
type Client struct {
	hello  wire.Hello
	sent   int // hellos since the start or since the cookie came
	nextAt time.Time
}

// NewClient returns a client whose first hello is due now. Source must be the ID the client listens for, nonce must
// be random. Call is the nonce of the CALL packet that is answered, 0 if none is.
func NewClient(now time.Time, source wire.ConnID, nonce wire.Nonce, call wire.CallNonce) *Client {
	return &Client{hello: wire.Hello{Source: source, Nonce: nonce, Call: call}, nextAt: now}
}

// NextAt is when the next hello is due.
func (c *Client) NextAt() time.Time { return c.nextAt }

// AppendDue appends the hello that is due at now, if any.
func (c *Client) AppendDue(now time.Time, b []byte) (datagram []byte, due bool) {
	if now.Before(c.nextAt) {
		return b, false
	}
	gap := helloGapLast
	if c.sent < len(helloGaps) {
		gap = helloGaps[c.sent]
	}
	c.sent++
	c.nextAt = now.Add(gap)
	return wire.AppendHello(b, c.hello), true
}

// HandleRetry takes the server's cookie. The next hello, which carries it, is due at once. A cookie we already have is
// not answered again: the repetitions go on as planned.
func (c *Client) HandleRetry(now time.Time, r wire.Retry) (ours bool) {
	if r.Dest != c.hello.Source || r.Nonce != c.hello.Nonce {
		return false
	}
	if bytes.Equal(r.Cookie, c.hello.Cookie) {
		return true
	}
	c.hello.Cookie = bytes.Clone(r.Cookie)
	c.sent, c.nextAt = 0, now
	return true
}

// HandleAccept reports whether a answers our hello; then the connection exists.
func (c *Client) HandleAccept(a wire.Accept) (ours bool) {
	return a.Dest == c.hello.Source && a.Nonce == c.hello.Nonce
}

// HandleRefuse reports whether r answers our hello; then there will be no connection.
func (c *Client) HandleRefuse(r wire.Refuse) (ours bool) {
	return r.Dest == c.hello.Source && r.Nonce == c.hello.Nonce
}
