package reliable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// streamPair opens a stream from client to server.
func (w *world) streamPair(client, server *Conn, l Lane) (from, to *Stream) {
	w.Helper()
	from, err := client.OpenStream(l)
	if err != nil {
		w.Fatal(err)
	}
	to, err = server.AcceptStream(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if from.ID() != to.ID() || from.Lane() != l || to.Lane() != l {
		w.Errorf("opened %d, %v and accepted %d, %v", from.ID(), from.Lane(), to.ID(), to.Lane())
	}
	return from, to
}

// exchange has a message cross on the connection itself.
func (w *world) exchange(from, to *Conn, text string) {
	w.Helper()
	from.Write([]byte(text))
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); string(got) != text {
		w.Errorf("got %q, %v", got, err)
	}
}

func TestStreamsCarryBytesAndEndByThemselves(t *testing.T) {
	inWorld(t, lossy(0.1), Config{Streams: 4}, func(w *world) {
		client, server := w.connect()
		for _, l := range []Lane{Express, Bulk, Express, Bulk} {
			for _, pair := range [][2]*Conn{{client, server}, {server, client}} {
				from, to := w.streamPair(pair[0], pair[1], l)
				want := bytes.Repeat([]byte(l.String()), 10_000)
				go func() {
					from.Write(want)
					from.CloseWrite()
				}()
				got, err := io.ReadAll(to)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%v: %d bytes of %d, %v", l, len(got), len(want), err)
				}
				if _, err := from.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
					t.Errorf("a write after CloseWrite: %v", err)
				}
				to.Write([]byte("thanks")) // The other direction goes on.
				to.Close()
				if got, err := io.ReadAll(from); string(got) != "thanks" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				from.Close()
			}
		}
		time.Sleep(3 * time.Second)
		for _, c := range []*Conn{client, server} {
			if s := c.Stats(); s.Streams != 0 {
				t.Errorf("%d streams left; %+v", s.Streams, s)
			}
		}
	})
}

// TestStreamKnowsWhatHasArrived: not before the peer can read it, and not much later than the peer can say so.
func TestStreamKnowsWhatHasArrived(t *testing.T) {
	inWorld(t, lossy(0.3), Config{Streams: 4}, func(w *world) {
		client, server := w.connect()
		from, to := w.streamPair(server, client, Express)
		if since, all := from.Arrived(); !since.IsZero() || !all {
			t.Errorf("before anything was written: %v, %v", since, all)
		}
		for i := range 100 {
			start := time.Now()
			from.Write([]byte("message"))
			if _, all := from.Arrived(); all {
				t.Fatalf("message %d arrived before it could", i)
			}
			if _, err := io.ReadFull(to, make([]byte, len("message"))); err != nil {
				t.Fatal(err)
			}
			readable := time.Now()
			for {
				since, all := from.Arrived()
				if all {
					if since.Before(readable) || since.Before(start) || since.After(time.Now()) {
						t.Errorf("message %d, readable after %v, arrived after %v", i, readable.Sub(start), since.Sub(start))
					}
					break
				}
				if time.Since(readable) > 10*time.Second {
					t.Fatalf("message %d: nobody knows that it has arrived", i)
				}
				time.Sleep(time.Millisecond)
			}
		}
	})
}

func TestAbortedStreamTellsItsCodeAndTheConnectionGoesOn(t *testing.T) {
	inWorld(t, lossy(0.2), Config{Streams: 4}, func(w *world) {
		client, server := w.connect()
		from, to := w.streamPair(client, server, Bulk)
		go from.Write(make([]byte, 1<<20))
		io.ReadFull(to, make([]byte, 1000))
		to.Abort(777)
		for {
			_, err := from.Write(make([]byte, 1000))
			if e, ok := errors.AsType[*StreamError](err); ok {
				if e.Code != 777 || !e.Remote {
					t.Errorf("got %v", e)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := to.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading what was aborted: %v", err)
		}
		w.exchange(client, server, "still here")
	})
}

func TestStreamsAreRefusedUnlessAllowed(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		s, err := client.OpenStream(Express)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Read(make([]byte, 1))
		if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != CodeFull || !e.Remote {
			t.Errorf("reading from a refused stream: %v", err)
		}
		for range streamsMax[Bulk] {
			if _, err := client.OpenStream(Bulk); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if _, err := server.AcceptStream(ctx); err != context.DeadlineExceeded {
			t.Errorf("accepting what was refused: %v", err)
		}
		w.exchange(client, server, "still here")
	})
}

func TestClosingAConnectionDeliversItsStreams(t *testing.T) {
	inWorld(t, lossy(0.1), Config{Streams: 4}, func(w *world) {
		client, server := w.connect()
		express, e := w.streamPair(client, server, Express)
		bulk, b := w.streamPair(client, server, Bulk)
		want := bytes.Repeat([]byte("0123456789"), 6000)
		express.Write(want)
		bulk.Write(want)
		client.Close()
		for _, s := range []*Stream{e, b} {
			if got, err := io.ReadAll(s); !bytes.Equal(got, want) || err != nil {
				t.Errorf("%v: %d bytes of %d, %v", s.Lane(), len(got), len(want), err)
			}
		}
		if _, err := server.AcceptStream(w.Context()); err != io.EOF {
			t.Errorf("accepting after the end: %v", err)
		}
		if _, err := client.OpenStream(Bulk); !errors.Is(err, net.ErrClosed) {
			t.Errorf("opening after the end: %v", err)
		}
	})
}

func TestStreamDeadlines(t *testing.T) {
	inWorld(t, lossy(0), Config{Streams: 1}, func(w *world) {
		client, server := w.connect()
		from, to := w.streamPair(client, server, Bulk)
		to.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := to.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading: %v", err)
		}
		from.SetWriteDeadline(time.Now().Add(30 * time.Second))
		n, err := from.Write(make([]byte, 64<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing: %v", err)
		}
		if limit := 4 << 20; n > limit {
			t.Errorf("%d bytes were taken that nobody reads, want at most %d", n, limit)
		}
		from.SetDeadline(time.Time{})
		to.SetDeadline(time.Time{})
		go io.Copy(io.Discard, to)
		if _, err := from.Write(make([]byte, 1<<20)); err != nil {
			t.Error(err)
		}
	})
}

// A peer that goes on writing to a stream that nobody reads is told.
func TestClosedStreamIsBrokenOffWhenThePeerWritesOn(t *testing.T) {
	inWorld(t, lossy(0.1), Config{Streams: 1}, func(w *world) {
		client, server := w.connect()
		from, to := w.streamPair(client, server, Express)
		to.Write([]byte("bye"))
		to.Close()
		if got, err := io.ReadAll(io.LimitReader(from, 3)); string(got) != "bye" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		var err error
		for err == nil {
			_, err = from.Write(make([]byte, 1000))
		}
		if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != CodeNone || !e.Remote {
			t.Errorf("writing on: %v", err)
		}
	})
}
