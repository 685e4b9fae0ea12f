package reliable

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

// BenchmarkReject is what junk costs: from the datagram in the reader's hands to its end. Forged packets get through to
// the machine of a living connection, where their seal is wrong; the others lead to nobody. Some of those are answered by resets, as many as
// there may be.
func BenchmarkReject(b *testing.B) {
	e, m := benchConn(b)
	for _, kind := range []struct {
		name string
		head wire.PacketHeader
		want Drop
		ours bool // the endpoint answers by stateless resets
	}{
		{"forged", wire.PacketHeader{Dest: m.local, Number: 1 << 30}, DropSeal, false},
		{"forged, next keys", wire.PacketHeader{Dest: m.local, Number: 1 << 30, Phase: true}, DropSeal, false},
		{"repeated", wire.PacketHeader{Dest: m.local, Number: 1}, DropRepeated, false},
		{"for nobody", wire.PacketHeader{Dest: ^m.local, Number: 1 << 30}, DropUnknown, false},
		{"for nobody, resets", wire.PacketHeader{Dest: ^m.local, Number: 1 << 30}, DropUnknown, true},
	} {
		for _, size := range []int{64, 200, 1200} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, size), func(b *testing.B) {
				d := &datagram{path: Path{Remote: clientAddr}}
				d.n = copy(d.buf[:size], wire.AppendPacketHeader(nil, kind.head))
				for ; d.n < size; d.n++ {
					d.buf[d.n] = byte(d.n)
				}
				e.reset = nil
				if kind.ours {
					e.reset = benchResetter(b)
				}
				before := m.stats.Drops[kind.want] + e.stats.Drops[kind.want]
				b.SetBytes(int64(size))
				b.ReportAllocs()
				n := uint64(0)
				for now := time.Now(); b.Loop(); n++ {
					if c := reject(b, e, d); c != nil {
						c.m.Handle(now, Datagram{Path: d.path, Bytes: d.buf[:d.n]})
					}
				}
				if got := m.stats.Drops[kind.want] + e.stats.Drops[kind.want] - before; got != n {
					b.Fatalf("%d of %d were dropped as %v", got, n, kind.want)
				}
			})
		}
	}
}

func benchResetter(b *testing.B) *resetter {
	b.Helper()
	id, err := NewIdentity(nil)
	if err != nil {
		b.Fatal(err)
	}
	r, err := newResetter(id, "", serverAddr)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// reject is Endpoint.handle and a connection's turn, but for the way from one goroutine to the other. It returns the
// connection whose machine the datagram goes to.
func reject(b *testing.B, e *Endpoint, d *datagram) *Conn {
	if !e.handle(d) {
		return nil
	}
	id, ok := wire.Dest(d.buf[:d.n])
	if !ok {
		b.Fatal("no packet")
	}
	c := e.conns[id]
	c.mu.Lock()
	c.inbox = inbox{}
	c.mu.Unlock()
	return c
}

// benchConn returns an endpoint without reader and workers, and the machine of its only connection.
func benchConn(b *testing.B) (*Endpoint, *Machine) {
	b.Helper()
	silent := &crowdSocket{crowd: &crowd{}, addr: serverAddr, in: make(chan hostile), closed: make(chan struct{})}
	e, err := newEndpoint(silent, Config{})
	if err != nil {
		b.Fatal(err)
	}
	e.workers.closed = true // Nobody takes turns.
	var up, down [][]byte
	keep := func(to *[][]byte) func(Datagram) {
		return func(d Datagram) { *to = append(*to, append([]byte(nil), d.Bytes...)) }
	}
	client, err := NewClientMachine(Config{}, e.shared, time.Now(), Path{Remote: serverAddr}, keep(&up))
	if err != nil {
		b.Fatal(err)
	}
	client.Advance(time.Now())
	server, err := newServer(&e.cfg, e.shared, time.Now(), Datagram{Path: Path{Remote: clientAddr}, Bytes: up[0]}, nil, keep(&down))
	if err != nil {
		b.Fatal(err)
	}
	up = nil
	for range 10 {
		server.Advance(time.Now())
		for _, p := range down {
			client.Handle(time.Now(), Datagram{Path: Path{Remote: serverAddr}, Bytes: p})
		}
		down = nil
		client.Advance(time.Now())
		for _, p := range up {
			server.Handle(time.Now(), Datagram{Path: Path{Remote: clientAddr}, Bytes: p})
		}
		up = nil
	}
	if !server.Open() || server.received == 0 {
		b.Fatal("no connection")
	}
	client.Abort(time.Now(), CodeNone, "")
	c := newConn(e, clientAddr, netip.AddrPort{})
	c.m, c.server = server, true
	e.conns[server.local] = c
	return e, server
}
