package reliable

import (
	"bytes"
	"flag"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// This file is a network on which everybody may send from any address, for tests that attack endpoints.

var datagramsFlag = flag.Int("datagrams", 20_000, "how many hostile datagrams of each kind the abuse tests send")

// A crowd is sockets that hear each other, and anybody else a test speaks for. It loses nothing on the way to an endpoint
// and hears what goes to nobody.
type crowd struct {
	*testing.T

	mu      sync.Mutex
	ends    []*Endpoint
	sockets map[netip.AddrPort]*crowdSocket         // guarded by mu; constant once the first datagram is on its way
	tap     func(from, to netip.AddrPort, b []byte) // of everything that endpoints send; guarded by mu
}

// A crowdSocket is one of them, as an endpoint sees it.
type crowdSocket struct {
	crowd  *crowd
	addr   netip.AddrPort
	in     chan hostile
	closed chan struct{}
	once   sync.Once
}

// A hostile datagram, or an honest one.
type hostile struct {
	from netip.AddrPort
	b    []byte
}

// inCrowd runs f in a bubble with a server and a client.
func inCrowd(t *testing.T, cfg Config, f func(c *crowd, server, client *Endpoint)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{T: t, sockets: make(map[netip.AddrPort]*crowdSocket)}
		server, client := c.listen(serverAddr, cfg), c.listen(clientAddr, cfg)
		f(c, server, client)
		client.Close()
		server.Close()
	})
}

func (c *crowd) listen(addr netip.AddrPort, cfg Config) *Endpoint {
	c.Helper()
	s := &crowdSocket{crowd: c, addr: addr, in: make(chan hostile), closed: make(chan struct{})}
	c.sockets[addr] = s
	e, err := NewEndpoint(s, cfg)
	if err != nil {
		c.Fatal(err)
	}
	c.ends = append(c.ends, e)
	return e
}

// goroutines counts all but the endpoints' workers, of which there are always a few, sooner or later.
func (c *crowd) goroutines() int { return goroutinesBeside(c.ends...) }

// goroutinesBeside counts the goroutines of the bubble that calls it, once all of them wait, but for the workers of endpoints.
// Outside are those of the runtime and of tests that have ended, which come and go as they like.
func goroutinesBeside(ends ...*Endpoint) int {
	synctest.Wait()
	stacks := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(stacks, true); n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	// The first line is our own: goroutine 7 [running, synctest bubble 3]:
	_, own, _ := strings.Cut(string(stacks), ", synctest bubble ")
	own, _, _ = strings.Cut(own, "]:\n")
	n := bytes.Count(stacks, []byte(", synctest bubble "+own+"]:\n"))
	for _, e := range ends {
		e.workers.mu.Lock()
		n -= e.workers.started
		e.workers.mu.Unlock()
	}
	return n
}

// connect returns both ends of a new connection.
func (c *crowd) connect(server, client *Endpoint) (dialled, accepted *Conn) {
	c.Helper()
	dialled, err := client.Dial(c.Context(), serverAddr)
	if err != nil {
		c.Fatal(err)
	}
	other, err := server.Accept()
	if err != nil {
		c.Fatal(err)
	}
	return dialled, other.(*Conn)
}

// send gives the server a datagram that says to come from an address, and waits until it has been taken.
func (c *crowd) send(from netip.AddrPort, b []byte) { c.sockets[serverAddr].take(hostile{from, b}) }

func (s *crowdSocket) take(h hostile) {
	select {
	case s.in <- h:
	case <-s.closed:
	}
}

func (s *crowdSocket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case h := <-s.in:
		return copy(b, h.b), net.UDPAddrFromAddrPort(h.from), nil
	case <-s.closed:
		return 0, nil, net.ErrClosed
	}
}

func (s *crowdSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	addr := to.(*net.UDPAddr).AddrPort()
	s.crowd.mu.Lock()
	if s.crowd.tap != nil {
		s.crowd.tap(s.addr, addr, b)
	}
	peer := s.crowd.sockets[addr]
	s.crowd.mu.Unlock()
	if peer != nil {
		h := hostile{s.addr, bytes.Clone(b)}
		go peer.take(h) // Ends when the peer takes it or closes.
	}
	return len(b), nil
}

func (s *crowdSocket) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *crowdSocket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.addr) }

// The rest of net.PacketConn; endpoints set no deadlines.
func (s *crowdSocket) SetDeadline(time.Time) error      { return nil }
func (s *crowdSocket) SetReadDeadline(time.Time) error  { return nil }
func (s *crowdSocket) SetWriteDeadline(time.Time) error { return nil }

// liveBytes is what the program holds, garbage not counted.
func liveBytes() int64 {
	synctest.Wait()
	runtime.GC()
	runtime.GC() // Pools are emptied by the second.
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
