package hashchat

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

func addSeeds(f *testing.F) {
	for _, s := range []string{
		"CONNECT#bob\nSEND#*#hi\nSEND#bob,cat#a#b\nCLOSE#\n", "CONNECT#bob\r\n\r\nSEND#a\r,b#c\r\n", "CLOSE#0\nCLOSE\nSEND#x\n",
		"CONNECT#bob", "SEND##\n", "SEND#,*,a,a#\n", "CLOSE#xCLOSE#", "\nONLINE#a,b\nMESSAGE#a#b#c\nCLOSE#", "ONLINE#\nMESSAGE#\n",
	} {
		for size := range uint8(3) {
			f.Add([]byte(s), size, size == 1)
		}
	}
}

// FuzzDecoder: no input makes a decoder panic, the cut does not matter, and every request and reply that can be written
// survives being written and read again.
func FuzzDecoder(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, in []byte, size uint8, cut bool) {
		wiretest.AnyCut(t, in, size, func(pieces ...string) outcome { return decode(&Decoder{CutText: cut}, false, pieces...) })
		decode(&Decoder{CutText: cut}, true, wiretest.Pieces(in, size)...)
		d := Decoder{CutText: cut}
		d.Feed(in)
		d.Flush()
		for {
			req, ok, err := d.Next()
			if err == nil && !ok {
				break
			}
			if err != nil {
				continue
			}
			b := AppendRequest(nil, req)
			var again Decoder
			again.Feed(b)
			got, ok, err := again.Next()
			if !ok || !reflect.DeepEqual(got, req) {
				t.Fatalf("%#v written as %q: got %#v, %v", req, b, got, err)
			}
		}
		if d.Pending() {
			t.Fatal("still pending after Flush")
		}
		checkReplies(t, in, size)
		checkMessage(t, string(in[:len(in)/2]), string(in[len(in)/2:]))
	})
}

// checkReplies is the same for the client's side; what cannot be written is left out.
func checkReplies(t *testing.T, in []byte, size uint8) {
	wiretest.AnyCut(t, in, size, func(pieces ...string) outcome { return wiretest.Decode(new(ReplyDecoder), fault, false, pieces...) })
	var d ReplyDecoder
	d.Feed(in)
	for {
		rep, ok, err := d.Next()
		if err == nil && !ok {
			return
		}
		if err != nil {
			continue
		}
		switch r := rep.(type) {
		case Message:
			if !CanSpeak(r.From) {
				continue
			}
		case Online:
			if r.Names = slices.DeleteFunc(r.Names, func(n string) bool { return !CanAddress(n) }); len(r.Names) == 0 {
				continue
			}
			slices.Sort(r.Names)
			rep = Online{slices.Compact(r.Names)}
		}
		b := AppendReply(nil, rep)
		var again ReplyDecoder
		again.Feed(b)
		if got, ok, err := again.Next(); !ok || !reflect.DeepEqual(got, rep) {
			t.Fatalf("%#v written as %q: got %#v, %v", rep, b, got, err)
		}
	}
}

// checkMessage: whatever a name and a text hold, it comes out as one line or none and leaves the stream in order.
func checkMessage(t *testing.T, from, text string) {
	if len(from)+len(text) > TextBytesMax {
		return
	}
	b := AppendMessage(nil, Message{From: from, Text: text})
	var d ReplyDecoder
	d.Feed(AppendClosed(b, Closed{}))
	first, _, err := d.Next()
	if len(b) == 0 {
		if first != (Closed{}) {
			t.Fatalf("of nothing: got %#v, %v", first, err)
		}
		return
	}
	msg, ok := first.(Message)
	strip := strings.NewReplacer("\n", "", "\r", "", " ", "")
	if !ok || msg.From != from || strip.Replace(msg.Text) != strip.Replace(text) {
		t.Fatalf("got %#v, %v", first, err)
	}
	if second, _, err := d.Next(); second != (Closed{}) {
		t.Fatalf("behind it: got %#v, %v", second, err)
	}
}
