package lab

import (
	"fmt"
	"net"
	"net/netip"
)

// awaitCalls opens the callback endpoint and waits, in the background, for the server reached by conn to call. The
// connection it asks for is read like the first one.
func (c *Client) awaitCalls(conn net.Conn) error {
	listen := c.cfg.ListenCalls
	if listen == nil {
		listen = func(addr string) (Caller, error) { return c.cfg.listenCalls(addr, conn) }
	}
	ep, err := listen(c.cfg.Callback)
	if err != nil {
		return fmt.Errorf("lab: %w at %s: %w", ErrCallback, c.cfg.Callback, err)
	}
	if err := c.own(ep); err != nil {
		return err
	}
	if c.callback, err = announced(ep.Addr(), conn.LocalAddr()); err != nil {
		return err
	}
	server, err := addrPort(conn.RemoteAddr())
	if err != nil {
		return err
	}
	c.tasks.Go(func() { c.answerCalls(ep, server) }) // Owns waiting for calls; ends with the client or the first call.
	return nil
}

// answerCalls waits for one call and reads the connection that comes of it. All rooms share that connection.
func (c *Client) answerCalls(ep Caller, server netip.AddrPort) {
	for range callTriesMax {
		conn, err := ep.AwaitCall(c.stop, server)
		if c.stop.Err() != nil {
			if err == nil {
				_ = conn.Close() // Came too late: the client has ended.
			}
			return
		}
		if err != nil {
			c.log.Warn("callback", "peer", server, "err", err)
			continue
		}
		if c.own(conn) != nil {
			return
		}
		c.mu.Lock()
		c.called = conn
		c.mu.Unlock()
		c.read(func() error { return c.readStream(conn) })
		return
	}
}

// announced returns what to write into CLIENT_IP and PORT for a socket at listen: an unspecified address cannot be
// called, so the one from which the server is reached stands in for it.
func announced(listen, local net.Addr) (netip.AddrPort, error) {
	ap, err := addrPort(listen)
	if err != nil || !ap.Addr().IsUnspecified() {
		return ap, err
	}
	here, err := addrPort(local)
	return netip.AddrPortFrom(here.Addr(), ap.Port()), err
}

// addrPort returns a as a plain address: dual-stack sockets show IPv4 as ::ffff:1.2.3.4.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("lab: address %v: %w", a, err)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()), nil
}
