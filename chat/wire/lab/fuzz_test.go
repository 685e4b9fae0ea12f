package lab

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

func addSeeds(f *testing.F) {
	const chat = "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: a\nb\n\n"
	for _, s := range []string{
		"HELO BASE_TEST\n", "KILL_SERVICE\r\n", joinText, strings.ReplaceAll(joinText, ": ", ":"), chat,
		strings.ReplaceAll(chat, "\n", "\r\n"), "\n\nLEAVE_CHATROOM:1\nJOIN_ID:2 \nCLIENT_NAME: c\n", "DISCONNECT: 0\nPORT: 0\nCLIENT_NAME: c",
		"JOIN CHATROOM: r\nFOO\nPORT: 0\n\nPORT: 0\n", "CHAT: 1\nMESSAGE: hi\nx\n\nHELO y",
		"HELO x\nIP:1\nPort:2\nStudentID:3\n", "JOINED_CHATROOM: r\nSERVER_IP: 1\nPORT: 2\nROOM_REF: 3\nJOIN_ID: 4\n",
		"CHAT: 1\nCLIENT_NAME: c\nMESSAGE: \n\n", "LEFT_CHATROOM: 1\nJOIN_ID: 2\nERROR_CODE: 1\nERROR_DESCRIPTION: x\n",
	} {
		for size := range uint8(3) {
			f.Add([]byte(s), size)
		}
	}
}

// FuzzDecoder: no input makes the decoder panic, the cut does not matter, silence ends at most what it says, and
// every request survives being written and read again in both dialects.
func FuzzDecoder(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		wiretest.AnyCut(t, in, size, func(pieces ...string) outcome { return decode(false, pieces...) })
		decode(true, wiretest.Pieces(in, size)...)
		checkTail(t, wiretest.Pieces(in, size))

		var d Decoder
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
			for _, dialect := range []Dialect{Spaced, Compact2015} {
				b := AppendRequest(nil, req, dialect)
				var again Decoder
				again.Feed(b)
				got, ok, err := again.Next()
				if !ok || !reflect.DeepEqual(got, req) {
					t.Fatalf("%#v written as %q: got %#v, %v", req, b, got, err)
				}
			}
		}
		if d.Pending() {
			d.Flush()
			if _, _, err := d.Next(); err == nil && d.Pending() {
				t.Fatal("still pending after Flush")
			}
		}
	})
}

// checkTail compares what a decoder knows of the line that has not ended with what a look at the whole line says.
func checkTail(t *testing.T, pieces []string) {
	var d Decoder
	for _, piece := range pieces {
		d.Feed([]byte(piece))
		for {
			if _, ok, err := d.Next(); !ok && err == nil {
				break
			}
		}
		line, bare := d.p.tailLine()
		if rest := d.p.rest(); !bytes.Equal(line, bytes.TrimRight(rest, "\r")) || !bytes.Equal(bare, trimValue(rest)) {
			t.Fatalf("of %q: got line %q and bare %q", rest, line, bare)
		}
	}
}

// FuzzReplyDecoder: the same for the client's side.
func FuzzReplyDecoder(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		wiretest.AnyCut(t, in, size, func(pieces ...string) outcome { return decodeReplies(false, pieces...) })
		var d ReplyDecoder
		d.Feed(in)
		d.Flush()
		for {
			rep, ok, err := d.Next()
			if err == nil && !ok {
				return
			}
			if err != nil {
				continue
			}
			b := AppendReply(nil, rep)
			var again ReplyDecoder
			again.Feed(b)
			if got, ok, err := again.Next(); !ok || !reflect.DeepEqual(got, rep) {
				t.Fatalf("%#v written as %q: got %#v, %v", rep, b, got, err)
			}
		}
	})
}

// FuzzAppendChat: whatever a text holds, it comes out as one message and leaves the stream in order.
func FuzzAppendChat(f *testing.F) {
	f.Add("1", "c", "hello")
	f.Add("room\n", "a\r\nb", "x\n\nCHAT: 1\r\n\r\n\n")
	f.Fuzz(func(t *testing.T, room, name, text string) {
		if len(text) > TextBytesMax/2 || len(room)+len(name) > headBytesMax {
			t.Skip() // An empty line inside grows by a space.
		}
		var d Decoder
		d.Feed(AppendHelo(AppendChat(nil, Chat{Room: room, Name: name, Text: text}), Helo{"HELO x"}))
		first, ok, err := d.Next()
		chat, isChat := first.(Chat)
		if !ok || !isChat {
			t.Fatalf("got %#v, %v, want a Chat", first, err)
		}
		if second, _, err := d.Next(); second != (Helo{"HELO x"}) {
			t.Fatalf("behind it: got %#v, %v", second, err)
		}
		if strip := strings.NewReplacer("\n", "", "\r", "", " ", ""); strip.Replace(chat.Text) != strip.Replace(text) {
			t.Fatalf("got text %q, want %q", chat.Text, text)
		}
	})
}
