package plain

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	server = netip.MustParseAddrPort("192.0.2.1:4000")
	alice  = netip.MustParseAddrPort("198.51.100.7:5001")
	bob    = netip.MustParseAddrPort("198.51.100.8:5002")
	local  = netip.MustParseAddrPort("127.0.0.1:5003")
)

// host is a Listener and the network around it: what it sent, by address.
type host struct {
	*Listener
	t testing.TB

	mu   sync.Mutex
	sent map[netip.AddrPort][]string
	fail error // what Send returns
}

func newHost(t testing.TB, cfg Config) *host {
	h := &host{t: t, sent: make(map[netip.AddrPort][]string)}
	cfg.Addr = net.UDPAddrFromAddrPort(server)
	cfg.Send = func(b []byte, to netip.AddrPort, from netip.Addr) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if from != server.Addr() {
			t.Errorf("sent to %v from %v, want from %v", to, from, server.Addr())
		}
		h.sent[to] = append(h.sent[to], string(b))
		return h.fail
	}
	h.Listener = New(cfg)
	return h
}

// from lets a datagram arrive.
func (h *host) from(a netip.AddrPort, text string) {
	b := []byte(text)
	h.Handle(b, a, server)
	clear(b) // The bytes are the reader's again.
}

// accept returns the next connection, which must be there.
func (h *host) accept() *Conn {
	h.t.Helper()
	c, err := h.Accept()
	if err != nil {
		h.t.Fatalf("accepting: %v", err)
	}
	return c.(*Conn)
}

// got returns and forgets what was sent to an address.
func (h *host) got(a netip.AddrPort) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sent[a]
	delete(h.sent, a)
	return s
}

// wantSent checks what was sent to an address since the last look.
func (h *host) wantSent(a netip.AddrPort, want ...string) {
	h.t.Helper()
	if got := h.got(a); !slices.Equal(got, want) {
		h.t.Errorf("sent to %v: %q, want %q", a, got, want)
	}
}

// bytesTo returns how many bytes were sent to a host since the beginning or the last got.
func (h *host) bytesTo(a netip.Addr) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for to, all := range h.sent {
		if to.Addr() == a {
			n += len(strings.Join(all, ""))
		}
	}
	return n
}

// read returns what Read returns: a datagram, or "!" and the error.
func read(c net.Conn) string {
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if err != nil {
		return "!" + err.Error()
	}
	return string(b[:n])
}

func wantRead(t testing.TB, c net.Conn, want string) {
	t.Helper()
	if got := read(c); got != want {
		t.Fatalf("read %q, want %q", got, want)
	}
}

// write writes one datagram, which must be reported as written.
func write(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("writing %d bytes: %d, %v", len(text), n, err)
	}
}

// answer writes an answer as a session does.
func answer(t testing.TB, c net.Conn, text string) {
	t.Helper()
	c.(interface{ NoteAnswer([]byte) }).NoteAnswer([]byte(text))
	write(t, c, text)
}

// wantIdle checks that nothing is left behind when every connection is gone.
func (h *host) wantIdle() {
	h.t.Helper()
	h.Listener.mu.Lock()
	defer h.Listener.mu.Unlock()
	l := h.Listener
	if len(l.conns)+len(l.answered)+l.proven.n+l.unproven.n+l.closedOnes.n+l.queued != 0 || l.armed {
		h.t.Errorf("left behind: %d connections, %d with answers, lists of %d, %d and %d, %d bytes, timer %v",
			len(l.conns), len(l.answered), l.proven.n, l.unproven.n, l.closedOnes.n, l.queued, l.armed)
	}
}

// stranger returns the i-th of many sources.
func stranger(i int) netip.AddrPort {
	return netip.MustParseAddrPort(fmt.Sprintf("203.0.%d.%d:6000", 113+i/250, 1+i%250))
}
