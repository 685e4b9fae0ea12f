package reliable

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// The streams of all connections come out of one listener, as connections that end by themselves.
func TestStreamListenerAcceptsFromAllConnections(t *testing.T) {
	inWorld(t, lossy(0.1), Config{Streams: 4, StreamBacklog: 8}, func(w *world) {
		l := w.server.StreamListener()
		first, _ := w.connect()
		second, _ := w.connect()
		for i, c := range []*Conn{first, second, first} {
			s, err := c.OpenStream(Express)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(s, "hello")
			s.CloseWrite()
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
				t.Errorf("stream %d: got %q, %v", i, got, err)
			}
			if conn.RemoteAddr().String() != clientAddr.String() || conn.LocalAddr().String() != l.Addr().String() {
				t.Errorf("from %v to %v", conn.RemoteAddr(), conn.LocalAddr())
			}
			io.WriteString(conn, "bye")
			conn.Close()
			if got, err := io.ReadAll(s); string(got) != "bye" || err != nil {
				t.Errorf("stream %d: the answer is %q, %v", i, got, err)
			}
			s.Close()
		}
		time.Sleep(time.Second)
		for _, c := range []*Conn{first, second} {
			if n := c.Stats().Streams; n != 0 {
				t.Errorf("%d streams are left", n)
			}
		}
	})
}

// Streams that nobody has room for are refused; so are those that wait when the listener closes, and all after that. The
// connection goes on.
func TestStreamListenerRefusesWhatItHasNoRoomFor(t *testing.T) {
	inWorld(t, lossy(0), Config{Streams: 8, StreamBacklog: 2}, func(w *world) {
		l := w.server.StreamListener()
		client, server := w.connect()
		var streams []*Stream
		for range 4 {
			s, err := client.OpenStream(Express)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(s, "hello")
			streams = append(streams, s)
		}
		refused := func(s *Stream) bool {
			s.SetReadDeadline(time.Now().Add(time.Second))
			_, err := s.Read(make([]byte, 1))
			e, ok := errors.AsType[*StreamError](err)
			return ok && e.Remote && e.Code == CodeFull
		}
		for i, s := range streams {
			if got, want := refused(s), i >= 2; got != want {
				t.Errorf("stream %d of 4 with room for 2: refused %v", i, got)
			}
		}
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
		late, err := client.OpenStream(Bulk)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range append(streams[:2], late) {
			if !refused(s) {
				t.Errorf("stream %d was not refused when the listener had closed", i)
			}
		}
		w.exchange(client, server, "still here")
	})
}

// Who closes a connection does not cut off those who have its streams: they may finish, for a time.
func TestConnectionStaysForStreamsInUse(t *testing.T) {
	for name, finish := range map[string]bool{"that finish": true, "that do not": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, lossy(0.1), Config{Streams: 8, StreamBacklog: 2}, func(w *world) {
				l := w.server.StreamListener()
				client, server := w.connect()
				s, err := client.OpenStream(Express)
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(s, "hello")
				conn, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				server.Close()
				if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("Read after Close: %v", err)
				}
				if _, err := server.Write(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("Write after Close: %v", err)
				}
				late, err := client.OpenStream(Express)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := late.Read(make([]byte, 1)); err == nil {
					t.Error("a stream was accepted after Close")
				}
				io.WriteString(conn, "good")
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, "bye"); err != nil {
					t.Error(err)
				}
				if finish {
					conn.Close()
				}
				got, _ := io.ReadAll(s)
				if string(got) != "goodbye" {
					t.Errorf("got %q", got)
				}
				_, err = client.Read(make([]byte, 1))
				took := time.Since(start)
				if err != io.EOF || finish && took > 2*time.Second || !finish && (took < 4*time.Second || took > 6*time.Second) {
					t.Errorf("the connection ended after %v with %v", took, err)
				}
				conn.Close()
			})
		})
	}
}
