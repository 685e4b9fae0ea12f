package message

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
)

func TestReaderSkipsWhatWasNotRead(t *testing.T) {
	for name, src := range map[string]io.Reader{
		"all at once":    bytes.NewReader(stream(900, 0, 5, 300, 7)),
		"byte by byte":   iotest.OneByteReader(bytes.NewReader(stream(900, 0, 5, 300, 7))),
		"end with bytes": iotest.DataErrReader(bytes.NewReader(stream(900, 0, 5, 300, 7))),
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(src, small)
			defer r.Close()
			if n, err := r.Begin(); n != 900 || err != nil {
				t.Fatalf("Begin: got %d, %v", n, err)
			}
			part := make([]byte, 100)
			if _, err := io.ReadFull(r, part); err != nil || !bytes.Equal(part, text(900)[:100]) {
				t.Fatalf("the first 100 bytes are wrong, %v", err)
			}
			if got := r.Left(); got != 800 {
				t.Errorf("Left: got %d, want 800", got)
			}
			for _, want := range []int{0, 5} {
				if n, err := r.Begin(); n != want || err != nil {
					t.Fatalf("Begin: got %d, %v; want %d", n, err, want)
				}
			}
			if n, err := r.Begin(); n != 300 || err != nil {
				t.Fatalf("Begin: got %d, %v", n, err)
			}
			if _, err := io.ReadFull(r, part); err != nil {
				t.Fatal(err)
			}
			rest, err := r.Rest()
			if err != nil || !bytes.Equal(rest, text(300)[100:]) {
				t.Fatalf("Rest: got %d bytes, %v; want the last 200", len(rest), err)
			}
			if rest, err := r.Rest(); len(rest) > 0 || err != nil {
				t.Errorf("Rest again: got %d bytes, %v; want none", len(rest), err)
			}
			if n, err := r.Read(part); n != 0 || err != io.EOF {
				t.Errorf("Read behind the end: got %d, %v; want %v", n, err, io.EOF)
			}
			if m, err := r.Next(); err != nil || !bytes.Equal(m, text(7)) {
				t.Errorf("Next: got %d bytes, %v; want 7", len(m), err)
			}
			for range 2 {
				if _, err := r.Next(); err != io.EOF {
					t.Errorf("at the end: got %v, want %v", err, io.EOF)
				}
			}
		})
	}
}

func TestReaderWithoutMessageBegun(t *testing.T) {
	r := NewReader(bytes.NewReader(stream(3)), small)
	if n, err := r.Read(make([]byte, 9)); n != 0 || err != io.EOF {
		t.Errorf("Read: got %d, %v; want %v", n, err, io.EOF)
	}
	if m, err := r.Rest(); len(m) != 0 || err != nil {
		t.Errorf("Rest: got %q, %v; want nothing", m, err)
	}
	if m, err := r.Next(); err != nil || !bytes.Equal(m, text(3)) {
		t.Errorf("Next: got %q, %v", m, err)
	}
}

func TestReaderEmptyMessageIsNotNil(t *testing.T) {
	r := NewReader(bytes.NewReader(stream(0)), small)
	if m, err := r.Next(); m == nil || len(m) != 0 || err != nil {
		t.Errorf("got %v, %v; want an empty message", m, err)
	}
}

func TestReaderDoesNotMixReadIntoNext(t *testing.T) {
	in := stream(500, 6)
	r := NewReader(&pieces{list: [][]byte{in[:300], in[300:]}, late: true}, small)
	defer r.Close()
	for {
		if _, err := r.Next(); err == nil {
			t.Fatal("Next was not interrupted")
		}
		if r.assembling {
			break
		}
	}
	if _, err := r.Read(make([]byte, 9)); err != errMixed {
		t.Errorf("got %v, want %v", err, errMixed)
	}
	for { // Begin gives the message up.
		n, err := r.Begin()
		if err == nil {
			if n != 6 {
				t.Errorf("Begin: got %d, want 6", n)
			}
			return
		}
	}
}

func TestReaderWrapsErrorsOfTheStream(t *testing.T) {
	broken := errors.New("broken")
	for _, cut := range []int{0, 1, 2, 100} {
		r := NewReader(io.MultiReader(bytes.NewReader(stream(500)[:cut]), iotest.ErrReader(broken)), small)
		if _, err := r.Next(); !errors.Is(err, broken) || err.Error() != "message: reading: broken" || Refused(err) {
			t.Errorf("after %d bytes: got %v", cut, err)
		}
	}
}

// once is a reader that returns bytes and an error together, and says so only once.
type once struct {
	b   []byte
	err error
}

func (o *once) Read(p []byte) (int, error) {
	n := copy(p, o.b)
	o.b = o.b[n:]
	err := o.err
	if o.err = nil; len(o.b) > 0 {
		o.err, err = err, nil
	}
	return n, err
}

func TestReaderTakesBytesBeforeTheErrorWithThem(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(&once{stream(5, 900), broken}, small)
	defer r.Close()
	for _, n := range []int{5, 900} {
		if m, err := r.Next(); err != nil || !bytes.Equal(m, text(n)) {
			t.Fatalf("got %d bytes, %v; want %d", len(m), err, n)
		}
	}
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestReaderOfStreamThatReturnsNothing(t *testing.T) {
	r := NewReader(iotest.ErrReader(nil), small)
	if _, err := r.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

func TestReaderClosedInsideMessage(t *testing.T) {
	cfg := small
	cfg.Budget = NewBudget(0)
	r := NewReader(&pieces{list: [][]byte{stream(900)[:500]}, late: true}, cfg)
	for cfg.Budget.Stats().HeldBytes == 0 {
		if _, err := r.Next(); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal("nothing was charged for half a message")
		}
	}
	r.Close()
	if held := cfg.Budget.Stats().HeldBytes; held != 0 {
		t.Errorf("%d bytes held after Close, want 0", held)
	}
	for name, f := range map[string]func() error{
		"Next":  func() error { _, err := r.Next(); return err },
		"Begin": func() error { _, err := r.Begin(); return err },
		"Rest":  func() error { _, err := r.Rest(); return err },
		"Read":  func() error { _, err := r.Read(make([]byte, 1)); return err },
	} {
		if err := f(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: got %v, want %v", name, err, net.ErrClosed)
		}
	}
}

// TestReaderAndWriterOverConn talks over a net.Conn, where every Write waits for its reader.
func TestReaderAndWriterOverConn(t *testing.T) {
	a, b := net.Pipe()
	cfg := Config{Budget: NewBudget(0), MessageBytesMax: BytesMax}
	lengths := []int{0, 5, 300, 5000, 200_000, 3 << 20, 1}
	done := make(chan error, 1)
	go func() { // Ends when all is written; the channel is waited for.
		w := NewWriter(a, cfg)
		for i, n := range lengths {
			var err error
			if i%2 == 0 {
				err = w.WriteMessage(text(n))
			} else {
				err = w.WriteFrom(bytes.NewReader(text(n)), n)
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- a.Close()
	}()
	r := NewReader(b, cfg)
	for _, n := range lengths {
		m, err := r.Next()
		if err != nil || !bytes.Equal(m, text(n)) {
			t.Fatalf("got %d bytes, %v; want %d", len(m), err, n)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v, want %v", err, io.EOF)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if held := cfg.Budget.Stats().HeldBytes; held != 0 {
		t.Errorf("%d bytes held at the end, want 0", held)
	}
}
