package lab

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"udpchat/chat/wire/lab"
)

func dialTo(conn net.Conn) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return conn, nil }
}

// A caller is a callback endpoint that is called when the test says so.
type caller struct {
	addr  net.Addr
	calls chan net.Conn
}

func (c *caller) AwaitCall(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
	select {
	case conn := <-c.calls:
		return conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
func (c *caller) Addr() net.Addr { return c.addr }
func (c *caller) Close() error   { return nil }

// addressed gives a pipe the addresses of a network.
type addressed struct {
	net.Conn
	local, remote net.Addr
}

func (a addressed) LocalAddr() net.Addr  { return a.local }
func (a addressed) RemoteAddr() net.Addr { return a.remote }

func TestCallbackConnectionCarriesEverythingButRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		backHere, backThere := net.Pipe()
		back := &server{t: t, conn: backThere}
		ep := &caller{addr: udpAddr("0.0.0.0:6000"), calls: make(chan net.Conn, 1)}
		cfg := Config{
			Transport:   UDP,
			Callback:    "0.0.0.0:6000",
			ListenCalls: func(string) (Caller, error) { return ep, nil },
		}
		var join lab.Join
		c, _ := dialOver(t, cfg, addressed{here, udpAddr("192.0.2.1:5000"), udpAddr("192.0.2.9:4000")}, there,
			func(r lab.Request) []lab.Reply {
				if j, ok := r.(lab.Join); ok {
					join = j
					ep.calls <- backHere
				}
				back.send(oneRoom(r)...)
				if _, ok := r.(lab.Disconnect); ok {
					backThere.Close()
				}
				return nil
			})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatalf("Join: %v", err)
		}
		if join.ClientIP != "192.0.2.1" || join.Port != "6000" {
			t.Errorf("JOIN announced %s:%s, want the address the server is reached from", join.ClientIP, join.Port)
		}
		if err := c.Say(t.Context(), "lobby", "hi"); err != nil {
			t.Fatal(err)
		}
		if err := c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		evs, closed := drain(c)
		if want := []Kind{KindJoined, KindNotice, KindSaid, KindNotice}; !slices.Equal(kinds(evs), want) || !closed {
			t.Errorf("events %v, closed %v; want %v", kinds(evs), closed, want)
		}
	})
}

func TestCallbackThatNeverComesEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		ep := &caller{addr: udpAddr("127.0.0.1:6000")}
		cfg := Config{Transport: UDP, Callback: "127.0.0.1:6000", ListenCalls: func(string) (Caller, error) { return ep, nil }}
		c, _ := dialOver(t, cfg, addressed{here, udpAddr("127.0.0.1:5000"), udpAddr("127.0.0.1:4000")}, there,
			func(r lab.Request) []lab.Reply {
				return []lab.Reply{lab.ErrorReply{Code: lab.CodeCallbackFailed, Description: "nobody answers"}}
			})
		if _, err := c.Join(t.Context(), "lobby"); err == nil {
			t.Error("Join succeeded")
		}
	})
}

// A socket is an unconnected datagram socket fed by the test.
type socket struct {
	*datagramConn
	from chan net.Addr
}

func (s socket) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := s.Read(p)
	if err != nil {
		return 0, nil, err
	}
	return n, <-s.from, nil
}
func (s socket) WriteTo([]byte, net.Addr) (int, error) {
	panic("BUG: the callback socket only listens")
}

func TestPlainCallbackSocketHearsOnlyTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back, _ := newDatagrams()
		sock := socket{datagramConn: back, from: make(chan net.Addr, 10)}
		deliver := func(from string, replies ...lab.Reply) {
			for _, r := range replies {
				sock.from <- udpAddr(from)
				back.in <- lab.AppendReply(nil, r)
			}
		}
		here, there := newDatagrams()
		cfg := Config{
			Transport:   Plain,
			Callback:    "127.0.0.1:0",
			ListenPlain: func(string) (net.PacketConn, error) { return sock, nil },
		}
		c, s := dialOver(t, cfg, here, there, func(r lab.Request) []lab.Reply {
			if _, ok := r.(lab.Helo); ok {
				return oneRoom(r)
			}
			deliver("127.0.0.9:4000", lab.ChatMessage{RoomRef: "7", Name: "eve", Text: "believe me"})
			deliver("127.0.0.1:4000", oneRoom(r)...)
			return nil
		})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatalf("Join: %v", err)
		}
		evs, _ := drain(c)
		if want := []Kind{KindJoined, KindNotice}; !slices.Equal(kinds(evs), want) {
			t.Errorf("events %v, want %v", kinds(evs), want)
		}
		join := s.requests()[1].(lab.Join)
		if join.ClientIP != "127.0.0.1" || join.Port != "5000" {
			t.Errorf("JOIN announced %s:%s", join.ClientIP, join.Port)
		}
	})
}

func TestAnnouncedAddress(t *testing.T) {
	for _, tt := range []struct{ listen, local, want string }{
		{"127.0.0.1:6000", "127.0.0.1:5000", "127.0.0.1:6000"},
		{"0.0.0.0:6000", "192.0.2.1:5000", "192.0.2.1:6000"},
		{"[::]:6000", "[::ffff:192.0.2.1]:5000", "192.0.2.1:6000"},
		{"[::]:6000", "[2001:db8::1]:5000", "[2001:db8::1]:6000"},
	} {
		got, err := announced(udpAddr(tt.listen), udpAddr(tt.local))
		if err != nil || got.String() != tt.want {
			t.Errorf("announced(%s, %s) = %v, %v; want %s", tt.listen, tt.local, got, err, tt.want)
		}
	}
}
