package netem

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// outgoing is a datagram that came out of a link.
type outgoing struct {
	client *proxyClient
	dir    Direction
	packet Packet
}

// pump runs the links by the clock and writes what comes out of them, so that no lock is held during a
// write and the order is the links'.
func (p *Proxy) pump(ctx context.Context, failed <-chan error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-timer.C:
		case <-p.wake:
		}
		p.mu.Lock()
		p.driver.RunUntil(time.Since(p.start))
		out, later := p.out, p.later
		p.out, p.later = nil, nil
		next, _ := p.driver.NextAt() // There is always one: the search for idle clients.
		p.mu.Unlock()
		for _, f := range later {
			f()
		}
		for _, o := range out {
			p.write(o)
		}
		p.handOn()
		timer.Reset(time.Until(p.start.Add(next)))
	}
}

// handOn gives the waiting verdicts to whoever wanted them.
func (p *Proxy) handOn() {
	p.mu.Lock()
	records := p.records
	p.records = nil
	p.mu.Unlock()
	for _, r := range records {
		p.cfg.Record(r)
	}
}

// write sends one datagram on to where it was going.
func (p *Proxy) write(o outgoing) {
	var err error
	if o.dir == Down {
		_, err = p.listen.WriteToUDPAddrPort(o.packet.Data, o.client.source)
	} else if conn := p.upstream(o.client, o.packet.Address); conn != nil {
		_, err = conn.Write(o.packet.Data)
	}
	if err != nil {
		// Like a cable: whoever needs the datagram will notice that it is missing.
		p.mu.Lock()
		p.stats.SocketErrors++
		p.mu.Unlock()
		p.log.Debug("datagram not sent on", "peer", o.client.source, "err", err)
	}
}

// upstream returns the client's socket towards the server, opening one if it has none yet or the link
// has moved since. nil means that there is none to be had.
func (p *Proxy) upstream(c *proxyClient, address int) *net.UDPConn {
	p.mu.Lock()
	conn, same := c.conn, c.address == address
	p.mu.Unlock()
	if conn != nil && same {
		return conn
	}
	if conn != nil {
		conn.Close() // Its reader ends; an error has nobody to tell.
		p.log.Info("client moved", "peer", c.source)
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.server))
	if err == nil {
		enlargeBuffers(conn)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		c.conn = nil
		p.stats.SocketErrors++
		p.log.Warn("no socket towards the server", "peer", c.source, "err", err)
		return nil
	case p.closed || c.gone:
		conn.Close() // Nobody would close it later.
		return nil
	}
	c.conn, c.address = conn, address
	// Owns reading what the server answers to this address; ends when the socket is closed.
	p.wg.Go(func() { p.readServer(c, conn) })
	return conn
}

// readServer pushes what the server sends to one address of a client.
func (p *Proxy) readServer(c *proxyClient, conn *net.UDPConn) {
	err := p.readSocket(conn, func(data []byte, _ netip.AddrPort) {
		if conn != c.conn || c.gone || c.up.link.Address(c.up.Now()) != c.address {
			p.stats.Stray++
			return
		}
		c.seen = p.driver.now
		c.down.Send(data)
	})
	if err != nil {
		p.log.Warn("reading from the server", "peer", c.source, "err", err)
	}
}
