package session

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// pair returns a session over one end of a pipe and the other end. A write to the pipe waits for a read, so a peer
// that does not read stalls the session's writer at once. It belongs into a bubble.
func pair(t *testing.T, cfg Config) (*Session, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	s := New(ours, cfg)
	t.Cleanup(func() {
		theirs.Close()
		s.Close(nil)
	})
	return s, theirs
}

// readN reads n bytes from the peer's end.
func readN(t *testing.T, conn net.Conn, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatalf("peer reading %d bytes: %v", n, err)
	}
	return string(b)
}

func TestUnreadComesBackBeforeTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{})
		go peer.Write([]byte("HELO\n"))
		b := make([]byte, 5)
		if _, err := io.ReadFull(s, b); err != nil {
			t.Fatal(err)
		}
		s.Unread(b[3:])
		s.Unread(b[:3])
		clear(b)
		if _, err := io.ReadFull(s, b); err != nil || string(b) != "HELO\n" {
			t.Fatalf("got %q, %v", b, err)
		}
		if s.unread != nil {
			t.Error("session keeps what was read again")
		}
		if got := s.Stats().BytesReceived; got != 5 {
			t.Errorf("%d bytes received, want 5: bytes given back count once", got)
		}
	})
}

func TestReadTimeoutLeavesSessionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{})
		s.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
		if s.Err() != nil {
			t.Fatalf("session ended: %v", s.Err())
		}
		s.SetReadDeadline(time.Time{})
		go peer.Write([]byte("x"))
		if _, err := s.Read(make([]byte, 1)); err != nil {
			t.Fatalf("Read after a timeout: %v", err)
		}
	})
}

// A noting connection wants to know about answers, proofs and signs of life, as plain datagrams do.
type noting struct {
	writeLog
	answers []string
	proven  int
	alive   int
}

func (n *noting) NoteAnswer(b []byte) { n.answers = append(n.answers, string(b)) }
func (n *noting) Proven()             { n.proven++ }
func (n *noting) Alive()              { n.alive++ }

func TestReplyAndProvenReachConnectionsThatCare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n noting
		s := New(&n, Config{Transport: TransportPlain})
		s.Enqueue([]byte("event"))
		s.Reply([]byte("answer"))
		s.Proven()
		s.Alive()
		s.Close(nil)
		if len(n.answers) != 1 || n.answers[0] != "answer" || n.proven != 1 || n.alive != 1 || len(n.writes) != 2 {
			t.Errorf("answers %q, proven %d, alive %d, %d writes; want one of each, two writes", n.answers, n.proven, n.alive, len(n.writes))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{}) // Cares about none of it.
		s.Proven()
		s.Alive()
		s.Reply([]byte("answer"))
		if got := readN(t, peer, 6); got != "answer" {
			t.Errorf("peer got %q", got)
		}
	})
}

func TestCallMakesSessionOfTheCalledBackConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		want := netip.MustParseAddrPort("192.0.2.1:5000")
		unreachable := errors.New("unreachable")
		s, _ := pair(t, Config{OutboxBytes: 7, Transport: TransportUDP, Call: func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
			if addr != want {
				return nil, unreachable
			}
			return ours, nil
		}})
		if _, err := s.Call(t.Context(), netip.AddrPort{}); !errors.Is(err, unreachable) {
			t.Errorf("calling nobody: got %v", err)
		}
		called, err := s.Call(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		if called.Transport() != TransportUDP || called.cfg.OutboxBytes != 7 {
			t.Error("called session has other limits")
		}
		called.Enqueue([]byte("hello"))
		if got := readN(t, theirs, 5); got != "hello" {
			t.Errorf("called peer got %q", got)
		}
		called.Close(nil)
	})
	s := New(&writeLog{}, Config{})
	if _, err := s.Call(t.Context(), netip.AddrPort{}); err != ErrNoCallback {
		t.Errorf("transport without callbacks: got %v, want ErrNoCallback", err)
	}
}

func TestAddressesArePlain(t *testing.T) {
	for _, c := range []struct {
		addr net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.1"), Port: 4000}, "192.0.2.1:4000"},
		{&net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 4000}, "[2001:db8::1]:4000"},
		{textAddr("[::ffff:192.0.2.1]:7"), "192.0.2.1:7"},
		{textAddr("pipe"), "invalid AddrPort"},
		{nil, "invalid AddrPort"},
	} {
		if got := addrPort(c.addr).String(); got != c.want {
			t.Errorf("addrPort(%v) = %s, want %s", c.addr, got, c.want)
		}
	}
}

type textAddr string

func (textAddr) Network() string  { return "test" }
func (a textAddr) String() string { return string(a) }
