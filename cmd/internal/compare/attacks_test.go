package compare

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// What somebody can do to plain KCP who does not see a connection, but knows or guesses the addresses and the conversation's
// number: each attack is carried out on kcp-go, where it must succeed, or it proves nothing, and on our transport, where it
// must change nothing.

// kcpSegment is a segment of KCP made by hand.
func kcpSegment(conv uint32, cmd byte, window uint16, sn, una uint32, data []byte) []byte {
	b := make([]byte, kcpHeader, kcpHeader+len(data))
	binary.LittleEndian.PutUint32(b, conv)
	b[4] = cmd
	binary.LittleEndian.PutUint16(b[6:], window)
	binary.LittleEndian.PutUint32(b[12:], sn)
	binary.LittleEndian.PutUint32(b[16:], una)
	binary.LittleEndian.PutUint32(b[20:], uint32(len(data)))
	return append(b, data...)
}

// attacksOnKCP are the datagrams, and how to see that each works against kcp-go.
var attacksOnKCP = []struct {
	name   string
	forged []byte
	works  func(t *testing.T, forged []byte)
}{
	{"a forged una empties the send buffer", kcpSegment(kcpConv, kcp.IKCP_CMD_WINS, 128, 0, 1, nil), func(t *testing.T, forged []byte) {
		core := sendingKCP()
		if core.Input(forged, kcp.IKCP_PACKET_REGULAR, false); core.WaitSnd() != 0 {
			t.Errorf("%d segments are still waiting for their acknowledgement", core.WaitSnd())
		}
	}},
	{"a window of zero freezes it", kcpSegment(kcpConv, kcp.IKCP_CMD_WINS, 0, 0, 0, nil), func(t *testing.T, forged []byte) {
		left := 0
		core := kcp.NewKCP(kcpConv, func(_ []byte, _ int) { left++ })
		core.NoDelay(kcpNoDelay, kcpInterval, kcpResend, kcpNC)
		core.Input(forged, kcp.IKCP_PACKET_REGULAR, false)
		core.Send([]byte("never leaves"))
		if core.Update(); left != 0 {
			t.Errorf("%d datagrams left all the same", left)
		}
	}},
	{"forged data is delivered", kcpSegment(kcpConv, kcp.IKCP_CMD_PUSH, 128, 0, 0, []byte("forged")), func(t *testing.T, forged []byte) {
		core, got := kcp.NewKCP(kcpConv, func([]byte, int) {}), make([]byte, 100)
		core.Input(forged, kcp.IKCP_PACKET_REGULAR, false)
		if n := core.Recv(got); n < 0 || string(got[:n]) != "forged" {
			t.Errorf("%d bytes were delivered", n)
		}
	}},
	{"a foreign conversation ends a session", kcpSegment(kcpConv+1, kcp.IKCP_CMD_PUSH, 128, 0, 0, []byte("mine")), func(t *testing.T, forged []byte) {
		h := newVictim(t)
		h.in <- letter{peerAddr, kcpSegment(kcpConv, kcp.IKCP_CMD_PUSH, 128, 0, 0, []byte("hello"))}
		s := h.accept(t)
		io.ReadFull(s, make([]byte, 5))
		h.in <- letter{peerAddr, forged}
		h.accept(t) // In its place.
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Error("the session goes on")
		}
	}},
	{"each source gets a session", kcpSegment(kcpConv, kcp.IKCP_CMD_PUSH, 128, 0, 0, []byte("hello")), func(t *testing.T, forged []byte) {
		h := newVictim(t)
		for i := range uint16(100) {
			h.in <- letter{netip.AddrPortFrom(peerAddr.Addr(), 1000+i), forged}
			h.accept(t)
		}
	}},
	{"a forged type of FEC brings a session without FEC a decoder and data",
		append([]byte{0, 0, 0, 0, 0xf1, 0, 0, 0}, kcpSegment(kcpConv, kcp.IKCP_CMD_PUSH, 128, 1, 0, []byte("forged"))...),
		func(t *testing.T, forged []byte) {
			h := newVictim(t)
			h.in <- letter{peerAddr, kcpSegment(kcpConv, kcp.IKCP_CMD_PUSH, 128, 0, 0, []byte("hello."))}
			s := h.accept(t)
			got := make([]byte, 12)
			io.ReadFull(s, got[:6])
			h.in <- letter{peerAddr, forged}
			if io.ReadFull(s, got[6:]); string(got) != "hello.forged" {
				t.Errorf("got %q", got)
			}
		}},
}

// sendingKCP is a core with a segment on its way.
func sendingKCP() *kcp.KCP {
	core := kcp.NewKCP(kcpConv, func([]byte, int) {})
	core.NoDelay(kcpNoDelay, kcpInterval, kcpResend, kcpNC)
	core.Send([]byte("lost for ever"))
	core.Update()
	return core
}

var peerAddr = netip.MustParseAddrPort("192.0.2.1:4000")

// A victim is a listener of kcp-go whose socket hears what a test says, from any address.
type victim struct {
	*kcp.Listener
	in     chan letter
	closed chan struct{}
	once   sync.Once
}

type letter struct {
	from netip.AddrPort
	b    []byte
}

func newVictim(t *testing.T) *victim {
	h := &victim{in: make(chan letter), closed: make(chan struct{})}
	l, err := kcp.ServeConn(nil, 0, 0, (*victimSocket)(h))
	if err != nil {
		t.Fatal(err)
	}
	h.Listener = l
	t.Cleanup(func() {
		_ = l.Close() // Nothing can be wrong with it.
		h.once.Do(func() { close(h.closed) })
	})
	return h
}

// accept returns the next session. A test that waits in vain ends by its timeout.
func (h *victim) accept(t *testing.T) *kcp.UDPSession {
	t.Helper()
	s, err := h.AcceptKCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // It may have been closed by the attack.
	return s
}

type victimSocket victim

func (s *victimSocket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case l := <-s.in:
		return copy(b, l.b), net.UDPAddrFromAddrPort(l.from), nil
	case <-s.closed:
		return 0, nil, net.ErrClosed
	}
}

func (s *victimSocket) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (s *victimSocket) Close() error                              { return nil }
func (s *victimSocket) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.9:9"))
}
func (s *victimSocket) SetDeadline(time.Time) error      { return nil }
func (s *victimSocket) SetReadDeadline(time.Time) error  { return nil }
func (s *victimSocket) SetWriteDeadline(time.Time) error { return nil }

func TestAttacksOnKCPWorkOnKCP(t *testing.T) {
	for _, a := range attacksOnKCP {
		t.Run(a.name, func(t *testing.T) { a.works(t, a.forged) })
	}
}

// The attacker is given more than he can have: the address of the client, and the header of one of its packets.
func TestAttacksOnKCPChangeNothingOfOurs(t *testing.T) {
	for _, a := range attacksOnKCP {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newAttacked(t)
				defer w.close()
				before, dropped := quietStats(w.server), w.dropped()
				sent := w.attack(a.forged)
				time.Sleep(5 * time.Millisecond)
				if after := quietStats(w.server); after != before {
					t.Errorf("it changed the server's side:\n%+v\n%+v", before, after)
				}
				if n := w.dropped() - dropped; n != uint64(sent) {
					t.Errorf("%d of %d forged datagrams were dropped", n, sent)
				}
				e := w.listener.Stats()
				if e.Conns != 1 || e.HalfOpen != 0 || e.Accepted != 1 {
					t.Errorf("%d connections, %d half-open, %d accepted, want one", e.Conns, e.HalfOpen, e.Accepted)
				}
				w.exchange(t)
			})
		})
	}
}

// quietStats are a connection's figures without those of what it has dropped.
func quietStats(c *reliable.Conn) reliable.ConnStats {
	s := c.Stats()
	s.Drops, s.DatagramsReceived, s.BytesReceived = reliable.Drops{}, 0, 0
	return s
}

// An attacked is a connection of ours and everything an attacker may use.
type attacked struct {
	net              *netem.Network
	listener, dialer *reliable.Endpoint
	client, server   *reliable.Conn
	mouth            *tappedSocket // says things in the client's name
}

// A tappedSocket remembers the header of the latest packet.
type tappedSocket struct {
	*netem.Socket
	mu     sync.Mutex
	header []byte // guarded by mu
}

func (s *tappedSocket) WriteMarked(b []byte, to netip.AddrPort, ecn uint8) (int, error) {
	s.mu.Lock()
	s.header = append(s.header[:0], b[:min(len(b), 15)]...)
	s.mu.Unlock()
	return s.Socket.WriteMarked(b, to, ecn)
}

var ourAddr = netip.MustParseAddrPort("192.0.2.9:4000")

func newAttacked(t *testing.T) *attacked {
	w := &attacked{net: netem.NewNetwork(1)}
	open := func(at netip.AddrPort) *netem.Socket {
		s, err := w.net.ListenPacket(at)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var err error
	if w.listener, err = reliable.NewEndpoint(open(ourAddr), reliable.Config{}); err != nil {
		t.Fatal(err)
	}
	w.mouth = &tappedSocket{Socket: open(peerAddr)}
	if w.dialer, err = reliable.NewEndpoint(w.mouth, reliable.Config{}); err != nil {
		t.Fatal(err)
	}
	if w.client, err = w.dialer.Dial(t.Context(), ourAddr); err != nil {
		t.Fatal(err)
	}
	c, err := w.listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	w.server = c.(*reliable.Conn)
	w.exchange(t)
	time.Sleep(2 * time.Second)
	return w
}

func (w *attacked) close() {
	w.dialer.Close()
	w.listener.Close()
	w.net.Close()
}

// dropped is how many datagrams the server has dropped.
func (w *attacked) dropped() (n uint64) {
	for _, drops := range []reliable.Drops{w.server.Stats().Drops, w.listener.Stats().Drops} {
		for _, of := range drops {
			n += of
		}
	}
	return n
}

// attack sends the datagram in every dress in which somebody might take it for the client's, and from other addresses. It
// returns how many it sent.
func (w *attacked) attack(forged []byte) int {
	w.mouth.mu.Lock()
	header := bytes.Clone(w.mouth.header)
	w.mouth.mu.Unlock()
	binary.BigEndian.PutUint32(header[11:], binary.BigEndian.Uint32(header[11:])+100) // A number that will come.
	length := binary.BigEndian.AppendUint16(nil, uint16(len(forged)))
	dresses := [][]byte{forged}
	for _, frame := range [][]byte{{}, append([]byte{2, 0, 0, 32}, length...), append([]byte{3}, length...), append([]byte{12}, length...)} {
		packet := append(append(bytes.Clone(header), frame...), forged...)
		dresses = append(dresses, packet, append(bytes.Clone(packet), make([]byte, 16)...)) // Without and with a seal.
	}
	for _, b := range dresses {
		w.mouth.Socket.WriteToUDPAddrPort(b, ourAddr)
	}
	n := len(dresses)
	for i := range uint16(20) {
		s, err := w.net.ListenPacket(netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), 1000+i))
		if err != nil {
			panic("BUG: compare: an address twice: " + err.Error())
		}
		for _, b := range dresses {
			s.WriteToUDPAddrPort(b, ourAddr)
			n++
		}
	}
	return n
}

// exchange says something both ways and nothing else must arrive.
func (w *attacked) exchange(t *testing.T) {
	t.Helper()
	for _, dir := range [][2]*reliable.Conn{{w.client, w.server}, {w.server, w.client}} {
		text, got := []byte("genuine"), make([]byte, 100)
		dir[0].Write(text)
		dir[1].SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := io.ReadFull(dir[1], got[:len(text)]); err != nil || string(got[:n]) != string(text) {
			t.Errorf("got %q, %v", got[:n], err)
		}
	}
}
