package reliable

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"

	"udpchat/reliable/internal/handshake"
)

// ServerTLS returns what a server over TCP needs for crypto/tls: TLS 1.3 with the identity's key, the one that clients
// pin over UDP, too. The result is the caller's.
func ServerTLS(id *Identity) *tls.Config { return id.StreamServer() }

// A TLSConn is a connection over TLS and TCP to a server whose key was checked: what a Conn is without UDP.
type TLSConn struct {
	*tls.Conn
	key Key
}

// ServerKey returns the key the server has proven to have.
func (c *TLSConn) ServerKey() Key { return c.key }

// DialTLS connects to addr ("host:port") over TCP, with TLS 1.3 and the same check of the server's key as Dial: of cfg
// it takes ServerKey, VerifyServer and HandshakeTimeout. It gives up when ctx is done, which has no effect later.
func DialTLS(ctx context.Context, addr string, cfg Config) (*TLSConn, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.HandshakeTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if errors.Is(err, os.ErrDeadlineExceeded) { // The socket's own deadline is that of ctx, and at times a little earlier.
		return nil, fmt.Errorf("reliable: %w (%w)", context.DeadlineExceeded, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reliable: %w", err)
	}
	c := &TLSConn{}
	var wrong error // What the check of the key said.
	c.Conn = tls.Client(conn, handshake.StreamClient(func(key Key) error {
		c.key, wrong = key, cfg.verify(key)
		return wrong
	}))
	if err := c.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // There is nothing on the way.
		if wrong != nil {
			err = wrong // Without the layers it came through.
		}
		return nil, fmt.Errorf("reliable: TLS with %v: %w", conn.RemoteAddr(), err)
	}
	return c, nil
}
