package reliable

import (
	"net"
	"net/netip"
)

// followLocked makes it known that the machine has gone to another address, or the server has noticed that we did. It
// returns where the peer was and is.
func (c *Conn) followLocked() (from, to netip.AddrPort) {
	p := c.m.Path()
	from, c.remote = c.remote, p.Remote
	if p.Local.IsValid() && p.Local != c.local.Addr() {
		c.local = netip.AddrPortFrom(p.Local, c.local.Port())
	}
	if moves := c.stats.Roams + c.stats.Challenges; moves != c.moves {
		c.moves = moves
		select {
		case c.moved <- struct{}{}:
		default:
		}
	}
	return from, c.remote
}

// Moved returns a channel that gets a value when the client has another address from now on and the connection has gone
// along. At the server RemoteAddr is the new one. At the client the server has noticed that our own address, as it sees
// it, changed. Changes that come before somebody looks are told once. The channel is never closed; all calls return the
// same one.
func (c *Conn) Moved() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved == nil {
		c.moved = make(chan struct{}, 1)
	}
	return c.moved
}

// LocalAddr returns the address the peer sends to, as far as the system tells it.
func (c *Conn) LocalAddr() net.Addr {
	local, _ := c.addrs()
	return net.UDPAddrFromAddrPort(local)
}

// RemoteAddr returns the peer's address: of a client the one where it was last proven to be.
func (c *Conn) RemoteAddr() net.Addr {
	_, remote := c.addrs()
	return net.UDPAddrFromAddrPort(remote)
}

func (c *Conn) addrs() (local, remote netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.local, c.remote
}
