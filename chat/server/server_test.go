package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

func TestServeGivesEachSessionToItsFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{SniffTimeout: 7 * time.Second}, echo("one"), echo("two"))
		a, b, silent := w.dial("192.0.2.1:1"), w.dial("192.0.2.1:2"), w.dial("192.0.2.1:3")
		w.say(a, "one hello", "one:one hello")
		w.say(b, "gibberish", "two:gibberish")
		w.say(a, "again", "one:again")
		time.Sleep(8 * time.Second)
		w.say(silent, "one, too late", "two:one, too late")
		synctest.Wait()
		if got := w.srv.Stats(); got.Sessions != 3 || got.Accepted != 3 || got.BytesReceived != 36 || got.MessagesSent != 4 {
			t.Errorf("stats: %+v", got)
		}
		a.Close()
		synctest.Wait()
		if got := w.srv.Stats(); got.Sessions != 2 || got.Ended != 1 || got.BytesReceived != 36 || got.MessagesSent != 4 {
			t.Errorf("stats after one left: %+v", got)
		}
		go io.Copy(io.Discard, b)
		go io.Copy(io.Discard, silent)
		w.shutdown()
	})
}

// TestEndedSessionIsLoggedOnce lets sessions end in every way and reads the log.
func TestEndedSessionIsLoggedOnce(t *testing.T) {
	closed := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	for _, c := range []struct {
		name        string
		front       *testFront
		reason, err string
		proto       string
	}{
		{"peer closes", ends(func(*session.Session) error { return io.EOF }), "left", "EOF", "x"},
		{"front decides", ends(func(*session.Session) error { return errTest }), "protocol", "test: enough", "x"},
		{"front says nothing", ends(func(*session.Session) error { return nil }), "protocol", errNoReason.Error(), "x"},
		{"text of a stranger", ends(func(*session.Session) error { return errors.New("bad \x1b[31m\u202e name") }),
			"protocol", `bad \x1b[31m\u202e name`, "x"},
		{"long text", ends(func(*session.Session) error { return errors.New(strings.Repeat("ä", 1000)) }),
			"protocol", strings.Repeat("ä", 150) + "… (2000 bytes)", "x"},
		{"timeout", ends(func(*session.Session) error { return os.ErrDeadlineExceeded }), "timeout", "i/o timeout", "x"},
		{"reset", ends(func(*session.Session) error { return closed }), "lost", "read tcp: connection reset by peer", "x"},
		{"slow", ends(func(s *session.Session) error {
			for s.Enqueue(make([]byte, 1000)) == nil {
			}
			return errTest
		}), "slow", session.ErrSlow.Error(), "x"},
		{"unwritten", ends(func(s *session.Session) error {
			_ = s.Enqueue([]byte("nobody reads this"))
			return errTest
		}), "protocol", "test: enough (and then session: writing what waited: write pipe: i/o timeout)", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Config{OutboxBytes: 10_000}, c.front, echo("last"))
				conn := w.dial("192.0.2.1:77")
				time.Sleep(1500 * time.Millisecond)
				if _, err := io.WriteString(conn, "x"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				lines := w.log.lines(t, "session ended")
				if len(lines) != 1 {
					t.Fatalf("%d lines, want 1: %v", len(lines), lines)
				}
				dur := lines[0]["dur"].(float64)
				for key, want := range map[string]any{
					"level": "INFO", "session": 1.0, "proto": c.proto, "transport": "tcp", "peer": "192.0.2.1:77", "reason": c.reason, "err": c.err,
				} {
					if got := lines[0][key]; got != want {
						t.Errorf("%s = %v, want %v", key, got, want)
					}
				}
				if dur < 1.5e9 || dur > 4e9 {
					t.Errorf("dur = %v", time.Duration(dur))
				}
				w.shutdown()
			})
		})
	}
}

func TestPeerThatLeavesUnrecognisedIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, echo("one"), echo("two"))
		w.dial("192.0.2.1:1").Close()
		synctest.Wait()
		lines := w.log.lines(t, "session ended")
		if len(lines) != 1 || lines[0]["reason"] != "left" || lines[0]["proto"] != "none" {
			t.Errorf("log: %v", lines)
		}
		w.shutdown()
	})
}

func TestPanicOfFrontEndsOnlyItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := ends(func(s *session.Session) error {
			_ = s.Enqueue([]byte("before"))
			panic("no \x1b[2J idea")
		})
		w := newWorld(t, Config{}, bad, echo("two"))
		other := w.dial("192.0.2.1:1")
		w.say(other, "two", "two:two")
		conn := w.dial("192.0.2.2:1")
		w.say(conn, "x", "before") // What it had said before is still delivered.
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("peer of the panicking session reads %v, want the end", err)
		}
		w.say(other, "still here?", "two:still here?")

		synctest.Wait()
		panics, ended := w.log.lines(t, "front-end panicked"), w.log.lines(t, "session ended")
		if len(panics) != 1 || len(ended) != 1 {
			t.Fatalf("log: %d panics, %d ends; want one each", len(panics), len(ended))
		}
		if want := fmt.Sprintf("reference %v", panics[0]["ref"]); ended[0]["reason"] != "panic" || !strings.HasSuffix(ended[0]["err"].(string), want) {
			t.Errorf("end is logged as %v, want a panic with %s", ended[0], want)
		}
		if got := panics[0]["err"]; got != `no \x1b[2J idea` {
			t.Errorf("panic is logged as %q", got)
		}
		if !strings.Contains(panics[0]["stack"].(string), "server_test.go") {
			t.Errorf("stack does not show the place: %s", panics[0]["stack"])
		}
		if got := w.srv.Stats().Panics; got != 1 {
			t.Errorf("%d panics counted", got)
		}
		go io.Copy(io.Discard, other)
		w.shutdown()
	})
}

func TestServeEndsWithItsContextAndTellsFronts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, l := New(nil, Config{}), newMemListener()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- srv.Serve(ctx, Listener{Listener: l, Fronts: []front.Front{echo("one")}}) }()
		ours, theirs := net.Pipe()
		l.conns <- ours
		synctest.Wait()
		cancel()
		if err := <-served; err != context.Canceled {
			t.Errorf("Serve returned %v, want the context's error", err)
		}
		if got, err := io.ReadAll(theirs); string(got) != "bye" || err != nil {
			t.Errorf("peer got %q, %v", got, err)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

func TestServeRefusesListenerWithoutFronts(t *testing.T) {
	l := newMemListener()
	if err := New(nil, Config{}).Serve(t.Context(), Listener{Listener: l}); err == nil {
		t.Error("got no error")
	}
	<-l.closed
}

// What a session may do about callbacks comes from its listener and is made for its connection.
func TestListenerSaysHowToCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, l := New(nil, Config{}), newMemListener()
		ours, theirs := net.Pipe()
		back, _ := net.Pipe()
		addr := netip.MustParseAddrPort("192.0.2.1:5000")
		calls := make(chan *session.Session, 1)
		go srv.Serve(context.Background(), Listener{
			Listener: l,
			Fronts: []front.Front{&testFront{"x", func(ctx context.Context, s *session.Session) error {
				called, err := s.Call(ctx, addr)
				if err != nil {
					t.Errorf("Call: %v", err)
				}
				calls <- called
				return io.EOF
			}}},
			Call: func(conn net.Conn) func(context.Context, netip.AddrPort) (net.Conn, error) {
				if conn != ours {
					t.Errorf("asked how to call for another connection")
				}
				return func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
					if to != addr {
						t.Errorf("called %v", to)
					}
					return back, nil
				}
			},
		})
		l.conns <- ours
		(<-calls).Close(nil)
		theirs.Close()
		srv.Shutdown(t.Context())
	})
}
