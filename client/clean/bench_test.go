package clean

import (
	"strings"
	"testing"
)

// BenchmarkLine shows that no input makes cleaning slower than linear: compare MB/s.
func BenchmarkLine(b *testing.B) {
	for _, bb := range []struct{ name, in string }{
		{"ascii", strings.Repeat("hello, world. ", 4<<10)},
		{"escapes", strings.Repeat("\x1b[31m", 12<<10)},
		{"unended", strings.Repeat("\x1b]", 32<<10)},
		{"marks", strings.Repeat("\u0336", 32<<10)},
		{"lines", strings.Repeat("\n", 64<<10)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.in)))
			for b.Loop() {
				Line(bb.in)
			}
		})
	}
}
