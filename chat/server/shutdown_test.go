package server

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

func TestShutdownLetsFrontsTakeLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, echo("one"), echo("two"))
		conn, unknown := w.dial("192.0.2.1:1"), w.dial("192.0.2.1:2")
		w.say(conn, "one", "one:one")
		got := make(chan string)
		go func() {
			time.Sleep(time.Second) // Slower than the server, within its drain time-out.
			b, _ := io.ReadAll(conn)
			got <- string(b)
		}()
		synctest.Wait() // Both are accepted: what still waits for that belongs to the listener.
		w.shutdown()
		if got := <-got; got != "bye" {
			t.Errorf("peer got %q, want a farewell", got)
		}
		if b, err := io.ReadAll(unknown); len(b) != 0 || err != nil {
			t.Errorf("peer of no protocol got %q, %v; want the end", b, err)
		}
		for _, line := range w.log.lines(t, "session ended") {
			if line["reason"] != "shutdown" {
				t.Errorf("log: %v, want shutdown", line)
			}
		}
		// Nothing begins any more.
		if err := w.srv.Serve(t.Context(), Listener{Listener: newMemListener(), Fronts: []front.Front{echo("one")}}); err != nil {
			t.Errorf("Serve after Shutdown: %v", err)
		}
		if err := w.srv.Shutdown(t.Context()); err != nil {
			t.Errorf("second Shutdown: %v", err)
		}
	})
}

func TestShutdownOfServerThatNeverServed(t *testing.T) {
	if err := New(nil, Config{}).Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// Peers that take nothing hold the shutdown up for the drain time-out, once and not one after the other.
func TestShutdownDrainsAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{DrainTimeout: time.Second}, echo("one"))
		for range 50 {
			w.dial("127.0.0.1:1")
		}
		synctest.Wait()
		start := time.Now()
		w.shutdown()
		if got := time.Since(start); got != time.Second {
			t.Errorf("took %v, want 1s", got)
		}
	})
}

func TestShutdownCutsSessionsOffWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stubborn := &testFront{"x", func(_ context.Context, s *session.Session) error {
			_, err := s.Read(make([]byte, 1)) // Does not care about ctx.
			return err
		}}
		w := newWorld(t, Config{}, stubborn)
		w.dial("192.0.2.1:1")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if err := w.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: got %v, want the context's error", err)
		}
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("took %v, want 5s", got)
		}
		if got := w.srv.Stats().Sessions; got != 0 {
			t.Errorf("%d sessions left", got)
		}
	})
}

func TestShutdownDoesNotWaitForeverForBrokenFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := newWorld(t, Config{}, &testFront{"x", func(context.Context, *session.Session) error {
			<-release
			return errTest
		}})
		w.dial("192.0.2.1:1")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		if err := w.srv.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: got %v, want the context's error", err)
		}
		if got := time.Since(start); got != abortGrace {
			t.Errorf("took %v, want %v", got, abortGrace)
		}
		close(release)
		w.shutdown()
	})
}

// A connection that is accepted while the server stops gets no session and is not forgotten either.
func TestConnectionAcceptedDuringShutdownIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, echo("one"))
		synctest.Wait()
		w.srv.mu.Lock()
		w.srv.stopping = true
		w.srv.mu.Unlock()
		var conns []net.Conn
		for range 3 {
			conns = append(conns, w.dial("192.0.2.1:1"))
		}
		for _, conn := range conns {
			if b, err := io.ReadAll(conn); len(b) != 0 || err != nil {
				t.Errorf("got %q, %v", b, err)
			}
		}
		w.shutdown()
	})
}
