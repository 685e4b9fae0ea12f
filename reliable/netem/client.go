package netem

import (
	"net"
	"net/netip"
	"time"
)

// proxyClient is one source of datagrams on a proxy's listening socket.
type proxyClient struct {
	source netip.AddrPort // Constant.

	up, down *Pipe // All below is guarded by the proxy's mu.
	seen     time.Duration
	gone     bool

	// conn is where the server sees the client; nil until something has come through. address is how
	// often the link had moved when it was opened.
	conn    *net.UDPConn
	address int
}

// newClientLocked returns a client for a new source, nil if there are too many.
func (p *Proxy) newClientLocked(from netip.AddrPort) *proxyClient {
	if p.closed || len(p.clients) >= clientsMax {
		return nil
	}
	seed := p.cfg.Seed
	if p.stats.ClientsSeen > 0 {
		seed = mix(seed, uint64(p.stats.ClientsSeen))
	}
	p.stats.ClientsSeen++
	c := &proxyClient{source: from}
	c.up = p.attachLocked(c, seed, Up)
	c.down = p.attachLocked(c, seed, Down)
	p.clients[from] = c
	p.later = append(p.later, func() { p.log.Info("client came", "peer", unmap(from)) })
	return c
}

// attachLocked makes one direction of a client's link.
func (p *Proxy) attachLocked(c *proxyClient, seed uint64, dir Direction) *Pipe {
	link := NewLink(p.cfg.Profile.Params(dir), seed, dir)
	if p.cfg.Record != nil {
		client := unmap(c.source).String()
		link.Record(func(v Verdict) {
			if len(p.records) >= recordsMax {
				p.stats.RecordsLost++
				return
			}
			p.records = append(p.records, newRecord(client, dir, v))
		})
	}
	return p.driver.Attach(link, func(packet Packet) {
		if !c.gone {
			p.out = append(p.out, outgoing{c, dir, packet})
		}
	})
}

func newRecord(client string, dir Direction, v Verdict) Record {
	r := Record{
		Client: client, Direction: dir.String(), AtMs: milliseconds(v.At), Ordinal: v.Ordinal,
		SizeBytes: v.Size, Verdict: v.Fate.String(), Changes: v.Changes.Names(),
	}
	if v.Fate == Kept {
		r.DeliverMs = new(milliseconds(v.Deliver))
	}
	return r
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// expireLocked drops clients that have been silent for long, and plans the next search.
func (p *Proxy) expireLocked() {
	for source, c := range p.clients {
		if p.driver.now-c.seen < clientIdleAfter {
			continue
		}
		c.gone = true
		delete(p.clients, source)
		p.stats.Up.Add(c.up.link.Counts())
		p.stats.Down.Add(c.down.link.Counts())
		conn := c.conn
		p.later = append(p.later, func() {
			if conn != nil {
				conn.Close() // Its reader ends; an error has nobody to tell.
			}
			p.log.Info("client gone", "peer", unmap(source))
		})
	}
	p.driver.At(p.driver.now+expireEvery, p.expireLocked)
}
