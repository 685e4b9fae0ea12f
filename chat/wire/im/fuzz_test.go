package im

import (
	"reflect"
	"slices"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

// FuzzDecoder: no input makes the decoder panic, the cut does not matter, and every request survives being written and read
// again.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{
		`[login] {"user": "hans", "password": "x"}`, `[login] {'username': 'hans'}`, `[register] {"user": "a", "password": "b"}`,
		`[message] {"reciever": "a", "message": "\u00fc\ud83d\ude00\ud83d \\ \" {}"}`, `[broadcast] {"message": 1.5}`, "[whoelse]\n[refresh] {}\n",
		`[whoelsesince] {"time": "10"}`, `[block] {"block": "a"}[unblock] {"unblock": "a"}`, `[startprivate] {"target": "a"}[logout]`,
		`[P2P] {"ip": "0.0.0.0", "port": 1, "origin": "a", "target": "b"}` + "\n\n", `[P2PDECLINE] {"origin": "a", "target": "b"}`,
		`[register] {"filename": "a", "size": 20480, "chunks": 10}[register] {"file": "a", "chunk": [1, "2"]}`, `[searchFile] {"filename": "a"}`,
		`[searchchunk] {"filename": "a", "chunks": "1, 2"}`, `[startprivate] {"target": "a", "filename": "b"}`,
		"hello [x] {\"a\": [1, {}, null]}\x00[", `[x] {"a`, "[x] {\"a\n[whoelse] {}", "[x]   ",
	} {
		for size := range uint8(3) {
			f.Add([]byte(s), size)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		whole := decode(false, string(in))
		if cut := decode(false, wiretest.Pieces(in, size)...); !slices.Equal(whole, cut) {
			t.Fatalf("whole: %v, cut: %v", whole, cut)
		}
		decode(true, wiretest.Pieces(in, size)...)

		var d Decoder
		d.Feed(in)
		for range patience {
			d.Flush()
		}
		for {
			req, ok, err := d.Next()
			if err != nil {
				continue
			}
			if !ok {
				break
			}
			b := AppendRequest(nil, req)
			var again Decoder
			again.Feed(b)
			if got, ok, err := again.Next(); !ok || !reflect.DeepEqual(got, req) {
				t.Fatalf("%#v written as %q: got %#v, %v", req, b, got, err)
			}
		}
		if d.Pending() {
			t.Fatal("still pending after Flush")
		}
	})
}

// FuzzParseReply: no packet makes it panic, and what is read survives being written and read again.
func FuzzParseReply(f *testing.F) {
	for _, s := range []string{"[200] hi\n", "[403] x", "[FIN] bye", `[P2P] {"message": "x", "origin": "a"}`, `[P2P] {"message": "x", "origin": "a", "filename": "b"}`, `[P2PCONN] {"ip": "::1", "port": "7", "origin": "a"}`, "[200]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		rep, err := ParseReply(packet)
		if err != nil {
			return
		}
		b := AppendReply(nil, rep)
		if again, err := ParseReply(b); err != nil || again != rep {
			t.Fatalf("%#v written as %q: got %#v, %v", rep, b, again, err)
		}
	})
}

// FuzzParseFound: no text makes it panic, what is read survives being written and read again, and no beginning of that is taken
// for the whole.
func FuzzParseFound(f *testing.F) {
	for _, s := range []string{
		"Not available\n", "Available\n20480 bytes, 10 chunks, 2 users\nhans: 1,2,10\na: b: 7\n", "Available\n0 bytes, 1 chunks, 0 users\n",
		"Available\n1 bytes, 65 chunks, 1 users\na: 1\n", "Available\n1 bytes, 2 chunks, 1 users\na: 1,1\n",
		"Available, 2 files\n1 bytes, 1 chunks, 1 users\na: 1\n2 bytes, 1 chunks, 1 users\nb: 1\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := ParseFound(text)
		if !ok {
			return
		}
		again := found.Text()
		if got, ok := ParseFound(again + "hans: 1\n"); !ok || !reflect.DeepEqual(got, found) {
			t.Fatalf("%+v written as %q: got %+v, %v", found, again, got, ok)
		}
		for n := range again {
			if got, ok := ParseFound(again[:n]); ok {
				t.Fatalf("%q: read as %+v", again[:n], got)
			}
		}
	})
}
