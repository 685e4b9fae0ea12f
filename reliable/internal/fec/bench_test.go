package fec

import (
	"fmt"
	"testing"
	"time"
	"unsafe"
)

// BenchmarkEncode closes a group of k full packets (one of 230 bytes for k = 1) and computes its
// repair symbols.
func BenchmarkEncode(b *testing.B) {
	for _, k := range []int{1, 4, 10, SourceMax} {
		b.Run(fmt.Sprintf("k=%d", k), func(b *testing.B) {
			e, sym := NewEncoder(nil), make([]byte, benchBytes(k))
			b.ReportAllocs()
			b.SetBytes(int64(k * len(sym)))
			for b.Loop() {
				for range k {
					e.Add(sym)
				}
				g, _ := e.Close(min(k, RepairMax))
				for i := range g.R {
					g.Repair(i)
				}
			}
		})
	}
}

// BenchmarkDecode receives groups of k of which the first lost source symbols are missing.
func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ k, lost int }{{1, 0}, {1, 1}, {4, 1}, {10, 0}, {10, 2}, {SourceMax, 1}, {SourceMax, 11}} {
		b.Run(fmt.Sprintf("k=%d/lost=%d", c.k, c.lost), func(b *testing.B) {
			e, sym := NewEncoder(nil), make([]byte, benchBytes(c.k))
			for range c.k {
				e.Add(sym)
			}
			g, _ := e.Close(min(c.k, RepairMax))
			var repairs [][]byte
			for i := range g.R {
				repairs = append(repairs, g.Repair(i))
			}
			d, group, now := NewDecoder(nil), uint32(0), time.Duration(0)
			out := func([]byte) {}
			b.ReportAllocs()
			b.SetBytes(int64(c.k * len(sym)))
			for b.Loop() {
				for i := c.lost; i < c.k; i++ {
					d.Source(now, group, uint8(i), sym, out)
				}
				for i, r := range repairs {
					d.Repair(now, group, uint8(c.k), uint8(g.R), uint8(i), r, out)
				}
				group++
				now += time.Millisecond
			}
		})
	}
}

// BenchmarkDecodeDuplicate receives a symbol that is known already.
func BenchmarkDecodeDuplicate(b *testing.B) {
	d, sym := NewDecoder(nil), make([]byte, 230)
	d.Source(0, 0, 0, sym, nil)
	b.ReportAllocs()
	for b.Loop() {
		d.Source(0, 0, 0, sym, nil)
	}
}

func benchBytes(k int) int {
	if k == 1 {
		return 230
	}
	return 1150
}

// The package comment tells these sizes.
func TestIdleSizesAreAsDocumented(t *testing.T) {
	if enc, dec := unsafe.Sizeof(Encoder{}), unsafe.Sizeof(Decoder{}); enc > 64 || dec > 192 {
		t.Errorf("an encoder has %d bytes and a decoder %d; the package comment promises 64 and 192", enc, dec)
	}
	if n := unsafe.Sizeof(known{}); n > 4300 {
		t.Errorf("a history has %d bytes; the package comment promises 4.2 KiB", n)
	}
	t.Logf("Encoder %d, Decoder %d, known %d bytes", unsafe.Sizeof(Encoder{}), unsafe.Sizeof(Decoder{}), unsafe.Sizeof(known{}))
}
