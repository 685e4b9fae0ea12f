package reliable

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

var (
	serverAddr = netip.MustParseAddrPort("10.0.0.1:4000")
	clientAddr = netip.MustParseAddrPort("10.0.0.2:5000")
)

// A world is a network in memory inside a bubble: a server, a client, and a link between them.
type world struct {
	*testing.T
	net            *netem.Network
	server, client *Endpoint
}

// inWorld runs f in a bubble over the link, with the configuration on both sides. Goroutines left behind fail the test.
func inWorld(t *testing.T, link netem.Params, cfg Config, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: netem.NewNetwork(1)}
		w.net.Connect(clientAddr, serverAddr, netem.Profile{Up: link, Down: link}, 7)
		w.server, w.client = w.listen(serverAddr, cfg), w.listen(clientAddr, cfg)
		f(w)
		w.client.Close()
		w.server.Close()
		w.net.Close()
	})
}

func (w *world) listen(addr netip.AddrPort, cfg Config) *Endpoint {
	w.Helper()
	e, err := NewEndpoint(w.socket(addr), cfg)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

func (w *world) socket(addr netip.AddrPort) *netem.Socket {
	w.Helper()
	s, err := w.net.ListenPacket(addr)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// connect returns both ends of a new connection.
func (w *world) connect() (client, server *Conn) {
	w.Helper()
	client, err := w.client.Dial(w.Context(), serverAddr)
	if err != nil {
		w.Fatal(err)
	}
	c, err := w.server.Accept()
	if err != nil {
		w.Fatal(err)
	}
	return client, c.(*Conn)
}

// lossy is a link of 50 ms one way that loses the given share of datagrams.
func lossy(loss float64) netem.Params {
	return netem.Params{Delay: 50 * time.Millisecond, Loss: loss}
}

// A raw socket is a stranger who speaks the protocol by hand.
type raw struct {
	*world
	sock *netem.Socket
	got  int // bytes that came back

	sources int // connection IDs used
}

func (w *world) stranger(addr string) *raw {
	return &raw{world: w, sock: w.socket(netip.MustParseAddrPort(addr))}
}

// ask sends b to the server and returns the answer, nil if there is none within a second.
func (r *raw) ask(b []byte) []byte {
	r.Helper()
	if _, err := r.sock.WriteToUDPAddrPort(b, serverAddr); err != nil {
		r.Fatal(err)
	}
	buf := make([]byte, 2048)
	r.sock.SetReadDeadline(time.Now().Add(time.Second))
	n, _, err := r.sock.ReadFromUDPAddrPort(buf)
	if err != nil {
		return nil
	}
	r.got += n
	return buf[:n]
}

// A stranger is a client made by hand, one datagram after the other.
type stranger struct {
	*raw
	machine *handshake.Client
	hello   []byte
	accept  []byte
	result  *handshake.Result
}

// newMachine returns the client's side of a new handshake, to be closed.
func (r *raw) newMachine() *handshake.Client {
	r.Helper()
	r.sources++
	m, err := handshake.NewClient(time.Now(), handshake.ClientConfig{
		Source: wire.ConnID(r.sources), Nonce: wire.Nonce{1}, Verify: func(Key) error { return nil },
	})
	if err != nil {
		r.Fatal(err)
	}
	return m
}

// begin runs the handshake up to the accept, through a cookie if the server asks for one.
func (r *raw) begin() *stranger {
	r.Helper()
	s := &stranger{raw: r, machine: r.newMachine()}
	for s.result == nil {
		s.hello, _ = s.machine.AppendDue(time.Now(), nil)
		if s.accept = bytes.Clone(r.ask(s.hello)); s.accept == nil {
			r.Fatal("a hello was not answered")
		}
		if retry, err := wire.ParseRetry(s.accept); err == nil {
			s.machine.HandleRetry(time.Now(), retry)
			continue
		}
		a, err := wire.ParseAccept(s.accept)
		if err != nil {
			r.Fatal(err)
		}
		if s.result, _, err = s.machine.HandleAccept(time.Now(), a); err != nil {
			r.Fatal(err)
		}
	}
	s.machine.Close()
	return s
}

// finish returns the packet that ends the handshake.
func (s *stranger) finish() []byte {
	b := wire.AppendPacketHeader(nil, wire.PacketHeader{Type: wire.TypeFinish, Dest: s.result.Server, Number: 1})
	return s.result.First.Protect(wire.AppendCrypto(b, s.result.Finished), wire.PacketHeaderBytes, 1)
}
