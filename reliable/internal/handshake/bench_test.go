package handshake

import (
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

// BenchmarkHandshake is both sides of a handshake, and the server's part of it by itself.
func BenchmarkHandshake(b *testing.B) {
	id := identity(b, 1)
	var server time.Duration
	for b.Loop() {
		c, err := NewClient(start, ClientConfig{Source: clientID, Verify: func(Key) error { return nil }})
		if err != nil {
			b.Fatal(err)
		}
		hello, _ := c.AppendDue(start, nil)

		began := time.Now()
		h, err := wire.ParseHello(hello)
		if err != nil {
			b.Fatal(err)
		}
		s := NewServer(id, serverID, h, nil)
		answer, err := s.HandleHello(h, len(hello), nil)
		if err != nil {
			b.Fatal(err)
		}
		server += time.Since(began)

		a, err := wire.ParseAccept(answer)
		if err != nil {
			b.Fatal(err)
		}
		r, _, err := c.HandleAccept(start, a)
		if err != nil {
			b.Fatal(err)
		}

		began = time.Now()
		if _, err := s.HandleFinished(r.Finished); err != nil {
			b.Fatal(err)
		}
		s.Close()
		server += time.Since(began)
		c.Close()
	}
	b.ReportMetric(float64(server.Nanoseconds())/float64(b.N), "server-ns/op")
}

// BenchmarkCookie is what a hello costs that gets a cookie.
func BenchmarkCookie(b *testing.B) {
	g := newGate(b)
	hello := wire.AppendHello(nil, wire.Hello{Source: 1}, 0)
	var retry []byte
	b.ReportAllocs()
	for b.Loop() {
		h, err := wire.ParseHello(hello)
		if err != nil {
			b.Fatal(err)
		}
		var ok bool
		if retry, ok, err = g.Admit(start, client, h, retry[:0]); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
