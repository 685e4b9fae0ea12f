package carrier

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// serve runs the front-end on a session over a pipe and returns the peer's end and what Serve returns.
func serve(ctx context.Context, f *Front, transport string) (peer net.Conn, result <-chan error) {
	ours, theirs := net.Pipe()
	s := session.New(ours, session.Config{Transport: transport})
	done := make(chan error, 1)
	go func() {
		err := f.Serve(ctx, s, nil)
		_ = s.Close(err)
		done <- err
	}()
	return theirs, done
}

// ask sends a line and returns the answer.
func ask(t *testing.T, peer net.Conn, line, want string) {
	t.Helper()
	if _, err := io.WriteString(peer, line); err != nil {
		t.Error(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(peer, got); string(got) != want || err != nil {
		t.Errorf("%q was answered by %q, %v; want %q", line, got, err, want)
	}
}

func TestHeldSessionStaysUntilThePeerLeaves(t *testing.T) {
	for _, line := range []string{"UCP1 hold\n", "UCP1 hold web\n"} {
		synctest.Test(t, func(t *testing.T) {
			peer, result := serve(t.Context(), New(Config{Targets: map[string]string{"web": "x:1"}}), session.TransportUDP)
			ask(t, peer, line, "ok\n")
			io.WriteString(peer, "\n\n")
			time.Sleep(24 * time.Hour)
			select {
			case err := <-result:
				t.Fatalf("ended with %v", err)
			default:
			}
			peer.Close()
			if err := <-result; err != io.EOF {
				t.Errorf("ended with %v, want EOF", err)
			}
		})
	}
}

// What is not allowed is said in words, and the session ends.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ transport, line, want string }{
		{session.TransportUDP, "UCP1 hold web\n", "no this server has no target web\n"},
		{session.TransportStream, "UCP1 to web\n", "no this server has no target web\n"},
		{session.TransportTCP, "UCP1 hold\n", "no connections are carried over reliable UDP only, not over tcp\n"},
		{session.TransportTLS, "UCP1 to relay\n", "no connections are carried over reliable UDP only, not over tls\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			peer, result := serve(t.Context(), New(Config{Targets: map[string]string{"relay": "x:1"}}), c.transport)
			ask(t, peer, c.line, c.want)
			if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("then came %v", err)
			}
			if err := <-result; err == nil || errors.Is(err, io.EOF) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestBadLinesEndTheSession(t *testing.T) {
	for _, bad := range []string{"UCP1 keep\n", "UCP1 hold x y\n", strings.Repeat("UCP1 ", 60), "UCP1 hold\nand more"} {
		synctest.Test(t, func(t *testing.T) {
			peer, result := serve(t.Context(), New(Config{}), session.TransportUDP)
			go io.Copy(io.Discard, peer)
			io.WriteString(peer, bad)
			if err := <-result; err == nil || errors.Is(err, io.EOF) {
				t.Errorf("%q: ended with %v", bad, err)
			}
		})
	}
}

// Who begins a line and does not end it is not waited for for ever.
func TestUnfinishedLineTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		peer, result := serve(t.Context(), New(Config{}), session.TransportUDP)
		io.WriteString(peer, "UCP1 ho")
		if err := <-result; err == nil || time.Since(start) != requestTimeout {
			t.Errorf("ended after %v with %v", time.Since(start), err)
		}
	})
}

func TestShutdownEndsHeldSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		peer, result := serve(ctx, New(Config{}), session.TransportUDP)
		ask(t, peer, "UCP1 hold\n", "ok\n")
		cause := errors.New("shutting down")
		stop(cause)
		if err := <-result; !errors.Is(err, cause) {
			t.Errorf("ended with %v", err)
		}
	})
}

// A stream to a target carries bytes both ways, those that came with the line among them, until either side ends.
func TestJoinsTarget(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	go func() {
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			go func() {
				b, _ := io.ReadAll(c) // Answers when the question has ended.
				io.WriteString(c, strings.ToUpper(string(b)))
				c.Close()
			}()
		}
	}()
	f := New(Config{Targets: map[string]string{"shout": target.Addr().String(), "gone": "127.0.0.1:1"}})
	client, server := tcpPair(t) // Net's pipes cannot end one direction.
	s := session.New(server, session.Config{Transport: session.TransportStream})
	result := make(chan error, 1)
	go func() {
		err := f.Serve(t.Context(), s, nil)
		_ = s.Close(err)
		result <- err
	}()
	io.WriteString(client, "UCP1 to shout\nhello ")
	io.WriteString(client, "there")
	client.CloseWrite()
	if got, err := io.ReadAll(client); string(got) != "ok\nHELLO THERE" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-result; !errors.Is(err, io.EOF) {
		t.Errorf("ended with %v", err)
	}
	if n := f.joined.Load(); n != 0 {
		t.Errorf("%d streams are still counted", n)
	}

	peer, result2 := serve(t.Context(), f, session.TransportStream)
	ask(t, peer, "UCP1 to gone\n", "no the target gone does not answer\n")
	if err := <-result2; err == nil {
		t.Error("no error about a target that is not there")
	}
	f.joined.Store(joinedMax)
	peer, _ = serve(t.Context(), f, session.TransportStream)
	ask(t, peer, "UCP1 to shout\n", "no too many connections to targets\n")
}

func tcpPair(t *testing.T) (client *net.TCPConn, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); server.Close() })
	return c.(*net.TCPConn), server
}

func TestMatch(t *testing.T) {
	for prefix, want := range map[string]front.Match{"U": front.More, "UC": front.More, "UC1\n": front.No, "UCP1 hold": front.Yes, "HELO": front.No} {
		if got := New(Config{}).Match([]byte(prefix)); got != want {
			t.Errorf("%q: %v", prefix, got)
		}
	}
}
