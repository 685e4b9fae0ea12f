package message

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzDecoder takes any bytes for a stream, cut into pieces of at most cut bytes. Decoder and Reader agree however it is
// cut; what came out makes the same bytes again when nothing was refused; and the budget is whole at the end.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add(stream(0, 1, 5), uint8(2))
	f.Add(stream(63, 64), uint8(40))
	f.Add(stream(150, 151, 3), uint8(100))
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		var list [][]byte
		for rest := in; len(rest) > 0; {
			n := min(len(rest), int(cut)+1)
			list, rest = append(list, rest[:n]), rest[n:]
		}
		cfg := Config{MessageBytesMax: 150, BufferBytes: bufferBytesMin, Budget: NewBudget(0)}
		whole := decode(cfg, in)
		everyWay(t, cfg, whole, list...)
		cfg.Budget = nil
		everyWay(t, cfg, whole, list...)

		// One encoding only: what was decoded is what is encoded.
		d := NewDecoder(cfg)
		defer d.Close()
		d.Feed(in)
		var again []byte
		for {
			m, ok, err := d.Next()
			if err != nil {
				return
			}
			if !ok {
				break
			}
			again = Append(again, m)
		}
		if !bytes.HasPrefix(in, again) {
			t.Fatalf("the messages of %x are written as %x", in, again)
		}
		if left := len(in) - len(again); (left > 0) != errors.Is(d.End(), io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes make no message, yet the end is: %v", left, len(in), d.End())
		}
	})
}

// FuzzBudget lets a stream run into a budget that is smaller than its messages may be. Whatever is refused, nothing else
// changes: every message that comes out is one that was sent, in order, and small ones all come out.
func FuzzBudget(f *testing.F) {
	f.Add([]byte{3, 90, 6, 40, 5}, uint8(31), uint16(650))
	f.Add([]byte{100, 100, 0, 100}, uint8(0), uint16(1))
	f.Fuzz(func(t *testing.T, lengths []byte, cut uint8, budget uint16) {
		var in []byte
		var sent []int
		for _, n := range lengths[:min(len(lengths), 30)] {
			sent = append(sent, int(n)*10)
			in = Append(in, text(int(n)*10))
		}
		cfg := Config{BufferBytes: bufferBytesMin, Budget: NewBudget(int64(budget) + 1)}
		var list [][]byte
		for len(in) > 0 {
			n := min(len(in), int(cut)+1)
			list, in = append(list, in[:n]), in[n:]
		}
		d := NewDecoder(cfg)
		for _, piece := range list {
			d.Feed(piece)
			for more := true; more; {
				m, ok, err := d.Next()
				if held := cfg.Budget.Stats().HeldBytes; held > int64(budget)+1 {
					t.Fatalf("%d bytes held of %d", held, int(budget)+1)
				}
				switch {
				case err != nil && !errors.Is(err, ErrBudget):
					t.Fatal(err)
				case err != nil && sent[0] <= bufferBytesMin:
					t.Fatalf("a message of %d bytes was refused: %v", sent[0], err)
				case ok && !bytes.Equal(m, text(sent[0])):
					t.Fatalf("got %q, want text(%d)", m, sent[0])
				}
				if more = ok || err != nil; more {
					sent = sent[1:]
				}
			}
		}
		if err := d.End(); err != nil || len(sent) > 0 {
			t.Fatalf("%d messages are missing, end: %v", len(sent), err)
		}
		d.Close()
		if held := cfg.Budget.Stats().HeldBytes; held != 0 {
			t.Fatalf("%d bytes not given back", held)
		}
	})
}

// FuzzLength: a length is read in one form only, and from no less than all of it.
func FuzzLength(f *testing.F) {
	for _, n := range []int{0, 63, 64, 16383, 16384, BytesMax} {
		f.Add(appendLength(nil, n))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		n, used, err := parseLength(in)
		switch {
		case err != nil && (n != 0 || used != 0):
			t.Fatalf("%x: %d in %d bytes besides %v", in, n, used, err)
		case used > HeaderBytesMax || used > len(in):
			t.Fatalf("%x: used %d bytes", in, used)
		case used > 0 && n <= BytesMax && !bytes.Equal(appendLength(nil, n), in[:used]):
			t.Fatalf("%x: read as %d, which is written %x", in, n, appendLength(nil, n))
		case used == 0 && err == nil && len(in) >= HeaderBytesMax:
			t.Fatalf("%x: waits for more", in)
		}
	})
}
