package reliable

import (
	"io"
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
