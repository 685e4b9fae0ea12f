package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/wire/lab"
)

// A server is the other side of a client under test: it keeps what the client sent and answers by a script.
type server struct {
	t      *testing.T
	conn   net.Conn // Our side of the client's first connection.
	answer func(lab.Request) []lab.Reply

	mu  sync.Mutex
	got []lab.Request
}

// requests returns what has come so far.
func (s *server) requests() []lab.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]lab.Request(nil), s.got...)
}

// run answers requests until the connection ends. A DISCONNECT ends it.
func (s *server) run() {
	var d lab.Decoder
	buf := make([]byte, 64<<10)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return
		}
		d.Feed(buf[:n])
		for {
			req, ok, err := d.Next()
			if err != nil {
				s.t.Errorf("client sent a malformed request: %v", err)
			}
			if !ok {
				break
			}
			s.mu.Lock()
			s.got = append(s.got, req)
			s.mu.Unlock()
			s.send(s.answer(req)...)
			if _, ok := req.(lab.Disconnect); ok && !isDatagram(s.conn) {
				s.conn.Close()
				return
			}
		}
	}
}

// send writes each reply in one piece.
func (s *server) send(replies ...lab.Reply) {
	for _, r := range replies {
		if _, err := s.conn.Write(lab.AppendReply(nil, r)); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			s.t.Errorf("server: %v", err)
		}
	}
}

// dial starts a server that answers by the script and connects a client to it inside a synctest bubble.
func dial(t *testing.T, cfg Config, answer func(lab.Request) []lab.Reply) (*Client, *server) {
	t.Helper()
	here, there := net.Pipe()
	return dialOver(t, cfg, here, there, answer)
}

func dialOver(t *testing.T, cfg Config, here, there net.Conn, answer func(lab.Request) []lab.Reply) (*Client, *server) {
	t.Helper()
	s := &server{t: t, conn: there, answer: answer}
	var wg sync.WaitGroup
	wg.Go(s.run)
	if cfg.Transport == "" {
		cfg.Transport = TCP
	}
	cfg.Server, cfg.Name = "server:4000", "ann"
	cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return here, nil }
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() {
		c.Close()
		there.Close()
		wg.Wait()
	})
	return c, s
}

// oneRoom answers like a server whose only room has reference 7, and in which the client has JOIN_ID 1.
func oneRoom(req lab.Request) []lab.Reply {
	notice := func(name, what string) lab.Reply {
		return lab.ChatMessage{RoomRef: "7", Name: name, Text: fmt.Sprintf("%s has %s this chatroom.", name, what)}
	}
	switch r := req.(type) {
	case lab.Helo:
		return []lab.Reply{lab.HeloReply{Line: r.Line, IP: "127.0.0.1", Port: "4000", StudentID: "1"}}
	case lab.Join:
		return []lab.Reply{
			lab.Joined{Room: r.Room, ServerIP: "127.0.0.1", Port: "4000", RoomRef: "7", JoinID: "1"},
			notice(r.Name, "joined"),
		}
	case lab.Leave:
		left := lab.Left{RoomRef: r.Room, JoinID: r.JoinID}
		if r.Room != "7" {
			return []lab.Reply{left}
		}
		return []lab.Reply{left, notice(r.Name, "left")}
	case lab.Chat:
		return []lab.Reply{lab.ChatMessage{RoomRef: r.Room, Name: r.Name, Text: r.Text}}
	case lab.Disconnect:
		return []lab.Reply{notice(r.Name, "left")}
	}
	return []lab.Reply{lab.ErrorReply{Code: lab.CodeUnknownMessage, Description: "what?"}}
}

// silent never answers.
func silent(lab.Request) []lab.Reply { return nil }

// drain returns the events that have come so far, and whether the channel is closed.
func drain(c *Client) (evs []Event, closed bool) {
	synctest.Wait()
	for {
		select {
		case ev, ok := <-c.Events():
			if !ok {
				return evs, true
			}
			evs = append(evs, ev)
		default:
			return evs, false
		}
	}
}

// A datagramConn is one end of a pipe that keeps datagrams apart and may lose them.
type datagramConn struct {
	local, remote net.Addr
	in            chan []byte
	out           *datagramConn
	closed        chan struct{}
	once          sync.Once

	mu   sync.Mutex
	lose func(n int) bool // Asked with 1, 2, … for each datagram written here; nil loses none.
	sent []time.Time
}

// lossy sets which of the following datagrams are lost: lose is asked with 1 for the next one. It first waits until
// nothing is on its way. It returns when each datagram was sent since.
func (d *datagramConn) lossy(lose func(n int) bool) (sent func() []time.Time) {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	first := len(d.sent)
	d.lose = nil
	if lose != nil {
		d.lose = func(n int) bool { return lose(n - first) }
	}
	return func() []time.Time {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.sent[first:]
	}
}

func all(int) bool { return true }

// newDatagrams returns two ends joined by a wire; the addresses are made up.
func newDatagrams() (client, server *datagramConn) {
	client = &datagramConn{local: udpAddr("127.0.0.1:5000"), remote: udpAddr("127.0.0.1:4000")}
	server = &datagramConn{local: client.remote, remote: client.local}
	for _, d := range []*datagramConn{client, server} {
		d.in, d.closed = make(chan []byte, 100), make(chan struct{})
	}
	client.out, server.out = server, client
	return client, server
}

func udpAddr(s string) net.Addr {
	a, err := net.ResolveUDPAddr("udp", s)
	if err != nil {
		panic(err)
	}
	return a
}

func isDatagram(c net.Conn) bool { _, ok := c.(*datagramConn); return ok }

func (d *datagramConn) Read(p []byte) (int, error) {
	select {
	case b := <-d.in:
		return copy(p, b), nil
	case <-d.closed:
		return 0, net.ErrClosed
	}
}

func (d *datagramConn) Write(p []byte) (int, error) {
	d.mu.Lock()
	d.sent = append(d.sent, time.Now())
	lost := d.lose != nil && d.lose(len(d.sent))
	d.mu.Unlock()
	if !lost {
		d.out.in <- append([]byte(nil), p...)
	}
	return len(p), nil
}

func (d *datagramConn) Close() error                     { d.once.Do(func() { close(d.closed) }); return nil }
func (d *datagramConn) LocalAddr() net.Addr              { return d.local }
func (d *datagramConn) RemoteAddr() net.Addr             { return d.remote }
func (d *datagramConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (d *datagramConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (d *datagramConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
