package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"udpchat/reliable"
)

// dial opens the connection.
func (c *Config) dial(ctx context.Context) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, c.Transport, c.Server)
	}
	var d net.Dialer
	switch c.Transport {
	case TCP:
		conn, err := d.DialContext(ctx, "tcp", c.Server)
		if errors.Is(err, os.ErrDeadlineExceeded) { // The socket's own deadline is that of ctx, and at times a little earlier.
			err = fmt.Errorf("%w (%w)", context.DeadlineExceeded, err)
		}
		return conn, err
	case Plain:
		return d.DialContext(ctx, "udp", c.Server)
	}
	conn, err := reliable.Dial(ctx, c.Server, c.Reliable)
	if err != nil {
		return nil, err // Not conn: a nil *Conn in a net.Conn is not nil.
	}
	return conn, nil
}

// listenCalls opens the callback endpoint. Whoever calls must be the server that conn leads to.
func (c *Config) listenCalls(addr string, conn net.Conn) (Caller, error) {
	cfg := c.Reliable
	cfg.ServerKey, _ = serverKey(conn)
	ep, err := reliable.Listen(addr, cfg)
	if err != nil {
		return nil, err
	}
	return endpoint{ep}, nil
}

// An endpoint is a reliable endpoint as a Caller.
type endpoint struct{ *reliable.Endpoint }

func (e endpoint) AwaitCall(ctx context.Context, from netip.AddrPort) (net.Conn, error) {
	conn, err := e.Endpoint.AwaitCall(ctx, from)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// LocalAddr returns our end of the first connection.
func (c *Client) LocalAddr() net.Addr { return c.first.LocalAddr() }

// RemoteAddr returns the server's end of the first connection.
func (c *Client) RemoteAddr() net.Addr { return c.first.RemoteAddr() }

// Callback returns the address at which we told the server we listen; the zero value without one.
func (c *Client) Callback() netip.AddrPort { return c.callback }

// ServerKey returns the key the server has proven to have. ok is false over TCP and plain datagrams, which prove nothing.
func (c *Client) ServerKey() (key reliable.Key, ok bool) { return serverKey(c.first) }

func serverKey(conn net.Conn) (reliable.Key, bool) {
	if conn, ok := conn.(interface{ ServerKey() reliable.Key }); ok {
		return conn.ServerKey(), true
	}
	return reliable.Key{}, false
}

// LinkStats returns the figures of the first connection. ok is false over TCP and plain datagrams, which keep none.
func (c *Client) LinkStats() (s reliable.ConnStats, ok bool) { return stats(c.first) }

// CallbackStats returns the figures of the connection the server asked for. ok is false if there is none.
func (c *Client) CallbackStats() (s reliable.ConnStats, ok bool) {
	c.mu.Lock()
	conn := c.called
	c.mu.Unlock()
	return stats(conn)
}

func stats(conn net.Conn) (reliable.ConnStats, bool) {
	if conn, ok := conn.(interface{ Stats() reliable.ConnStats }); ok {
		return conn.Stats(), true
	}
	return reliable.ConnStats{}, false
}
