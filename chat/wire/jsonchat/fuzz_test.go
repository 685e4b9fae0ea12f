package jsonchat

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

func addSeeds(f *testing.F) {
	for size := range uint8(3) {
		for _, form := range []Form{Long, Short} {
			for _, r := range requests {
				f.Add(AppendFrame(nil, form, []byte(r.json), 0), size)
			}
			for _, r := range responses {
				f.Add(append(AppendFrame(nil, form, []byte(r.json), 4), "file"...), size)
			}
		}
	}
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00{"), uint8(0))
}

// FuzzDecoder: no input makes the decoder panic, the cut does not matter, and what is understood survives being written
// and read again.
func FuzzDecoder(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		whole := frames(string(in))
		if cut := frames(wiretest.Pieces(in, size)...); !slices.Equal(whole, cut) {
			t.Fatalf("whole: %q, cut: %q", whole, cut)
		}
		var d Decoder
		d.Feed(in)
		for {
			frame, ok, err := d.Next()
			if bad, _ := errors.AsType[*FrameError](err); bad != nil && bad.Skipped {
				continue
			}
			if !ok || err != nil {
				return
			}
			checkRoundTrip(t, frame.JSON)
			d.Take(make([]byte, min(d.Left(), int64(len(in)))))
		}
	})
}

// checkRoundTrip writes what it reads in text, and reads it again.
func checkRoundTrip(t *testing.T, text []byte) {
	if req, token, err := ParseRequest(text); err == nil {
		again := AppendRequest(nil, req, token)
		got, gotToken, err := ParseRequest(again)
		if _, malformed := req.(Malformed); !malformed && (err != nil || !reflect.DeepEqual(got, req) || gotToken != token) {
			t.Fatalf("%#v, token %d, written as %s: got %#v, token %d, %v", req, token, again, got, gotToken, err)
		}
	}
	if res, err := ParseResponse(text); err == nil {
		again := AppendResponse(nil, res)
		for _, c := range again {
			if c >= 0x80 {
				t.Fatalf("%#v written as %q, which is not ASCII", res, again)
			}
		}
		got, err := ParseResponse(again)
		if err != nil || !reflect.DeepEqual(got, res) {
			t.Fatalf("%#v written as %s: got %#v, %v", res, again, got, err)
		}
	}
}
