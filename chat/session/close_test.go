package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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

// The peer takes some of what waits and then stops: the time-out counts from Close, not from the last write.
func TestDrainTimeoutIsNotRenewedByWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{Transport: TransportPlain, DrainTimeout: 3 * time.Second})
		for range 5 {
			s.Enqueue([]byte("datagram"))
		}
		time.AfterFunc(time.Second, func() { readN(t, peer, 16) })
		start := time.Now()
		if err := s.Close(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Close: got %v, want a timeout", err)
		}
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("Close took %v, want 3s", got)
		}
	})
}

// A front-end that reads while somebody else closes its session is not kept waiting for the outbox.
func TestCloseWakesReaderBeforeDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{})
		s.Enqueue([]byte("nobody reads this"))
		start := time.Now()
		go s.Close(nil)
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reader got %v, want net.ErrClosed", err)
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("reader waited %v", got)
		}
	})
}

// A closeCounter counts how often it is closed.
type closeCounter struct {
	writeLog
	closes int
}

func (c *closeCounter) Close() error { c.closes++; return nil }

func TestConnectionIsClosedOnceWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn closeCounter
		s := New(&conn, Config{})
		s.Enqueue([]byte("bye"))
		s.Close(nil)
		s.Abort(nil)
		s.Close(nil)
		synctest.Wait()
		if conn.closes != 1 {
			t.Errorf("connection was closed %d times", conn.closes)
		}
		if err := s.Enqueue([]byte("late")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Enqueue after the end: got %v, want net.ErrClosed", err)
		}
	})
}

// A halfCloser is a pipe that can be closed for writing, as TCP can.
type halfCloser struct {
	net.Conn
	closedWrite chan struct{}
}

func (c *halfCloser) CloseWrite() error { close(c.closedWrite); return nil }

// The peer sees the end at once; if it goes on sending, Close does not wait for it for long.
func TestCloseDoesNotWaitForPeerThatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c := &halfCloser{ours, make(chan struct{})}
		s := New(c, Config{})
		start := time.Now()
		var peer sync.WaitGroup
		peer.Go(func() {
			<-c.closedWrite
			if got := time.Since(start); got != 0 {
				t.Errorf("peer saw the end after %v", got)
			}
			for err := error(nil); err == nil; time.Sleep(10 * time.Millisecond) {
				_, err = theirs.Write([]byte("still here\n"))
			}
		})
		if err := s.Close(nil); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := time.Since(start); got != lingerTimeout {
			t.Errorf("Close took %v, want %v", got, lingerTimeout)
		}
		peer.Wait()
	})
}

// An aborting connection is one that can say why it ended, as reliable connections can.
type aborting struct {
	writeLog
	code uint32
	text string
}

func (a *aborting) Abort(code uint32, text string) { a.code, a.text = code, text }
func (a *aborting) Close() error                   { return nil }

func TestAbortTellsPeerWhyWithoutInnerDetails(t *testing.T) {
	for _, c := range []struct {
		reason error
		code   uint32
		text   string
	}{
		{ErrSlow, CodeSlow, "peer takes messages too slowly"},
		{fmt.Errorf("at table users: %w", &Reason{CodeRefused, "too many"}), CodeRefused, "too many"},
		{errors.New("table users is locked"), CodeAborted, "ended at once"},
	} {
		var conn aborting
		s := New(&conn, Config{})
		s.Abort(c.reason)
		s.Close(nil)
		if conn.code != c.code || conn.text != c.text {
			t.Errorf("%v: peer was told %d %q, want %d %q", c.reason, conn.code, conn.text, c.code, c.text)
		}
	}
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

func TestAbortAllEndsCalledSessionsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var peers []net.Conn
		s, _ := pair(t, Config{DrainTimeout: time.Hour, Call: func(context.Context, netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			peers = append(peers, theirs)
			return ours, nil
		}})
		var called []*Session
		for range 3 {
			c, err := s.Call(t.Context(), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			c.Enqueue([]byte("nobody reads this"))
			called = append(called, c)
		}
		called[0].Abort(ErrSlow)
		called[0].Close(nil)
		go called[1].Close(nil) // Would take an hour.
		synctest.Wait()
		start := time.Now()
		s.AbortAll(ErrSlow)
		late, err := s.Call(t.Context(), netip.AddrPort{})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range append(called, late, s) {
			c.Close(nil)
			if c.Err() == nil {
				t.Errorf("session %d lives", i)
			}
		}
		for _, p := range peers {
			if _, err := p.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("a peer got %v, want the end", err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		if len(s.called) > 1 {
			t.Errorf("%d called sessions remembered", len(s.called))
		}
	})
}
