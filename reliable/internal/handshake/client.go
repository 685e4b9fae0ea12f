package handshake

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"time"

	"udpchat/reliable/internal/wire"
)

// A Client asks one server for one connection: it repeats its hello at growing gaps, like an urgent message, until the
// server's part of the handshake is there or the server refuses.
type Client struct {
	hello  wire.Hello // but for its piece
	tls    *exchange
	server wire.ConnID // whose pieces flight has
	flight assembly
	seen   Key
	wrong  error // what Verify said of it
	offset int   // what comes next in a hello of several datagrams; 0: a new round
	sent   int   // hellos since the start or since the cookie came
	nextAt time.Time
	size   int // of a hello, at least
}

// ClientConfig says what a client asks for.
type ClientConfig struct {
	Source wire.ConnID     // the ID the client listens for
	Nonce  wire.Nonce      // random
	Call   wire.CallNonce  // of the CALL packet that is answered; 0: none is
	Token  []byte          // from this server; nil: none
	Verify func(Key) error // says whether the server's key is the right one; must not block

	// Identity is what the client proves, if the server asks for it (SPEC.md 4.11); nil: nothing.
	Identity *Identity
}

// A Result is what comes of a client's handshake.
type Result struct {
	Server   wire.ConnID
	Key      Key // the server's
	Keys     *Keys
	First    *Seal  // for packets that carry Finished
	Finished []byte // for the crypto frame; until the server has it, it has no other keys
}

// NewClient returns a client whose first hello is due now.
func NewClient(now time.Time, cfg ClientConfig) (*Client, error) {
	c := &Client{
		hello:  wire.Hello{Source: cfg.Source, Nonce: cfg.Nonce, Call: cfg.Call, Cookie: cfg.Token},
		flight: assembly{max: flightBytesMax}, nextAt: now, size: wire.HelloBytesMin,
	}
	config := clientConfig(func(key Key) error {
		c.seen, c.wrong = key, cfg.Verify(key)
		return c.wrong
	})
	if cfg.Identity != nil {
		config.Certificates = cfg.Identity.config.Certificates
		c.size = mutualHelloBytes // The server's part says that it wants one, too.
	}
	var err error
	c.tls, err = newExchange(tls.QUICClient(&tls.QUICConfig{TLSConfig: config}), clientNames(c.hello), nil)
	return c, err
}

// NextAt is when the next hello is due.
func (c *Client) NextAt() time.Time { return c.nextAt }

// AppendDue appends a datagram of the hello that is due at now, if any. It is to be called until none is.
func (c *Client) AppendDue(now time.Time, b []byte) (datagram []byte, due bool) {
	if c.offset == 0 {
		if now.Before(c.nextAt) {
			return b, false
		}
		c.nextAt = now.Add(Gap(c.sent))
		c.sent++
	}
	h, all := c.hello, c.tls.initial.data
	h.Want = uint16(len(c.flight.b))
	h.Piece = cut(all, c.offset, wire.DatagramBytesBase-wire.HelloBytes-len(h.Cookie))
	if c.offset += len(h.Piece.Data); c.offset == len(all) {
		c.offset = 0
	}
	size := c.size
	if c.flight.total > 0 {
		size = wire.DatagramBytesBase // There is more to come, and it comes in pieces as long as our hellos.
	}
	return wire.AppendHello(b, h, size), true
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
	c.sent, c.offset, c.nextAt = 0, 0, now
	return true
}

// HandleRefuse reports whether r answers our hello; then there will be no connection.
func (c *Client) HandleRefuse(r wire.Refuse) (ours bool) {
	return r.Dest == c.hello.Source && r.Nonce == c.hello.Nonce
}

// HandleAccept takes a piece of the server's part. With the last one it returns what came of the handshake; an error
// means that it failed, for good.
func (c *Client) HandleAccept(now time.Time, a wire.Accept) (r *Result, ours bool, err error) {
	if a.Dest != c.hello.Source || a.Nonce != c.hello.Nonce {
		return nil, false, nil
	}
	if a.Source != c.server { // The first, or the server has forgotten us and begun anew.
		c.server, c.flight = a.Source, assembly{max: flightBytesMax}
	}
	before := len(c.flight.b)
	flight, err := c.flight.add(a.Piece)
	if err != nil {
		return nil, true, err
	}
	if flight == nil {
		if len(c.flight.b) > before {
			c.nextAt = now // For the next piece.
		}
		return nil, true, nil
	}
	r, err = c.finish(flight)
	return r, true, err
}

// finish gives the server's part to TLS: its server hello in clear, which gives the keys for the rest.
func (c *Client) finish(flight []byte) (*Result, error) {
	x := c.tls
	x.peer = serverNames(c.server)
	if len(flight) < 2 || len(flight) < 2+int(binary.BigEndian.Uint16(flight)) {
		return nil, errIncomplete
	}
	end := 2 + int(binary.BigEndian.Uint16(flight))
	if err := x.handle(tls.QUICEncryptionLevelInitial, flight[2:end]); err != nil {
		return nil, err
	}
	if x.handshake.read == nil {
		return nil, errIncomplete
	}
	seal, err := newSeal(x.suite, x.handshake.read)
	if err != nil {
		return nil, err
	}
	clear, ok := seal.Open(flight[end:], 0, 0)
	if !ok {
		return nil, errIncomplete
	}
	if err := x.handle(tls.QUICEncryptionLevelHandshake, clear); err != nil {
		if c.wrong != nil {
			return nil, c.wrong // Without the layers it came through.
		}
		return nil, err
	}
	r := &Result{Server: c.server, Key: c.seen, Finished: x.handshake.data}
	if r.Keys, err = x.keys(); err != nil {
		return nil, err
	}
	r.First, err = newSeal(x.suite, x.handshake.write)
	return r, err
}

// Close ends the client. It must be called, whatever came of it.
func (c *Client) Close() { _ = c.tls.close() }
