package session

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A shouting layer shows in both directions that it is there.
type shouting struct{ net.Conn }

func (s shouting) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	copy(p, strings.ToUpper(string(p[:n])))
	return n, err
}

func (s shouting) Write(p []byte) (int, error) {
	n, err := s.Conn.Write([]byte(strings.ToUpper(string(p))))
	return n, err
}

func (s shouting) NetConn() net.Conn { return s.Conn }

func TestUpgradedSessionGoesThroughTheLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := New(ours, Config{Transport: TransportTCP})
		s.Unread([]byte("hel"))
		err := s.Upgrade(TransportTLS, func(c net.Conn) (net.Conn, error) {
			first := make([]byte, 2) // The layer reads what was given back, and may leave some of it.
			if _, err := io.ReadFull(c, first); string(first) != "he" {
				t.Errorf("the layer read %q, %v", first, err)
			}
			return shouting{c}, c.SetDeadline(time.Now().Add(time.Second))
		})
		if err != nil || s.Transport() != TransportTLS {
			t.Fatalf("got %v, transport %s", err, s.Transport())
		}
		time.Sleep(time.Minute) // A read deadline left behind would pass now.
		go theirs.Write([]byte("lo"))
		got := make([]byte, 3)
		if _, err := io.ReadFull(s, got); err != nil || string(got) != "LLO" {
			t.Errorf("read %q, %v", got, err)
		}
		if err := s.Enqueue([]byte("bye")); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(theirs, got); err != nil || string(got) != "BYE" {
			t.Errorf("the peer read %q, %v", got, err)
		}
		if err := s.Close(nil); err != nil {
			t.Error(err)
		}
		if _, err := theirs.Read(got); err != io.EOF {
			t.Errorf("after Close the peer got %v, want EOF", err)
		}
	})
}

// A session that ends while the layer comes into being ends as any other, and its layer is not used.
func TestSessionEndsDuringUpgrade(t *testing.T) {
	reason := errors.New("enough")
	for name, end := range map[string]func(s *Session){
		"abort": func(s *Session) { s.Abort(reason) },
		"close": func(s *Session) { s.Close(reason) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, _ := net.Pipe()
				s := New(ours, Config{Transport: TransportTCP})
				go func() {
					time.Sleep(time.Second)
					end(s)
				}()
				err := s.Upgrade(TransportTLS, func(c net.Conn) (net.Conn, error) {
					_, err := c.Read(make([]byte, 1))
					return shouting{c}, err
				})
				if !errors.Is(err, reason) || s.Transport() != TransportTCP {
					t.Errorf("got %v, transport %s", err, s.Transport())
				}
				s.Close(nil)
			})
		})
	}
}

func TestUpgradeThatFailsSaysWhy(t *testing.T) {
	ours, _ := net.Pipe()
	s := New(ours, Config{})
	want := errors.New("no common suite")
	if err := s.Upgrade(TransportTLS, func(net.Conn) (net.Conn, error) { return nil, want }); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	s.Close(want)
}
