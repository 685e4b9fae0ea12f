package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A stranger opens and closes sessions all day: the log must not fill the disk, but say that it happened.
func TestSessionsByTheThousandDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, ends(func(*session.Session) error { return io.EOF }))
		const seconds, perSecond = 20, 500
		for range seconds {
			for range perSecond {
				conn := w.dial("[::1]:1")
				_, _ = io.WriteString(conn, "x") // If it fails the session has ended, which is what it is for.
				conn.Close()
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := w.srv.Stats().Ended; got != seconds*perSecond {
			t.Errorf("%d sessions ended, want %d", got, seconds*perSecond)
		}
		lines, most := len(w.log.lines(t, "session ended")), endLinesBurst+seconds*endLinesPerSecond
		if lines > most || lines < endLinesBurst {
			t.Errorf("%d lines, want %d at most", lines, most)
		}
		notices := w.log.lines(t, "too many sessions end for a line each")
		if len(notices) < 2 || len(notices) > 3 || notices[1]["count"].(float64) < 1000 {
			t.Errorf("notices: %v, want one every 10 s with a count", notices)
		}
		w.shutdown()
	})
}

// A client that had itself called back and does not read the callback connection must not hold the shutdown up either.
func TestShutdownCutsOffWhatWasCalledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, _ := net.Pipe()
		back, _ := net.Pipe() // Nobody reads.
		srv, l := New(nil, Config{DrainTimeout: time.Minute}), newMemListener()
		go srv.Serve(context.Background(), Listener{
			Listener: l,
			Fronts: []front.Front{&testFront{"x", func(ctx context.Context, s *session.Session) error {
				called, err := s.Call(ctx, netip.AddrPort{})
				if err != nil {
					return err
				}
				<-ctx.Done()
				_ = called.Enqueue([]byte("good-bye"))
				_ = called.Close(nil) // What it could not write is what this is about.
				return ctx.Err()
			}}},
			Call: func(net.Conn) func(context.Context, netip.AddrPort) (net.Conn, error) {
				return func(context.Context, netip.AddrPort) (net.Conn, error) { return back, nil }
			},
		})
		l.conns <- ours
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: got %v, want the context's error", err)
		}
		if took := time.Since(start); took != 400*time.Millisecond || srv.Stats().Sessions != 0 {
			t.Errorf("it took %v, %d sessions are left", took, srv.Stats().Sessions)
		}
	})
}
