package message

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// sink records the Writes it gets; after room bytes they fail with a timeout.
type sink struct {
	writes [][]byte
	room   int
	short  bool // Instead of failing, forget to.
}

func (s *sink) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.room -= n
	if n > 0 {
		s.writes = append(s.writes, bytes.Clone(p[:n]))
	}
	if n < len(p) && !s.short {
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

func (s *sink) bytes() []byte { return bytes.Join(s.writes, nil) }

func TestWriterKeepsSmallMessagesInOneWrite(t *testing.T) {
	tests := []struct{ n, writes, writesFrom int }{
		{0, 1, 1}, {1, 1, 1}, {200, 1, 1}, {wholeBytesMax - 2, 1, 1}, {wholeBytesMax - 1, 2, 1},
		{pieceBytesMax, 2, 2}, {wholeBytesMax - 4 + 3*pieceBytesMax, 4, 4}, {1 << 20, 17, 17},
	}
	for _, test := range tests {
		for name, write := range map[string]func(*Writer) error{
			"WriteMessage": func(w *Writer) error { return w.WriteMessage(text(test.n)) },
			"WriteFrom":    func(w *Writer) error { return w.WriteFrom(bytes.NewReader(text(test.n+10)), test.n) },
		} {
			s := &sink{room: 2 << 20}
			w := NewWriter(s, Config{})
			if err := write(w); err != nil {
				t.Fatalf("%s of %d bytes: %v", name, test.n, err)
			}
			if len(s.bytes()) != FrameBytes(test.n) {
				t.Errorf("%s of %d bytes: %d bytes written, want %d", name, test.n, len(s.bytes()), FrameBytes(test.n))
			}
			want := test.writes
			if name == "WriteFrom" {
				want = test.writesFrom
			}
			if len(s.writes) != want {
				t.Errorf("%s of %d bytes: got %d writes, want %d", name, test.n, len(s.writes), want)
			}
			for _, p := range s.writes {
				if len(p) > pieceBytesMax {
					t.Errorf("%s of %d bytes: a write of %d bytes", name, test.n, len(p))
				}
			}
			if cap(w.scratch) > 2*wholeBytesMax {
				t.Errorf("%s of %d bytes: the writer keeps %d bytes", name, test.n, cap(w.scratch))
			}
		}
	}
}

func TestWriterWritesTheFrame(t *testing.T) {
	for _, n := range []int{0, 63, 64, wholeBytesMax, pieceBytesMax, 300_000} {
		a, b := &sink{room: 1 << 20}, &sink{room: 1 << 20}
		if err := NewWriter(a, Config{}).WriteMessage(text(n)); err != nil {
			t.Fatal(err)
		}
		if err := NewWriter(b, Config{}).WriteFrom(twoReads(text(n)), n); err != nil {
			t.Fatal(err)
		}
		want := stream(n)
		if !bytes.Equal(a.bytes(), want) {
			t.Errorf("WriteMessage of %d bytes wrote another frame than Append", n)
		}
		if !bytes.Equal(b.bytes(), want) {
			t.Errorf("WriteFrom of %d bytes wrote another frame than Append", n)
		}
	}
}

// twoReads returns a reader of b that returns half of it at a time.
func twoReads(b []byte) io.Reader {
	half := len(b) / 2
	return io.MultiReader(bytes.NewReader(b[:half]), bytes.NewReader(b[half:]))
}

func TestWriterTooLongWritesNothing(t *testing.T) {
	s := &sink{room: 1 << 20}
	w := NewWriter(s, small)
	for _, err := range []error{w.WriteMessage(text(1001)), w.WriteFrom(strings.NewReader(""), 1001)} {
		var tooLong *TooLongError
		if !errors.As(err, &tooLong) || *tooLong != (TooLongError{Bytes: 1001, Allowed: 1000}) {
			t.Errorf("got %v, want a TooLongError", err)
		}
	}
	if err := w.WriteMessage(text(1000)); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(s.bytes(), stream(1000)) {
		t.Error("something else was written than the message that was short enough")
	}
}

func TestWriterThatWroteNothingMayTryAgain(t *testing.T) {
	s := &sink{}
	w := NewWriter(s, Config{})
	if err := w.WriteMessage(text(9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	s.room = 100
	if err := w.WriteMessage(text(9)); err != nil || !bytes.Equal(s.bytes(), stream(9)) {
		t.Errorf("second try: %v, wrote %q", err, s.bytes())
	}
}

func TestWriterThatTearsAMessageIsDone(t *testing.T) {
	tests := []struct {
		name  string
		s     *sink
		write func(*Writer) error
		want  error
	}{
		{"inside the first write", &sink{room: 1}, func(w *Writer) error { return w.WriteMessage(text(9)) }, os.ErrDeadlineExceeded},
		{"between writes", &sink{room: wholeBytesMax}, func(w *Writer) error { return w.WriteMessage(text(9000)) }, os.ErrDeadlineExceeded},
		{"a write that forgets to fail", &sink{room: 5, short: true}, func(w *Writer) error { return w.WriteMessage(text(9)) }, io.ErrShortWrite},
		{"between pieces of a reader", &sink{room: pieceBytesMax}, func(w *Writer) error {
			return w.WriteFrom(bytes.NewReader(text(100_000)), 100_000)
		}, os.ErrDeadlineExceeded},
		{"a reader too short", &sink{room: 1 << 20}, func(w *Writer) error {
			return w.WriteFrom(bytes.NewReader(text(99_999)), 100_000)
		}, io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := NewWriter(test.s, Config{})
			err := test.write(w)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			test.s.room = 1 << 20
			written := len(test.s.bytes())
			if again := w.WriteMessage(text(1)); again != err {
				t.Errorf("the next message: got %v, want %v", again, err)
			}
			if len(test.s.bytes()) != written {
				t.Error("something was written behind a torn message")
			}
		})
	}
}

func TestWriterSourceThatFailsAtOnceDoesNoHarm(t *testing.T) {
	for _, have := range []int{0, 5} {
		s := &sink{room: 100}
		w := NewWriter(s, Config{})
		err := w.WriteFrom(bytes.NewReader(text(have)), 10)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of 10 bytes: got %v, want %v", have, err, io.ErrUnexpectedEOF)
		}
		if err := w.WriteMessage(text(3)); err != nil || !bytes.Equal(s.bytes(), stream(3)) {
			t.Errorf("the next message: %v, wrote %q", err, s.bytes())
		}
	}
}
