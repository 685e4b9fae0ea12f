package session

import (
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// A discard is a connection that takes everything at once.
type discard struct {
	net.Conn
	writes atomic.Int64
}

func (d *discard) Write(b []byte) (int, error) {
	d.writes.Add(1)
	return len(b), nil
}
func (d *discard) Close() error                     { return nil }
func (d *discard) SetDeadline(time.Time) error      { return nil }
func (d *discard) SetReadDeadline(time.Time) error  { return nil }
func (d *discard) SetWriteDeadline(time.Time) error { return nil }

var message = make([]byte, 80)

// BenchmarkEnqueueIdle is one message to a session whose outbox is empty, until the writer has written it and is gone.
func BenchmarkEnqueueIdle(b *testing.B) {
	var conn discard
	s := New(&conn, Config{})
	b.ReportAllocs()
	for b.Loop() {
		s.Enqueue(message)
		s.writer.Wait()
	}
	s.Close(nil)
}

// BenchmarkEnqueueBusy is one message among many.
func BenchmarkEnqueueBusy(b *testing.B) {
	var conn discard
	s := New(&conn, Config{OutboxBytes: 1 << 40})
	b.ReportAllocs()
	for b.Loop() {
		s.Enqueue(message)
	}
	s.Close(nil)
	b.ReportMetric(float64(s.Stats().MessagesSent)/float64(conn.writes.Load()), "messages/write")
}

// BenchmarkEnqueueTCP is one message among many over loopback TCP, to a peer that reads.
func BenchmarkEnqueueTCP(b *testing.B) {
	s, peer := tcpPair(b, Config{OutboxBytes: 1 << 40})
	done := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, peer)
		peer.Close()
		done <- n
	}()
	b.ReportAllocs()
	for b.Loop() {
		s.Enqueue(message)
	}
	s.Close(nil)
	b.SetBytes(int64(len(message)))
	<-done
}

// BenchmarkIdleSession prints how much memory a session takes that has sent a message and waits, without its
// connection and its reader.
func BenchmarkIdleSession(b *testing.B) {
	const n = 20_000
	sessions := make([]*Session, n)
	var conn discard
	for b.Loop() {
		before := heapBytes()
		for i := range sessions {
			sessions[i] = New(&conn, Config{})
			sessions[i].Enqueue(message)
			sessions[i].writer.Wait()
		}
		b.ReportMetric(float64(heapBytes()-before)/n, "B/session")
		clear(sessions)
	}
}

// heapBytes returns the memory that live objects take.
func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
