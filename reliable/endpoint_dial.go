package reliable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
)

// Dial opens a socket of its own and connects to addr ("host:port"). Closing the connection closes the socket.
func Dial(ctx context.Context, addr string, cfg Config) (*Conn, error) {
	udp, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("reliable: address %q: %w", addr, err)
	}
	e, err := Listen(":0", cfg)
	if err != nil {
		return nil, err
	}
	c, err := e.Dial(ctx, unmap(udp.AddrPort()))
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	c.owner = true
	return c, nil
}

// Dial connects to the endpoint at the address to. It gives up when ctx is done or after Config.HandshakeTimeout.
func (e *Endpoint) Dial(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	return e.dial(ctx, to, 0)
}

func (e *Endpoint) dial(ctx context.Context, to netip.AddrPort, call wire.CallNonce) (*Conn, error) {
	if !to.IsValid() || to.Port() == 0 || to.Addr().IsMulticast() {
		return nil, fmt.Errorf("reliable: cannot dial %v", to)
	}
	if to.Addr().IsUnspecified() { // As for TCP: this machine.
		loopback := netip.IPv6Loopback()
		if to.Addr().Is4() {
			loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		to = netip.AddrPortFrom(loopback, to.Port())
	}
	to = unmap(to)
	c := newConn(e, to, e.localToward(to))
	// Whatever address the system has when a datagram leaves is right: ours may change.
	m, err := newClient(&e.cfg, e.shared, time.Now(), Path{Remote: to}, asking{call: call, proof: e.tokens.Token(to)}, c.emit)
	if err != nil {
		return nil, err
	}
	c.m = m
	if !e.add(c) {
		m.endHandshake()
		return nil, fmt.Errorf("reliable: dialling %v: %w", to, net.ErrClosed)
	}
	if err := c.waitOpen(ctx); err != nil {
		return nil, fmt.Errorf("reliable: dialling %v: %w", to, err)
	}
	return c, nil
}

// localToward returns the address datagrams to the peer leave from. A socket bound to all addresses learns it from the
// routing table; nothing is sent.
func (e *Endpoint) localToward(to netip.AddrPort) netip.AddrPort {
	local := e.sock.local()
	if !local.Addr().IsUnspecified() {
		return local
	}
	probe, err := net.Dial("udp", to.String())
	if err != nil {
		return local
	}
	defer probe.Close() // Nothing was written: an error cannot matter.
	if a, ok := probe.LocalAddr().(*net.UDPAddr); ok {
		return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), local.Port())
	}
	return local
}
