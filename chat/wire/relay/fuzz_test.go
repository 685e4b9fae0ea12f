package relay

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"udpchat/chat/wire/internal/wiretest"
)

func addSeeds(f *testing.F) {
	for _, s := range []string{
		"REGISTER TOSEND bob\n\nREGISTER TORECV bob\n \nSEND bob\nContent-length: 2\n\nhiRECEIVED ann\n\n",
		"SEND bob\r\nContent-length: 2\r\n\r\naé\nRECIEVED x\n\nERROR 103 Header Incomplete\n\n", "SEND x\n\n", "RECEIVED a",
		"SEND b\nContent-length: 3\n\néaSEND b\nContent-length: 0\n\n", "SEND b\nContent-length: 1\n\n\xff\xfe", "\n \n\nERROR 1\n\n",
		"SEND b\n Content-length: 2\n\n hiSEND b\nContent-length: 1\n\n x", "REGISTER TOSEND bob\n\n\x00\x001\x00SEND b\nContent-length: 1\n\nx\x00\x00",
		"REGISTERED TOSEND bob\n\nFORWARD a\nContent-length: 2\n\naéSENT b\n\nERROR 102 x\n\n", "FORWARD a\n\nSEND b\n \n",
	} {
		for size := range uint8(3) {
			f.Add([]byte(s), size, size == 1)
		}
	}
}

// FuzzDecoder: no input makes a decoder panic, the cut does not matter, and every request and reply survives being
// written and read again in every form.
func FuzzDecoder(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, in []byte, size uint8, keep bool) {
		wiretest.AnyCut(t, in, size, func(pieces ...string) outcome { return decode(&Decoder{KeepHeads: keep}, false, pieces...) })
		decode(&Decoder{KeepHeads: keep}, true, wiretest.Pieces(in, size)...)
		d := Decoder{KeepHeads: keep}
		d.Feed(in)
		d.Flush()
		for {
			req, ok, err := d.Next()
			if err != nil || !ok {
				break
			}
			for _, form := range []Form{{}, {Spaced: true}, {Bytes: true}} {
				if send, ok := req.(Send); ok && !form.Bytes && !utf8.ValidString(send.Text) {
					continue // Where its characters end depends on what follows.
				}
				again := Decoder{p: parser{mode: characters, lead: yes}}
				if form.Bytes {
					again.p.mode = bytesOf
				}
				b := AppendRequest(nil, req, form)
				again.Feed(b)
				got, ok, err := again.Next()
				if !ok || !reflect.DeepEqual(got, req) {
					t.Fatalf("%#v written as %q: got %#v, %v", req, b, got, err)
				}
			}
		}
		for range 3 { // One line each.
			d.Flush()
			d.Next()
		}
		checkReplies(t, in, size, keep)
		checkForward(t, string(in), keep)
	})
}

// checkReplies is the same for the client's side.
func checkReplies(t *testing.T, in []byte, size uint8, bytes bool) {
	wiretest.AnyCut(t, in, size, func(pieces ...string) outcome {
		return wiretest.Decode(&ReplyDecoder{Bytes: bytes}, fault, false, pieces...)
	})
	d := ReplyDecoder{Bytes: bytes}
	d.Feed(in)
	for {
		rep, ok, err := d.Next()
		if err != nil || !ok {
			return
		}
		if f, ok := rep.(Forward); ok && !bytes && !utf8.ValidString(f.Text) {
			continue
		}
		again := ReplyDecoder{Bytes: bytes}
		b := AppendReply(nil, rep, Form{Bytes: bytes, Spaced: size%2 == 0})
		again.Feed(b)
		if got, ok, err := again.Next(); !ok || !reflect.DeepEqual(got, rep) {
			t.Fatalf("%#v written as %q: got %#v, %v", rep, b, got, err)
		}
	}
}

// checkForward: whatever a text holds, it comes out as one message and leaves the stream in order.
func checkForward(t *testing.T, text string, bytes bool) {
	if len(text) > TextBytesMax || !bytes && !utf8.ValidString(text) {
		return
	}
	form := Form{Bytes: bytes, Spaced: strings.HasPrefix(text, " ")}
	d := ReplyDecoder{Bytes: bytes}
	d.Feed(AppendReply(AppendReply(nil, Forward{"ann", text}, form), Sent{"bob"}, form))
	if first, _, err := d.Next(); first != (Forward{"ann", text}) {
		t.Fatalf("got %#v, %v", first, err)
	}
	if second, _, err := d.Next(); second != (Sent{"bob"}) {
		t.Fatalf("behind it: got %#v, %v", second, err)
	}
}
