package plain

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
)

func benchListener() *Listener {
	return New(Config{
		Send:     func([]byte, netip.AddrPort, netip.Addr) error { return nil },
		ConnsMax: 1 << 20, UnprovenMax: 1 << 20,
	})
}

// BenchmarkHandleAndRead is a message of 100 bytes on its way in.
func BenchmarkHandleAndRead(b *testing.B) {
	l, buf := benchListener(), make([]byte, DatagramBytesMax)
	texts := [2][]byte{make([]byte, 100), make([]byte, 101)} // Alternating, so none is a repeat.
	l.Handle(texts[1], alice, server)
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Read(buf); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Handle(texts[i%2], alice, server)
		if _, err := c.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRepeat is a repeat that is dropped.
func BenchmarkRepeat(b *testing.B) {
	l, text := benchListener(), make([]byte, 100)
	l.Handle(text, alice, server)
	b.ReportAllocs()
	for b.Loop() {
		l.Handle(text, alice, server)
	}
}

// BenchmarkWrite is a message of 100 bytes on its way out, without the socket.
func BenchmarkWrite(b *testing.B) {
	l, text := benchListener(), make([]byte, 100)
	l.Handle(text, alice, server)
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	c.(*Conn).Proven()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleConns reports the memory of an idle connection.
func BenchmarkIdleConns(b *testing.B) {
	const conns = 10_000
	sources := make([]netip.AddrPort, conns)
	for i := range sources {
		sources[i] = netip.MustParseAddrPort(fmt.Sprintf("10.0.%d.%d:6000", i/250, 1+i%250))
	}
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		l, buf := benchListener(), make([]byte, 100)
		for _, a := range sources {
			l.Handle([]byte("hello"), a, server)
			c, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.Read(buf); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/conns, "bytes/conn")
		runtime.KeepAlive(l)
	}
}
