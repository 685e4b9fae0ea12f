package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
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

func TestEnqueueKeepsOrderOfConcurrentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, each = 8, 500
		s, peer := pair(t, Config{})
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					if err := s.Enqueue(fmt.Appendf(nil, "%02d:%04d\n", c, i)); err != nil {
						t.Errorf("caller %d message %d: %v", c, i, err)
					}
				}
			})
		}
		next := make([]int, callers)
		for range callers * each {
			var c, i int
			if _, err := fmt.Sscanf(readN(t, peer, 8), "%02d:%04d\n", &c, &i); err != nil {
				t.Fatalf("peer got something else than a message: %v", err)
			}
			if i != next[c] {
				t.Fatalf("caller %d: got message %d, want %d", c, i, next[c])
			}
			next[c]++
		}
		wg.Wait()
	})
}

func TestEnqueueStartsWriterOnlyWhileSomethingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{})
		for range 3 {
			if writing(s) {
				t.Fatal("idle session has a writer")
			}
			s.Enqueue([]byte("one"))
			s.Enqueue([]byte("two"))
			if !writing(s) {
				t.Fatal("session with a full outbox has no writer")
			}
			if got := readN(t, peer, 6); got != "onetwo" {
				t.Fatalf("peer got %q", got)
			}
			synctest.Wait()
			if s.queue != nil {
				t.Fatal("idle session keeps its queue")
			}
		}
	})
}

func writing(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writing
}

func TestFullOutboxEndsSessionWithErrSlowAndWakesReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{OutboxBytes: 10})
		reads := make(chan error, 1)
		go func() {
			_, err := s.Read(make([]byte, 1))
			reads <- err
		}()
		synctest.Wait()
		for i := range 2 {
			if err := s.Enqueue([]byte("12345")); err != nil {
				t.Fatalf("message %d within the limit: %v", i, err)
			}
		}
		if err := s.Enqueue([]byte("6")); !errors.Is(err, ErrSlow) || !errors.Is(err, net.ErrClosed) {
			t.Fatalf("message over the limit: got %v, want ErrSlow and net.ErrClosed", err)
		}
		if err := <-reads; !errors.Is(err, ErrSlow) {
			t.Errorf("reader got %v, want ErrSlow", err)
		}
		if err := s.Err(); err != ErrSlow {
			t.Errorf("Err() = %v, want ErrSlow", err)
		}
		<-s.Done()
		synctest.Wait()
		if _, err := io.ReadAll(peer); err != nil {
			t.Errorf("peer's connection was not closed: %v", err)
		}
		if got := s.Stats().QueuedBytes; got != 0 {
			t.Errorf("%d bytes still wait", got)
		}
	})
}

// A message larger than the whole outbox finds no writer, which has to be started to close the connection.
func TestMessageLargerThanOutboxEndsIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{OutboxBytes: 10})
		if err := s.Enqueue(make([]byte, 11)); !errors.Is(err, ErrSlow) {
			t.Fatalf("got %v, want ErrSlow", err)
		}
		if got, err := io.ReadAll(peer); len(got) != 0 || err != nil {
			t.Fatalf("peer got %d bytes and %v, want a closed connection", len(got), err)
		}
	})
}

func TestPeerThatTakesNothingForAMinuteIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{})
		start := time.Now()
		s.Enqueue([]byte("hello"))
		<-s.Done()
		if got := time.Since(start); got != writeTimeout {
			t.Errorf("session ended after %v, want %v", got, writeTimeout)
		}
		if err := s.Err(); !errors.Is(err, ErrSlow) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want ErrSlow by a deadline", err)
		}
	})
}

func TestPlainKeepsBoundaries(t *testing.T) {
	want := []string{"one", "two", "three", "four"}
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{Transport: TransportPlain})
		for _, m := range want {
			s.Enqueue([]byte(m))
		}
		b := make([]byte, 100)
		for _, m := range want {
			n, err := peer.Read(b)
			if got := string(b[:n]); got != m || err != nil {
				t.Fatalf("peer read %q, %v; want %q in one piece", got, err, m)
			}
		}
	})
}

func TestStreamJoinsWaitingMessagesButNeverCutsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := writeLog{hold: make(chan struct{})}
		s := New(&log, Config{Transport: TransportTCP})
		s.Enqueue([]byte("first\n"))
		synctest.Wait()
		var want bytes.Buffer
		want.WriteString("first\n")
		for i := range 3000 {
			m := fmt.Appendf(nil, "message %d %s\n", i, strings.Repeat("x", i%40))
			if i == 1500 {
				m = append(bytes.Repeat([]byte("y"), 64<<10), '\n')
			}
			want.Write(m)
			if err := s.Enqueue(m); err != nil {
				t.Fatal(err)
			}
		}
		close(log.hold)
		if err := s.Close(nil); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if got := bytes.Join(log.writes, nil); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d bytes arrived, want %d, or their order is wrong", len(got), want.Len())
		}
		for i, w := range log.writes {
			if w[len(w)-1] != '\n' {
				t.Errorf("write %d of %d ends within a message", i, len(log.writes))
			}
			if len(w) > joinedBytesMax && bytes.Count(w, []byte("\n")) > 1 {
				t.Errorf("write %d joins messages to %d bytes, want at most %d", i, len(w), joinedBytesMax)
			}
		}
		if got := s.Stats(); got.MessagesSent != 3001 || got.Writes > 20 {
			t.Errorf("%d messages in %d writes, want 3001 in a few", got.MessagesSent, got.Writes)
		}
	})
}

// A writeLog is a connection that remembers its writes and can hold them up.
type writeLog struct {
	net.Conn
	hold   chan struct{} // Writes wait until it is closed; nil holds nothing up.
	writes [][]byte
}

func (l *writeLog) Write(b []byte) (int, error) {
	if l.hold != nil {
		<-l.hold
	}
	l.writes = append(l.writes, bytes.Clone(b))
	return len(b), nil
}
func (l *writeLog) Close() error                     { return nil }
func (l *writeLog) SetDeadline(time.Time) error      { return nil }
func (l *writeLog) SetReadDeadline(time.Time) error  { return nil }
func (l *writeLog) SetWriteDeadline(time.Time) error { return nil }

func TestCloseWritesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{})
		s.Enqueue([]byte("good "))
		s.Enqueue([]byte("bye"))
		got := make(chan string)
		go func() {
			time.Sleep(time.Second) // Within the drain time-out.
			b, _ := io.ReadAll(peer)
			got <- string(b)
		}()
		reason := errors.New("time to go")
		closed := make(chan error)
		go func() { closed <- s.Close(reason) }()
		synctest.Wait()
		if err := s.Enqueue([]byte("more")); !errors.Is(err, reason) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("Enqueue while closing: got %v, want the reason and net.ErrClosed", err)
		}
		if got := <-got; got != "good bye" {
			t.Errorf("peer got %q", got)
		}
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := s.Close(errors.New("another")); err != nil || s.Err() != reason {
			t.Errorf("second Close: got %v and reason %v, want nil and the first reason", err, s.Err())
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, reason) {
			t.Errorf("Read after Close: got %v, want the reason", err)
		}
		if err := s.SetReadDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("SetReadDeadline after Close: got %v, want net.ErrClosed", err)
		}
	})
}

func TestCloseGivesUpAfterDrainTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{DrainTimeout: 3 * time.Second})
		s.Enqueue([]byte("nobody reads this"))
		synctest.Wait()
		start := time.Now()
		if err := s.Close(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Close: got %v, want a timeout", err)
		}
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("Close took %v, want 3s", got)
		}
	})
}

func TestAbortCutsCloseShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{})
		s.Enqueue([]byte("nobody reads this"))
		start := time.Now()
		time.AfterFunc(time.Second, func() { s.Abort(errors.New("now")) })
		reason := errors.New("first")
		s.Close(reason)
		if got := time.Since(start); got != time.Second {
			t.Errorf("Close took %v, want 1s", got)
		}
		if got := s.Err(); got != reason {
			t.Errorf("Err() = %v, want the first reason", got)
		}
	})
}

func TestAbortWakesReaderAndLateDeadlineDoesNotPutItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{})
		reason := errors.New("enough")
		reads := make(chan error)
		go func() {
			_, err := s.Read(make([]byte, 1))
			s.SetReadDeadline(time.Time{})
			_, again := s.Read(make([]byte, 1))
			reads <- errors.Join(err, again)
		}()
		synctest.Wait()
		s.Abort(reason)
		if err := <-reads; !errors.Is(err, reason) {
			t.Errorf("reader got %v, want the reason", err)
		}
	})
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

func TestBrokenConnectionEndsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{})
		peer.Close()
		s.Enqueue([]byte("hello?"))
		<-s.Done()
		if err := s.Err(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v, want the pipe's error", err)
		}
	})
}

// A noting connection wants to know about answers and proofs, as plain datagrams do.
type noting struct {
	writeLog
	answers []string
	proven  int
}

func (n *noting) NoteAnswer(b []byte) { n.answers = append(n.answers, string(b)) }
func (n *noting) Proven()             { n.proven++ }

func TestReplyAndProvenReachConnectionsThatCare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n noting
		s := New(&n, Config{Transport: TransportPlain})
		s.Enqueue([]byte("event"))
		s.Reply([]byte("answer"))
		s.Proven()
		s.Close(nil)
		if len(n.answers) != 1 || n.answers[0] != "answer" || n.proven != 1 || len(n.writes) != 2 {
			t.Errorf("answers %q, proven %d, %d writes; want one answer, one proof, two writes", n.answers, n.proven, len(n.writes))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{}) // Cares about neither.
		s.Proven()
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
