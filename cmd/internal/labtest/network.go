package labtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A network opens sockets to the server under test. Its methods may be called concurrently.
type network struct {
	transport string
	server    netip.AddrPort // Where it really is; constant.
	local     netip.Addr     // Ours, as the server sees it unless somebody translates it; constant.
	timeout   time.Duration

	mu       sync.Mutex
	endpoint *reliable.Endpoint // guarded by mu; of all connections over reliable UDP; nil until the first
}

// openNetwork looks the server up.
func openNetwork(ctx context.Context, cfg Config) (*network, error) {
	host, port, err := net.SplitHostPort(cfg.Server)
	if err != nil || port == "" || port == "0" {
		return nil, fmt.Errorf("labtest: server %q: want HOST:PORT", cfg.Server)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	n := &network{transport: cfg.Transport, timeout: cfg.Timeout}
	if n.server, err = resolve(ctx, net.JoinHostPort(host, port), cfg); err != nil {
		return nil, err
	}
	// No datagram leaves: connecting a UDP socket asks the routing table for our address.
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", n.server.String())
	if err != nil {
		return nil, fmt.Errorf("labtest: server %s: %w", cfg.Server, err)
	}
	defer conn.Close()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("labtest: our address %v: %w", conn.LocalAddr(), err)
	}
	n.local = local.Addr().Unmap()
	return n, nil
}

// resolve finds the server's address: over TCP the first one at which somebody answers, otherwise the first one.
func resolve(ctx context.Context, server string, cfg Config) (netip.AddrPort, error) {
	wrap := func(err error) error { return fmt.Errorf("labtest: server %s: %w", server, err) }
	if cfg.Transport != TCP {
		a, err := net.ResolveUDPAddr("udp", server)
		if err != nil {
			return netip.AddrPort{}, wrap(err)
		}
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return netip.AddrPort{}, wrap(err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}, wrap(err)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a.Unmap(), uint16(number)), nil
	}
	// Some names have several addresses and the server listens on one of them. Trying costs it a connection that says
	// nothing, and only names do.
	d := net.Dialer{Timeout: cfg.Timeout}
	conn, err := d.DialContext(ctx, "tcp", server)
	if err != nil {
		return netip.AddrPort{}, &UnreachableError{Server: server, Transport: TCP, Err: err}
	}
	defer conn.Close()
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}, wrap(err)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// dial opens a socket to the server, or to the link in front of it.
func (n *network) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return n.dialFor(ctx, to, n.timeout)
}

// dialFor is dial with its own limit.
func (n *network) dialFor(ctx context.Context, to netip.AddrPort, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	switch n.transport {
	case UDP:
		e, err := n.shared()
		if err != nil {
			return nil, err
		}
		conn, err := e.Dial(ctx, to)
		if err != nil {
			return nil, err // Not conn: a nil *Conn in a net.Conn is not nil.
		}
		return conn, nil
	case Plain:
		return net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", to.String())
}

// shared is the endpoint of all reliable connections.
func (n *network) shared() (*reliable.Endpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.endpoint != nil {
		return n.endpoint, nil
	}
	e, err := n.listen(reliable.Key{})
	if err == nil {
		n.endpoint = e
	}
	return e, err
}

// listen opens an endpoint of its own at our address, for callbacks. Whoever it connects to must have the key.
func (n *network) listen(server reliable.Key) (*reliable.Endpoint, error) {
	return reliable.Listen(netip.AddrPortFrom(n.local, 0).String(),
		reliable.Config{HandshakeTimeout: n.timeout, Linger: farewellWait, ServerKey: server})
}

func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.endpoint != nil {
		_ = n.endpoint.Close() // The run is over.
	}
}

// A badLink stands in front of the server and loses, repeats and delays datagrams.
type badLink struct {
	proxy *netem.Proxy
	done  chan struct{}
}

// openLink opens a link that loses this share of the datagrams in each direction, and repeats a few.
func (n *network) openLink(lossPercent float64) (*badLink, error) {
	params := netem.Params{Loss: lossPercent / 100, Duplicate: 0.05, Delay: 5 * time.Millisecond}
	proxy, err := netem.NewProxy(netem.ProxyConfig{
		Listen: netip.AddrPortFrom(n.local, 0).String(), To: n.server.String(), Seed: 1,
		Profile: netem.Profile{Name: "labtest", Text: "a bad link", Up: params, Down: params},
	})
	if err != nil {
		return nil, fmt.Errorf("labtest: the bad link: %w", err)
	}
	l := &badLink{proxy: proxy, done: make(chan struct{})}
	// Owns forwarding; ends with close.
	go func() {
		defer close(l.done)
		_ = proxy.Run(context.Background()) // Ends by Close only; what cannot be forwarded is lost, as on any link.
	}()
	return l, nil
}

func (l *badLink) close() {
	_ = l.proxy.Close()
	<-l.done
}

// An UnreachableError says that nobody could be reached at the server's address.
type UnreachableError struct {
	Server, Transport string
	Err               error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("labtest: no server at %s over %s: %v", e.Server, e.Transport, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }
