package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// listenTCP opens a listener on loopback.
func listenTCP(t testing.TB) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l.(*net.TCPListener)
}

// Two listeners, many clients at once, over real sockets: everybody gets all answers, and nothing runs in the end.
func TestServerOverTCP(t *testing.T) {
	defer goleak.VerifyNone(t)
	const clients, requests = 50, 20
	var log logBook
	srv := New(nil, Config{Logger: slog.New(slog.NewJSONHandler(&log, nil)), AcceptPerSecond: 1, AcceptBurst: 1})
	listeners := []*net.TCPListener{listenTCP(t), listenTCP(t)}
	var serving, peers sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() {
			if err := srv.Serve(t.Context(), Listener{Listener: l, Transport: "tcp", Fronts: []front.Front{echo("a"), echo("b")}}); err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
	var stay []net.Conn
	for i := range clients {
		conn, err := net.Dial("tcp", listeners[i%2].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		stay = append(stay, conn)
		peers.Go(func() {
			word := string('a' + rune(i%2))
			for j := range requests {
				m := fmt.Sprintf("%s %d %d", word, i, j)
				if _, err := io.WriteString(conn, m); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				got := make([]byte, len(m)+2)
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != word+":"+m {
					t.Errorf("client %d got %q, %v", i, got, err)
					return
				}
			}
			if i >= clients/2 {
				conn.Close()
			}
		})
	}
	peers.Wait()
	for _, conn := range stay[:clients/2] {
		peers.Go(func() {
			b, err := io.ReadAll(conn)
			if string(b) != "bye" || err != nil {
				t.Errorf("on shutdown a client got %q, %v", b, err)
			}
			conn.Close()
		})
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	peers.Wait()
	serving.Wait()
	// Of those who left before, some may not have been noticed, and be told good-bye too.
	if got := srv.Stats(); got.Accepted != clients || got.Ended != clients || got.MessagesSent < clients*requests+clients/2 {
		t.Errorf("stats: %+v", got)
	}
	if got := len(log.lines(t, "session ended")); got != clients {
		t.Errorf("%d sessions logged, want %d", got, clients)
	}
	for _, l := range listeners {
		// Not dialled: the port may be somebody else's by now.
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a listener is not closed: %v", err)
		}
	}
}

// One peer of many stops reading what everybody gets. It is ended as slow, and the others get everything.
func TestSlowTCPPeerIsCutOffAlone(t *testing.T) {
	defer goleak.VerifyNone(t)
	const members, size = 5, 1000
	var log logBook
	srv := New(nil, Config{Logger: slog.New(slog.NewJSONHandler(&log, nil)), OutboxBytes: 256 << 10})
	joined := make(chan *session.Session, members)
	l := listenTCP(t)
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = srv.Serve(t.Context(), Listener{Listener: l, Transport: "tcp", Fronts: []front.Front{&testFront{"x", func(_ context.Context, s *session.Session) error {
			joined <- s
			_, err := s.Read(make([]byte, 1))
			return err
		}}}})
	})
	var peers []net.Conn
	var room []*session.Session
	for range members {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		peers = append(peers, conn)
		room = append(room, <-joined)
	}
	message := []byte(strings.Repeat("m", size))
	got := make([]byte, size)
	sent := 0
	for ; room[0].Err() == nil; sent++ {
		for i, s := range room {
			if err := s.Enqueue(message); err != nil && i > 0 {
				t.Fatalf("member %d: %v", i, err)
			}
		}
		for _, conn := range peers[1:] { // All but the first read at once.
			if _, err := io.ReadFull(conn, got); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, conn := range peers {
		conn.Close()
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	serving.Wait()
	if stats := srv.Stats(); stats.EndedSlow != 1 || stats.Ended != members {
		t.Errorf("%d of %d ended slow, want 1", stats.EndedSlow, stats.Ended)
	}
	slow := 0
	for _, line := range log.lines(t, "session ended") {
		if line["reason"] == "slow" {
			slow++
		}
	}
	if slow != 1 {
		t.Errorf("log has %d slow sessions, want 1", slow)
	}
	t.Logf("cut off after %d messages of %d bytes", sent, size)
}

// A peer that resets its connection is lost, whoever finds out first.
func TestResetIsLoggedAsLost(t *testing.T) {
	defer goleak.VerifyNone(t)
	var log logBook
	srv := New(nil, Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	l := listenTCP(t)
	ended := make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = srv.Serve(t.Context(), Listener{Listener: l, Transport: "tcp", Fronts: []front.Front{&testFront{"x", func(_ context.Context, s *session.Session) error {
			defer close(ended)
			for {
				if _, err := s.Read(make([]byte, 1)); err != nil {
					return err
				}
			}
		}}}})
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close()); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	serving.Wait()
	lines := log.lines(t, "session ended")
	if len(lines) != 1 || lines[0]["reason"] != "lost" {
		t.Errorf("log: %v, want one lost session", lines)
	}
}
