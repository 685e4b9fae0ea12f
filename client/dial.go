package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"udpchat/reliable"
)

// A Conn is an encrypted connection to a server whose key is known.
type Conn interface {
	net.Conn
	// ServerKey returns the key the server has proven to have.
	ServerKey() reliable.Key
	// OpenBulk opens a way of its own to the same server for much data, which does not delay what the Conn carries: a
	// stream, or another connection.
	OpenBulk(ctx context.Context) (net.Conn, error)
	// Drop closes the connection at once, without waiting for what is still on the way.
	Drop()
}

// An UntrustedError says that Config.VerifyServer does not want the server's key. It wraps what that said.
type UntrustedError struct {
	Key reliable.Key
	Err error
}

func (e *UntrustedError) Error() string {
	return "client: the server's key is not trusted: " + e.Err.Error()
}
func (e *UntrustedError) Unwrap() error { return e.Err }

// A network dials over the real network. One socket serves all reliable connections of a client, so that the server's
// tokens and the mapping of a NAT last.
type network struct {
	cfg    reliable.Config            // Constant: with the key that is wanted, and who verifies it.
	verify func(k reliable.Key) error // Constant: what is wrong with a server's key; never nil.

	mu       sync.Mutex
	want     reliable.Key       // Guarded by mu: zero while any will do.
	endpoint *reliable.Endpoint // Guarded by mu: nil until it is needed.
	closed   bool               // Guarded by mu.
}

// newNetwork returns a network for servers with the key want, or, if that is zero, with one that verify likes.
func newNetwork(cfg reliable.Config, want reliable.Key, verify func(reliable.Key) error) *network {
	n := &network{cfg: cfg, want: want}
	n.verify = func(got reliable.Key) error {
		n.mu.Lock()
		want := n.want
		n.mu.Unlock()
		if want != (reliable.Key{}) && got != want {
			return &reliable.KeyError{Want: want, Got: got}
		}
		if verify == nil {
			return nil
		}
		if err := verify(got); err != nil {
			return &UntrustedError{Key: got, Err: err}
		}
		return nil
	}
	n.cfg.VerifyServer = n.verify
	if cfg.IdleTimeout == 0 {
		n.cfg.IdleTimeout = idleTimeout
	}
	return n
}

// pin has all further connections lead to a server with the key of the first one.
func (n *network) pin(key reliable.Key) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.want = key
}

// dial opens a connection to addr ("host:port").
func (n *network) dial(ctx context.Context, transport, addr string) (Conn, error) {
	if transport == TCP {
		conn, err := n.dialTLS(ctx, addr)
		if err != nil {
			return nil, fmt.Errorf("client: connecting to %s over tcp: %w", addr, err)
		}
		return conn, nil
	}
	conn, err := n.dialUDP(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("client: connecting to %s over udp: %w", addr, err)
	}
	return conn, nil
}

// close closes the socket. What was written to its connections is still delivered, for a moment.
func (n *network) close() {
	n.mu.Lock()
	e := n.endpoint
	n.endpoint, n.closed = nil, true
	n.mu.Unlock()
	if e != nil {
		_ = e.Close() // Its connections are closed already, and said what there was to say.
	}
}

func (n *network) dialUDP(ctx context.Context, addr string) (Conn, error) {
	to, err := resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	e, err := n.socket()
	if err != nil {
		return nil, err
	}
	conn, err := e.Dial(ctx, to)
	if socketGone(err) {
		n.mu.Lock()
		if n.endpoint == e {
			n.endpoint = nil
		}
		n.mu.Unlock()
		_ = e.Close() // It is of no use any more.
	}
	if err != nil {
		return nil, err
	}
	return udpConn{conn}, nil
}

// socketGone reports whether err is about our own socket, which the system has taken away. A connection that was not made
// matches net.ErrClosed, too, and says nothing about the socket and the others on it.
func socketGone(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err == net.ErrClosed { //nolint:errorlint // Only this very one.
			return true
		}
	}
	return false
}

// socket returns the endpoint, which it opens if there is none.
func (n *network) socket() (*reliable.Endpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if n.endpoint == nil {
		e, err := reliable.Listen(":0", n.cfg)
		if err != nil {
			return nil, err
		}
		_ = e.Listener().Close() // Nobody connects to us whom we do not meet.
		n.endpoint = e
	}
	return n.endpoint, nil
}

// resolve looks up the address of a UDP server. The family is the one the system prefers for the name.
func resolve(ctx context.Context, addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" {
		host = "localhost"
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	best := ips[0].Unmap()
	for _, ip := range ips {
		if ip.Unmap().Is4() { // A server that listens on all addresses has both; not every network carries IPv6.
			best = ip.Unmap()
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(n)), nil
}

// A udpConn is a reliable connection as a Conn.
type udpConn struct{ *reliable.Conn }

func (c udpConn) OpenBulk(context.Context) (net.Conn, error) { return c.OpenStream(reliable.Bulk) }
func (c udpConn) Drop()                                      { c.Abort(reliable.CodeNone, "") }

// A tlsConn is a TLS connection as a Conn.
type tlsConn struct {
	*reliable.TLSConn
	addr   string
	dialer *network
}

// OpenBulk dials again; the server must have the same key.
func (c *tlsConn) OpenBulk(ctx context.Context) (net.Conn, error) {
	other, err := c.dialer.dialTLS(ctx, c.addr)
	if err != nil {
		return nil, err
	}
	if other.ServerKey() != c.ServerKey() {
		other.Drop()
		return nil, &reliable.KeyError{Want: c.ServerKey(), Got: other.ServerKey()}
	}
	return other, nil
}

func (c *tlsConn) Drop() { _ = c.NetConn().Close() } // Nobody waits for its goodbye.

// dialTLS connects over TCP. The server is known by its key, as over UDP.
func (n *network) dialTLS(ctx context.Context, addr string) (*tlsConn, error) {
	conn, err := reliable.DialTLS(ctx, addr, reliable.Config{VerifyServer: n.verify})
	if err != nil {
		return nil, err
	}
	return &tlsConn{TLSConn: conn, addr: addr, dialer: n}, nil
}
