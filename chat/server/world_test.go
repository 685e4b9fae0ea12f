package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A world is a server in a bubble with one listener in memory.
type world struct {
	t      *testing.T
	srv    *Server
	l      *memListener
	log    logBook
	served chan error // What Serve returned.
}

// newWorld starts a server. Its test must call shutdown, or end it otherwise, before the bubble ends.
func newWorld(t *testing.T, cfg Config, fronts ...front.Front) *world {
	w := &world{t: t, l: newMemListener(), served: make(chan error, 1)}
	cfg.Logger = slog.New(slog.NewJSONHandler(&w.log, nil))
	w.srv = New(nil, cfg)
	go func() {
		w.served <- w.srv.Serve(context.Background(), Listener{Listener: w.l, Transport: "tcp", Fronts: fronts})
	}()
	return w
}

// shutdown ends the server and checks that this works at once.
func (w *world) shutdown() {
	w.t.Helper()
	start := time.Now()
	if err := w.srv.Shutdown(context.Background()); err != nil {
		w.t.Errorf("Shutdown: %v", err)
	}
	if err := <-w.served; err != nil {
		w.t.Errorf("Serve after Shutdown: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		w.t.Errorf("Shutdown took %v", took)
	}
	if got := w.srv.Stats(); got.Sessions != 0 || got.Accepted != got.Ended {
		w.t.Errorf("after Shutdown: %d sessions, %d accepted, %d ended", got.Sessions, got.Accepted, got.Ended)
	}
}

// dial connects to the server from an address.
func (w *world) dial(from string) net.Conn {
	ours, theirs := net.Pipe()
	w.l.conns <- &addrConn{Conn: ours, remote: from}
	w.t.Cleanup(func() { theirs.Close() })
	return theirs
}

// say writes text, and reads as many bytes as want has and compares.
func (w *world) say(conn net.Conn, text, want string) {
	w.t.Helper()
	go func() { _, _ = io.WriteString(conn, text) }() // A failed write shows in the answer.
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		w.t.Errorf("said %q: got %q, %v; want %q", text, got, err, want)
	}
}

// A memListener hands out connections and errors.
type memListener struct {
	conns  chan any // net.Conn or error.
	closed chan struct{}
	once   sync.Once
}

func newMemListener() *memListener {
	return &memListener{conns: make(chan any, 10_000), closed: make(chan struct{})}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.conns:
		if err, ok := c.(error); ok {
			return nil, err
		}
		return c.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memListener) Addr() net.Addr { return textAddr("192.0.2.100:4000") }

// An addrConn is a connection from a given address.
type addrConn struct {
	net.Conn
	remote string
}

func (c *addrConn) RemoteAddr() net.Addr { return textAddr(c.remote) }

type textAddr string

func (textAddr) Network() string  { return "test" }
func (a textAddr) String() string { return string(a) }

// A testFront recognises one word and serves as it is told.
type testFront struct {
	word  string
	serve func(ctx context.Context, s *session.Session) error
}

func (f *testFront) Name() string                    { return f.word }
func (f *testFront) Match(prefix []byte) front.Match { return front.MatchWords(prefix, f.word) }
func (f *testFront) Serve(ctx context.Context, s *session.Session, _ *chat.Hub) error {
	return f.serve(ctx, s)
}

// echo answers everything with the front-end's word before it, and takes leave with "bye" when the server shuts down.
func echo(word string) *testFront {
	return &testFront{word, func(ctx context.Context, s *session.Session) error {
		stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
		b := make([]byte, 100)
		for {
			n, err := s.Read(b)
			if ctx.Err() != nil {
				_ = s.Enqueue([]byte("bye"))
				return context.Cause(ctx)
			}
			if err != nil {
				return err
			}
			_ = s.Enqueue([]byte(word + ":" + string(b[:n])))
		}
	}}
}

// ends makes a front-end that reads something and then ends its session.
func ends(end func(s *session.Session) error) *testFront {
	return &testFront{"x", func(_ context.Context, s *session.Session) error {
		if _, err := s.Read(make([]byte, 100)); err != nil {
			return err
		}
		return end(s)
	}}
}

var errTest = errors.New("test: enough")

// A logBook keeps the lines of a log.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// lines returns the lines with that message, as JSON values.
func (b *logBook) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []map[string]any
	for line := range bytes.Lines(b.buf.Bytes()) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if m["msg"] == message {
			found = append(found, m)
		}
	}
	return found
}
