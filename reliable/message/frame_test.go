package message

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestLengthIsWrittenInItsShortestForm(t *testing.T) {
	tests := []struct {
		n    int
		want string
	}{
		{0, "00"}, {1, "01"}, {37, "25"}, {63, "3f"},
		{64, "4040"}, {200, "40c8"}, {15293, "7bbd"}, {16383, "7fff"},
		{16384, "80004000"}, {1 << 20, "80100000"}, {BytesMax, "84000000"},
	}
	for _, test := range tests {
		head := appendLength(nil, test.n)
		if got := hex.EncodeToString(head); got != test.want {
			t.Errorf("length %d: got %s, want %s", test.n, got, test.want)
		}
		if got := FrameBytes(test.n); got != len(head)+test.n {
			t.Errorf("FrameBytes(%d): got %d, want %d", test.n, got, len(head)+test.n)
		}
		n, used, err := parseLength(append(head, 0xff))
		if n != test.n || used != len(head) || err != nil {
			t.Errorf("length %s: got %d in %d bytes, %v; want %d in %d", test.want, n, used, err, test.n, len(head))
		}
		for cut := range len(head) {
			if _, used, err := parseLength(head[:cut]); used != 0 || err != nil {
				t.Errorf("%d bytes of %s: used %d, %v; want to wait for more", cut, test.want, used, err)
			}
		}
	}
}

func TestLengthInAnotherFormIsRefused(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"0 in 2 bytes", "4000", "0 is written in 2 bytes, 1 are enough"},
		{"63 in 2 bytes", "403f", "63 is written in 2 bytes, 1 are enough"},
		{"63 in 4 bytes", "8000003f", "63 is written in 4 bytes, 1 are enough"},
		{"16383 in 4 bytes", "80003fff", "16383 is written in 4 bytes, 2 are enough"},
		{"8 bytes, known from the first", "c0", "it has 8 bytes, 4 are the most"},
		{"8 bytes", "ffffffffffffffff", "it has 8 bytes, 4 are the most"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in, err := hex.DecodeString(test.in)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = parseLength(in)
			if !errors.Is(err, ErrLength) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if Refused(err) {
				t.Error("the stream could go on; it cannot")
			}
			in = append(stream(5), in...)
			want := outcome{"text(5)", "error: " + err.Error()}
			for cut := range in {
				everyWay(t, small, want, in[:cut], in[cut:])
			}
		})
	}
}

func TestFrameIsMadeInPlace(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 16383, 16384, 100_000} {
		b := append(make([]byte, HeaderBytesMax), text(n)...)
		got := Frame(b)
		if want := Append(nil, text(n)); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the frames of Frame and Append differ", n)
		}
		if &got[len(got)-1] != &b[len(b)-1] {
			t.Errorf("%d bytes: the message was copied", n)
		}
	}
}

func TestFrameThatCannotBePanics(t *testing.T) {
	tests := []struct {
		name string
		f    func()
	}{
		{"no room", func() { Frame(make([]byte, HeaderBytesMax-1)) }},
		{"too long", func() { FrameBytes(BytesMax + 1) }},
		{"negative", func() { FrameBytes(-1) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { wantPanic(t, "BUG: message: ", test.f) })
	}
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.HasPrefix(got, want) {
			t.Errorf("got panic %q, want %q", got, want)
		}
	}()
	f()
}
