package session

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// tcpPair returns a session over a real TCP connection on loopback, and the peer's end.
func tcpPair(t testing.TB, cfg Config) (*Session, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Transport = TransportTCP
	s := New(ours, cfg)
	t.Cleanup(func() {
		peer.Close()
		s.Close(nil)
	})
	return s, peer.(*net.TCPConn)
}

// One member of a room stops reading. It is cut off, and the others get every message, in order.
func TestStoppedTCPReaderIsSlowAndOthersDoNotNotice(t *testing.T) {
	defer goleak.VerifyNone(t)
	const members, size = 8, 1000
	var sessions []*Session
	var wg sync.WaitGroup
	stopped, stoppedPeer := tcpPair(t, Config{OutboxBytes: 64 << 10})
	// Small buffers in the kernel fill sooner.
	if err := errors.Join(stopped.conn.(*net.TCPConn).SetWriteBuffer(16<<10), stoppedPeer.SetReadBuffer(16<<10)); err != nil {
		t.Fatal(err)
	}
	got := make([]bytes.Buffer, members)
	for i := range members {
		s, peer := tcpPair(t, Config{OutboxBytes: 64 << 20})
		sessions = append(sessions, s)
		wg.Go(func() {
			if _, err := io.Copy(&got[i], peer); err != nil {
				t.Errorf("member %d reading: %v", i, err)
			}
			peer.Close() // Else Close would linger.
		})
	}
	var want bytes.Buffer
	for i := 0; stopped.Err() == nil; i++ {
		m := bytes.Repeat([]byte{byte(i)}, size)
		want.Write(m)
		stopped.Enqueue(m) // Its error is nobody else's business.
		for j, s := range sessions {
			if err := s.Enqueue(m); err != nil {
				t.Fatalf("member %d: %v", j, err)
			}
		}
	}
	if err := stopped.Err(); err != ErrSlow {
		t.Errorf("stopped reader: got %v, want ErrSlow", err)
	}
	if _, err := stopped.Read(make([]byte, 1)); !errors.Is(err, ErrSlow) {
		t.Errorf("reader of the stopped session got %v, want ErrSlow", err)
	}
	stopped.Close(nil)
	for i, s := range sessions {
		if err := s.Close(nil); err != nil {
			t.Errorf("member %d: Close: %v", i, err)
		}
	}
	wg.Wait()
	for i := range got {
		if !bytes.Equal(got[i].Bytes(), want.Bytes()) {
			t.Errorf("member %d got %d bytes, want the %d that were sent", i, got[i].Len(), want.Len())
		}
	}
	// The kernel does not go on for minutes: the slow peer sees a reset after what it had.
	if _, err := io.Copy(io.Discard, stoppedPeer); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("stopped peer reads to %v, want a reset", err)
	}
}

// A client says good-bye with one newline too many, which nobody reads. The kernel would answer closing over unread
// bytes with a reset and drop our last words.
func TestCloseDeliversLastWordsOverUnreadInput(t *testing.T) {
	defer goleak.VerifyNone(t)
	want := bytes.Repeat([]byte("last words "), 100_000)
	s, peer := tcpPair(t, Config{OutboxBytes: 2 << 20})
	if _, err := peer.Write([]byte("DISCONNECT: 0\n\n\n")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(s, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(want); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- s.Close(nil) }()
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("peer got %d bytes and %v, want %d and the end", len(got), err, len(want))
	}
	peer.Close()
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestAddressesOfTCPSession(t *testing.T) {
	s, peer := tcpPair(t, Config{})
	if got, want := s.LocalAddr().String(), peer.RemoteAddr().String(); got != want {
		t.Errorf("LocalAddr() = %s, want %s", got, want)
	}
	if got, want := s.RemoteAddr().String(), peer.LocalAddr().String(); got != want {
		t.Errorf("RemoteAddr() = %s, want %s", got, want)
	}
	if s.Transport() != TransportTCP {
		t.Errorf("Transport() = %q", s.Transport())
	}
}
