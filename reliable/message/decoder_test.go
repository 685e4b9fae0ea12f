package message

import (
	"errors"
	"io"
	"net"
	"testing"
)

func TestDecoderFeedWithoutNextPanics(t *testing.T) {
	d := NewDecoder(Config{})
	d.Feed(stream(1))
	wantPanic(t, "BUG: message: Feed while 2 bytes wait", func() { d.Feed(stream(1)) })
}

func TestDecoderKeepsNothingOfWhatItWasLent(t *testing.T) {
	d := NewDecoder(small)
	b := stream(3, 300)
	d.Feed(b[:100])
	for {
		_, ok, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
	}
	if d.in != nil {
		t.Error("the decoder still refers to the caller's bytes")
	}
}

func TestDecoderMessageIsPartOfWhatWasFed(t *testing.T) {
	d := NewDecoder(small)
	b := stream(500)
	d.Feed(b)
	m, ok, err := d.Next()
	if !ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	if &m[0] != &b[2] {
		t.Error("a message fed whole was copied")
	}
	if cap(m) != len(m) {
		t.Error("appending to the message would overwrite the next")
	}
}

func TestDecoderFinalErrorStays(t *testing.T) {
	d := NewDecoder(small)
	d.Feed([]byte{0xc0, 1, 2, 3})
	for range 3 {
		if _, ok, err := d.Next(); ok || !errors.Is(err, ErrLength) {
			t.Fatalf("got %v, %v; want %v", ok, err, ErrLength)
		}
		d.Feed(stream(1)) // Ignored.
	}
	if err := d.End(); !errors.Is(err, ErrLength) {
		t.Errorf("End: got %v, want %v", err, ErrLength)
	}
	d.Close()
	if _, _, err := d.Next(); !errors.Is(err, ErrLength) {
		t.Errorf("after Close: got %v, want %v", err, ErrLength)
	}
}

func TestDecoderClosedInsideMessage(t *testing.T) {
	cfg := small
	cfg.Budget = NewBudget(0)
	d := NewDecoder(cfg)
	d.Feed(stream(900)[:500])
	if _, ok, err := d.Next(); ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	if cfg.Budget.Stats().HeldBytes == 0 {
		t.Fatal("nothing was charged for half a message")
	}
	d.Close()
	if held := cfg.Budget.Stats().HeldBytes; held != 0 {
		t.Errorf("%d bytes held after Close, want 0", held)
	}
	if _, _, err := d.Next(); !errors.Is(err, ErrClosed) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
	d.Close() // Twice does not matter.
}

func TestDecoderEndNamesWhatIsMissing(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"between messages", stream(5, 0), ""},
		{"inside a length", stream(300)[:1], "message: stream ended inside a length: unexpected EOF"},
		{"behind a length", stream(300)[:2], "message: stream ended after 0 of 300 bytes: unexpected EOF"},
		{"inside a message", stream(300)[:202], "message: stream ended after 200 of 300 bytes: unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := NewDecoder(small)
			d.Feed(test.in)
			for ok := true; ok; {
				_, ok, _ = d.Next()
			}
			err := d.End()
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v, want nil", err)
				}
				return
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
