package jsonchat

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// frames cuts pieces and writes down what comes out: frames with their payloads, then an error if there is one.
func frames(pieces ...string) []string {
	var d Decoder
	var out []string
	var payload []byte
	for _, p := range pieces {
		d.Feed([]byte(p))
		for {
			if d.Left() > 0 {
				var b [3]byte
				n := d.Take(b[:])
				if payload = append(payload, b[:n]...); n == 0 {
					break
				}
				if d.Left() == 0 {
					out = append(out, fmt.Sprintf("payload %q", payload))
					payload = nil
				}
				continue
			}
			f, ok, err := d.Next()
			if bad, _ := errors.AsType[*FrameError](err); bad != nil && bad.Skipped {
				out = append(out, "skipped "+err.Error())
				continue
			}
			if err != nil {
				return append(out, err.Error())
			}
			if !ok {
				break
			}
			out = append(out, fmt.Sprintf("form %d %s payload %d", f.Form, f.JSON, f.Payload))
		}
	}
	return out
}

// TestGoldenFrames has frames as they travel, in both forms, byte by byte.
func TestGoldenFrames(t *testing.T) {
	for _, test := range []struct {
		hex  string
		want []string
	}{
		{"02000000 0000000000000000 7b7d", []string{"form 0 {} payload 0"}},
		{"02000000 00000000 7b7d", []string{"form 1 {} payload 0"}},
		{"02000000 0300000000000000 7b7d 616263", []string{"form 0 {} payload 3", `payload "abc"`}},
		{"02000000 03000000 7b7d 616263", []string{"form 1 {} payload 3", `payload "abc"`}},
		{"02000000 00000000 7b7d 02000000 0000000000000000 7b7d", []string{"form 1 {} payload 0", "form 0 {} payload 0"}},
		{"01000000 0000000000000000 78", []string{"form 0 x payload 0"}},
		{"00000000 0000000000000000 7b", []string{"jsonchat: header announces 0 bytes of JSON, want 1 to 1048576"}},
		{"01001000 00000000 7b", []string{"skipped jsonchat: header announces 1048577 bytes of JSON, want 1 to 1048576"}},
		{"01000004 00000000 7b", []string{"jsonchat: header announces 67108865 bytes of JSON, want 1 to 1048576"}},
		{"01001000 0000000000000004 7b", []string{"jsonchat: header announces 1048577 bytes of JSON, want 1 to 1048576"}},
		{"01001000 ffffffffffffff7f 7b", []string{"jsonchat: header announces 1048577 bytes of JSON, want 1 to 1048576"}},
		{"ffffffff 0000000000000000 7b", []string{"jsonchat: header announces -1 bytes of JSON, want 1 to 1048576"}},
		{"02000000 ffffffffffffffff 7b7d", []string{"jsonchat: header announces a payload of -1 bytes"}},
		{"02000000 00000080 7b7d", []string{"jsonchat: header announces a payload of -2147483648 bytes"}},
	} {
		in, err := hex.DecodeString(strings.ReplaceAll(test.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := frames(string(in)); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.hex, got, test.want)
		}
		for cut := range in { // At every byte, and byte by byte up to there.
			pieces := append(strings.Split(string(in[:cut]), ""), string(in[cut:]))
			if got := frames(pieces...); !slices.Equal(got, test.want) {
				t.Errorf("%s cut at %d: got %q, want %q", test.hex, cut, got, test.want)
			}
		}
	}
}

func TestAppendFrameIsWhatTheDecoderReads(t *testing.T) {
	for _, form := range []Form{Long, Short} {
		for _, payload := range []int64{0, 1, math.MaxInt32, form.PayloadMax()} {
			var d Decoder
			d.Feed(AppendFrame(nil, form, []byte(`{"a":1}`), payload))
			f, ok, err := d.Next()
			if !ok || f.Form != form || f.Payload != payload || string(f.JSON) != `{"a":1}` || d.Left() != payload {
				t.Errorf("form %d, payload %d: got %+v, %v, %v", form, payload, f, ok, err)
			}
		}
	}
}

// TestHeaderAloneTakesNoMemory: what a header announces is not made room for.
func TestHeaderAloneTakesNoMemory(t *testing.T) {
	var d Decoder
	d.Feed(append([]byte{0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0x70}, '{'))
	if _, ok, err := d.Next(); ok || err != nil || cap(d.buf) > 64 || d.Partial() != JSONBytesMax {
		t.Errorf("got %v, %v, %d bytes to come and %d of buffer, want to wait with next to none", ok, err, d.Partial(), cap(d.buf))
	}
	d = Decoder{}
	d.Feed([]byte{0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, '{'})
	_, _, err := d.Next()
	if bad, ok := errors.AsType[*FrameError](err); !ok || bad.JSON != 1<<30 || d.buf != nil {
		t.Errorf("got %v, want the length refused", err)
	}
	d.Feed([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	if _, ok, again := d.Next(); ok || again != err {
		t.Errorf("after it: got %v, %v, want the same error", ok, again)
	}
}

// TestTooLongFramesAreReadPast: with their payload, keeping nothing, and what follows is understood.
func TestTooLongFramesAreReadPast(t *testing.T) {
	var d Decoder
	piece := bytes.Repeat([]byte("{"), 1000)
	d.Feed(AppendFrame(nil, Long, make([]byte, 3*JSONBytesMax), 500)[:longHeaderBytes])
	d.Feed([]byte("{"))
	_, _, err := d.Next()
	if bad, ok := errors.AsType[*FrameError](err); !ok || !bad.Skipped {
		t.Fatalf("got %v, want it skipped", err)
	}
	for left := 3*JSONBytesMax + 500 - 1; left > 0; left -= len(piece) {
		d.Feed(piece[:min(left, len(piece))])
		if f, ok, err := d.Next(); ok || err != nil || cap(d.buf) > 4*len(piece) || d.Partial() != 0 {
			t.Fatalf("%d bytes before the end: got %+v, %v, %v and %d bytes of buffer", left, f, ok, err, cap(d.buf))
		}
	}
	d.Feed(AppendFrame(nil, Short, []byte("{}"), 0))
	if f, ok, err := d.Next(); !ok || string(f.JSON) != "{}" {
		t.Errorf("behind it: got %+v, %v, %v", f, ok, err)
	}
}

func TestDecoderGivesLargeBuffersBack(t *testing.T) {
	var d Decoder
	text := append(bytes.Repeat([]byte(" "), JSONBytesMax-2), "{}"...)
	d.Feed(AppendFrame(nil, Long, text, 0))
	if f, ok, err := d.Next(); !ok || len(f.JSON) != JSONBytesMax {
		t.Fatalf("got %d bytes, %v, %v, want the largest JSON", len(f.JSON), ok, err)
	}
	if _, ok, err := d.Next(); ok || err != nil || cap(d.buf) > bufferKeptBytes || d.Partial() != 0 {
		t.Errorf("got %v, %v, %d bytes to come and %d kept", ok, err, d.Partial(), cap(d.buf))
	}
}

// TestLooks knows its own first bytes at every length, and those of the neighbours on the port.
func TestLooks(t *testing.T) {
	for _, size := range []int{len(`{"request":"STATE"}`), 0x16, 0x0316, 600, 0x0a61, 9000, 0x2f41, JSONBytesMax} {
		text := append([]byte("{"), bytes.Repeat([]byte(" "), size-2)...)
		text = append(text, '}')
		for _, form := range []Form{Long, Short} {
			for _, payload := range []int64{0, 5, 0x7b, 256, 70000} {
				b := AppendFrame(nil, form, text, payload)
				for n := 1; n <= 64 && n <= len(b); n++ {
					can, sure := Looks(b[:n])
					early := n == 2 && isLine(b[:n]) // Looks like a line, if the stream is cut just there.
					if !can && !early || sure != (n > form.headerBytes()) {
						t.Errorf("size %d, form %d, payload %d: first %d bytes: got %v, %v", size, form, payload, n, can, sure)
					}
				}
			}
		}
	}
	for _, other := range []string{
		"HELO x\n", "JOIN_CHATROOM: a\n", "\r\n\r\nHELO", "x\n", "hi\n", "REGISTER TOSEND a\n\n", "CONNECT#a\n", "[login] {\"user\"", "UC1\n\x01\x02",
		"\x16\x03\x01\x00\x80\x01\x00\x00{\x03\x03\x00\x01{", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"\x00\x00\x00\x00{}", "\xff\xff\xff\xff\x00\x00\x00\x00{}",
		"\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00[]",
	} {
		for n := 1; n <= len(other); n++ {
			if _, sure := Looks([]byte(other[:n])); sure {
				t.Errorf("%q: sure at %d bytes", other, n)
			}
		}
		if can, _ := Looks([]byte(other)); can {
			t.Errorf("%q: can be, want not", other)
		}
	}
}

// TestLooksAtLengthsBeyondTheLimits: who sends too much as its first frame is refused in its own protocol's words.
func TestLooksAtLengthsBeyondTheLimits(t *testing.T) {
	for _, first := range []string{
		"\x01\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00{", "\x00\x00\x00\x40\x00\x00\x00\x00{", "\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00\x00\x00{",
		"\x02\x00\x00\x00\x00\x00\x00\x80{}", "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80{}",
	} {
		for n := 1; n < len(first); n++ {
			if can, _ := Looks([]byte(first[:n])); !can {
				t.Errorf("%q: cannot be at %d bytes", first, n)
			}
		}
		if _, sure := Looks([]byte(first)); !sure {
			t.Errorf("%q: not sure", first)
		}
	}
}
