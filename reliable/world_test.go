package reliable

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

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

// hello runs the handshake and returns the hello with its cookie and the accept.
func (r *raw) hello(h wire.Hello) (wire.Hello, wire.Accept) {
	r.Helper()
	retry, err := wire.ParseRetry(r.ask(wire.AppendHello(nil, h)))
	if err != nil {
		r.Fatal(err)
	}
	h.Cookie = retry.Cookie
	accept, err := wire.ParseAccept(r.ask(wire.AppendHello(nil, h)))
	if err != nil {
		r.Fatal(err)
	}
	return h, accept
}
