package server

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// A silent connection says nothing until it is closed.
type silent struct {
	net.Conn
	closed chan struct{}
}

func (c *silent) Read([]byte) (int, error)         { <-c.closed; return 0, net.ErrClosed }
func (c *silent) Close() error                     { close(c.closed); return nil }
func (c *silent) RemoteAddr() net.Addr             { return nil }
func (c *silent) SetDeadline(time.Time) error      { return nil }
func (c *silent) SetReadDeadline(time.Time) error  { return nil }
func (c *silent) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkIdleSession prints how much memory the server takes for a session that waits in its front-end: session,
// goroutine and bookkeeping, without connection (that of the benchmark has a channel of 96 bytes) and read buffer.
func BenchmarkIdleSession(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		l := newMemListener()
		srv := New(nil, Config{})
		before := memoryBytes()
		go srv.Serve(context.Background(), Listener{Listener: l, Transport: "tcp", Fronts: []front.Front{&testFront{"x", func(_ context.Context, s *session.Session) error {
			var b [1]byte
			_, err := s.Read(b[:])
			return err
		}}}})
		for range n {
			l.conns <- &silent{closed: make(chan struct{})}
		}
		for srv.Stats().Accepted < n {
			runtime.Gosched()
		}
		b.ReportMetric(float64(memoryBytes()-before)/n, "B/session")
		srv.abortAll()
		if err := srv.Shutdown(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// memoryBytes returns the memory that live objects and stacks take.
func memoryBytes() int64 {
	runtime.GC()
	runtime.GC() // The second frees what the first found dead.
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
