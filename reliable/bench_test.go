package reliable

import (
	"io"
	"net"
	"sync"
	"testing"
)

// benchPair is pair for benchmarks.
func benchPair(b *testing.B) (client, server *Conn) {
	b.Helper()
	e, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	client, err = Dial(b.Context(), e.Addr().String(), Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Abort(0, ""); client.Close() })
	c, err := e.Accept()
	if err != nil {
		b.Fatal(err)
	}
	return client, c.(*Conn)
}

// BenchmarkPingPong is a small message there and back over loopback.
func BenchmarkPingPong(b *testing.B) {
	client, server := benchPair(b)
	go io.Copy(server, server)
	buf := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		client.Write(buf)
		if _, err := io.ReadFull(client, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBulk is one way over loopback.
func BenchmarkBulk(b *testing.B) {
	client, server := benchPair(b)
	go io.Copy(io.Discard, server)
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDial is a whole connection over loopback: both sides of the handshake, accept, close.
func BenchmarkDial(b *testing.B) {
	e, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	d, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	to := e.sock.local()
	b.ReportAllocs()
	for b.Loop() {
		c, err := d.Dial(b.Context(), to)
		if err != nil {
			b.Fatal(err)
		}
		s, err := e.Accept()
		if err != nil {
			b.Fatal(err)
		}
		c.Abort(0, "")
		s.(*Conn).Abort(0, "")
	}
}

// BenchmarkFanOut is a message to each of 500 connections of one socket, written by a goroutine each, until all have read
// it. It tells how many system calls that took on the sending side.
func BenchmarkFanOut(b *testing.B) {
	const conns, perSocket, size = 500, 50, 200
	e, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	var members []net.Conn
	var heard sync.WaitGroup
	for i := 0; i < conns; i += perSocket {
		d, err := Listen("127.0.0.1:0", Config{})
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		for range perSocket {
			c, err := d.Dial(b.Context(), e.sock.local())
			if err != nil {
				b.Fatal(err)
			}
			s, err := e.Accept()
			if err != nil {
				b.Fatal(err)
			}
			members = append(members, s)
			go func() { // Ends with the connection.
				buf := make([]byte, size)
				for {
					if _, err := io.ReadFull(c, buf); err != nil {
						return
					}
					heard.Done()
				}
			}()
		}
	}
	before, message := e.Stats(), make([]byte, size)
	b.ReportAllocs()
	for b.Loop() {
		heard.Add(conns)
		for _, m := range members {
			go func() { _, _ = m.Write(message) }() // Who does not hear it is waited for.
		}
		heard.Wait()
	}
	after := e.Stats()
	b.ReportMetric(float64(after.WriteCalls-before.WriteCalls)/float64(b.N), "writes/op")
	b.ReportMetric(float64(after.ReadCalls-before.ReadCalls)/float64(b.N), "reads/op")
}
