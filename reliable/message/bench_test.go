package message

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// sizes are a chat message, a page of history, a file.
var sizes = []int{200, 10_000, 1 << 20}

func BenchmarkWriter(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			w, m := NewWriter(io.Discard, Config{}), text(n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WriteMessage(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFrame(b *testing.B) {
	m := append(make([]byte, HeaderBytesMax), text(200)...)
	b.ReportAllocs()
	for b.Loop() {
		Frame(m)
	}
}

func BenchmarkReader(b *testing.B) {
	for _, n := range sizes {
		in := stream(n)
		src := bytes.NewReader(in)
		run := func(name string, next func(r *Reader) error) {
			b.Run(fmt.Sprintf("bytes=%d/%s", n, name), func(b *testing.B) {
				r := NewReader(src, Config{})
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					src.Reset(in)
					if err := next(r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("next", func(r *Reader) error { _, err := r.Next(); return err })
		buf := make([]byte, 32<<10)
		run("stream", func(r *Reader) error {
			if _, err := r.Begin(); err != nil {
				return err
			}
			for {
				if _, err := r.Read(buf); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
			}
		})
	}
}

func BenchmarkDecoder(b *testing.B) {
	for _, n := range sizes {
		for _, piece := range []int{1200, n + HeaderBytesMax} {
			b.Run(fmt.Sprintf("bytes=%d/piece=%d", n, piece), func(b *testing.B) {
				d, in := NewDecoder(Config{}), stream(n)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					for rest := in; len(rest) > 0; {
						k := min(len(rest), piece)
						d.Feed(rest[:k])
						for ok := true; ok; {
							var err error
							if _, ok, err = d.Next(); err != nil {
								b.Fatal(err)
							}
						}
						rest = rest[k:]
					}
				}
			})
		}
	}
}

func BenchmarkBudget(b *testing.B) {
	budget := NewBudget(0)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if budget.Acquire(1000) {
				budget.Release(1000)
			}
		}
	})
}
