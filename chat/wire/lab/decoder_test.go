package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

type outcome = wiretest.Outcome

// decode has a Decoder read the pieces, with silence behind each if flush is true; decodeReplies a ReplyDecoder.
func decode(flush bool, pieces ...string) outcome {
	return wiretest.Decode(new(Decoder), fault, flush, pieces...)
}

func decodeReplies(flush bool, pieces ...string) outcome {
	return wiretest.Decode(new(ReplyDecoder), fault, flush, pieces...)
}

// fault prints an error of a decoder.
func fault(err error) string {
	bad, ok := errors.AsType[*SyntaxError](err)
	if !ok {
		panic(err)
	}
	return fmt.Sprintf("error %q want %s", bad.Line, bad.Want)
}

const joinText = "JOIN_CHATROOM: room1\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: client1\n"

var join = Join{Room: "room1", ClientIP: "0", Port: "0", Name: "client1"}

func TestDecoderReadsEveryRequest(t *testing.T) {
	tests := []struct {
		name, in string
		want     outcome
	}{
		{"helo", "HELO BASE_TEST\n", wiretest.Values[Request](Helo{"HELO BASE_TEST"})},
		{"helo keeps blanks and drops the carriage return", "HELO  a b \r\n", wiretest.Values[Request](Helo{"HELO  a b "})},
		{"helo without text", "HELO\n", wiretest.Values[Request](Helo{"HELO"})},
		{"a longer word is not helo", "HELOS a\n", wiretest.Values[Request](Unknown{"HELOS a"})},
		{"kill", "KILL_SERVICE\r\n", wiretest.Values[Request](Kill{})},
		{"join", joinText, wiretest.Values[Request](join)},
		{"join without spaces", "JOIN_CHATROOM:room1\nCLIENT_IP:0\nPORT:0\nCLIENT_NAME:client1\n", wiretest.Values[Request](join)},
		{"join with empty fields", "JOIN_CHATROOM: r\nCLIENT_IP: \nPORT:\nCLIENT_NAME: c\n", wiretest.Values[Request](Join{Room: "r", Name: "c"})},
		{"join written with a space", strings.Replace(joinText, "JOIN_", "JOIN ", 1), wiretest.Values[Request](join)},
		{"spaces mixed, value with a trailing space", "JOIN_CHATROOM:room1 \r\nCLIENT_IP: 0\nPORT:0 \nCLIENT_NAME:  client1\t\n", wiretest.Values[Request](join)},
		{"fields in another order", "JOIN_CHATROOM: room1\nPORT: 0\nCLIENT_NAME: client1\nCLIENT_IP: 0\n", wiretest.Values[Request](join)},
		{"leave", "LEAVE_CHATROOM: 1\nJOIN_ID: 2\nCLIENT_NAME: c\n", wiretest.Values[Request](Leave{"1", "2", "c"})},
		{"leave that begins with a newline", "\nLEAVE_CHATROOM: 1\nJOIN_ID: 2\nCLIENT_NAME: c\n", wiretest.Values[Request](Leave{"1", "2", "c"})},
		{"ids of 39 digits", "LEAVE_CHATROOM: 123456789012345678901234567890123456789\nJOIN_ID: 999999999999999999999999999999999999999 \nCLIENT_NAME: c\n",
			wiretest.Values[Request](Leave{"123456789012345678901234567890123456789", "999999999999999999999999999999999999999", "c"})},
		{"chat", "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: hello world\n\n", wiretest.Values[Request](Chat{"1", "2", "c", "hello world"})},
		{"chat with carriage returns", "CHAT: 1\r\nJOIN_ID: 2\r\nCLIENT_NAME: c\r\nMESSAGE: hello\r\n\r\n", wiretest.Values[Request](Chat{"1", "2", "c", "hello"})},
		{"chat by name without JOIN_ID", "CHAT: room1\nCLIENT_NAME: c\nMESSAGE:hi\n\n", wiretest.Values[Request](Chat{"room1", "", "c", "hi"})},
		{"text with inner lines", "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: a\n b\r\nCHAT: 7\nMESSAGE: d\n\n", wiretest.Values[Request](Chat{"1", "2", "c", "a\n b\nCHAT: 7\nMESSAGE: d"})},
		{"text keeps its blanks", "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE:   a  \n\n", wiretest.Values[Request](Chat{"1", "2", "c", "  a  "})},
		{"empty text", "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE:\n\n", wiretest.Values[Request](Chat{"1", "2", "c", ""})},
		{"text on the line below", "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE:\nhi\n\n", wiretest.Values[Request](Chat{"1", "2", "c", "\nhi"})},
		{"disconnect", "DISCONNECT: 0\nPORT: 0\nCLIENT_NAME: c\n", wiretest.Values[Request](Disconnect{"0", "0", "c"})},
		{"disconnect without spaces", "DISCONNECT:\nPORT:\nCLIENT_NAME:c\n", wiretest.Values[Request](Disconnect{"", "", "c"})},
		{"unknown line", "ANYTHING 5a3f\n", wiretest.Values[Request](Unknown{"ANYTHING 5a3f"})},
		{"empty lines between messages", "\n\r\n \t\n" + joinText + "\n\n" + joinText + "\n", wiretest.Values[Request](join, join)},
		{"empty lines between fields", strings.ReplaceAll(joinText, "\n", "\n\n"), wiretest.Values[Request](join)},
		{"a newline too many after every message", "HELO a\n\nCHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: hi\n\n\n" + joinText + "\n",
			wiretest.Values[Request](Helo{"HELO a"}, Chat{"1", "2", "c", "hi"}, join)},
		{"keys are upper case", "Chat: 1\n", wiretest.Values[Request](Unknown{"Chat: 1"})},
		{"a message cut short is not one yet", "JOIN_CHATROOM: room1\nCLIENT_IP: 0\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wiretest.EveryCut(t, test.in, 1000, test.want, func(pieces ...string) outcome { return decode(false, pieces...) })
		})
	}
}

func TestDecoderFlushesWhatLacksItsEnd(t *testing.T) {
	const chat = "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: hi"
	tests := []struct {
		name   string
		pieces []string // Silence follows each.
		want   outcome
	}{
		{"helo", []string{"HELO a"}, wiretest.Values[Request](Helo{"HELO a"})},
		{"kill", []string{"KILL_SERVICE"}, wiretest.Values[Request](Kill{})},
		{"unknown", []string{"ANYTHING"}, wiretest.Values[Request](Unknown{"ANYTHING"})},
		{"the beginning of a key waits", []string{"JOIN_CHAT", "ROOM: room1\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: client1"}, wiretest.Values[Request](join)},
		{"fields missing wait", []string{"JOIN_CHATROOM: room1", "\nCLIENT_IP: 0\nPO", "RT: 0\nCLIENT_NAME:", " client1"}, wiretest.Values[Request](join)},
		{"no newline after any message", []string{"HELO a", strings.TrimSpace(joinText), chat, chat, "LEAVE_CHATROOM: 1\nJOIN_ID: 2\nCLIENT_NAME: c", "DISCONNECT: 0\nPORT: 0\nCLIENT_NAME: c"},
			wiretest.Values[Request](Helo{"HELO a"}, join, Chat{"1", "2", "c", "hi"}, Chat{"1", "2", "c", "hi"}, Leave{"1", "2", "c"}, Disconnect{"0", "0", "c"})},
		{"text ended by one newline", []string{joinText, chat + "\n", chat + "\n"}, wiretest.Values[Request](join, Chat{"1", "2", "c", "hi"}, Chat{"1", "2", "c", "hi"})},
		{"the newline comes later", []string{chat, "\n\n", "HELO a"}, wiretest.Values[Request](Chat{"1", "2", "c", "hi"}, Helo{"HELO a"})},
		{"a line is only a line once lines were ended", []string{"HELO a\n", "HEL", "O b", "c\n"}, wiretest.Values[Request](Helo{"HELO a"}, Helo{"HELO bc"})},
		{"a text is only a text once lines were ended", []string{joinText, chat, " there\n\n"}, wiretest.Values[Request](join, Chat{"1", "2", "c", "hi there"})},
		{"a text goes on once a text was ended", []string{chat + "\n\n", chat + "\n", "there\n", "\n"}, wiretest.Values[Request](Chat{"1", "2", "c", "hi"}, Chat{"1", "2", "c", "hi\nthere"})},
		{"an unknown line proves nothing", []string{"ANYTHING\n", "HELO a"}, wiretest.Values[Request](Unknown{"ANYTHING"}, Helo{"HELO a"})},
		{"nothing at all", []string{"", "\n", " ", "\r"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := decode(true, test.pieces...); !slices.Equal(got, test.want) {
				t.Errorf("after %q: got %v, want %v", test.pieces, got, test.want)
			}
		})
	}
}

func TestDecoderGoesOnAfterBadMessage(t *testing.T) {
	tests := []struct {
		name, in string
		want     outcome
	}{
		{"a stranger among the fields", "JOIN_CHATROOM: r\nFOO: 1\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: c\n" + joinText,
			append(outcome{`error "FOO: 1" want CLIENT_IP: or PORT: or CLIENT_NAME:`}, wiretest.Values[Request](join)...)},
		{"the same field twice", "LEAVE_CHATROOM: 1\nJOIN_ID: 1\nJOIN_ID: 1\nCLIENT_NAME: c\n" + joinText,
			append(outcome{`error "JOIN_ID: 1" want CLIENT_NAME:, not the same line twice`}, wiretest.Values[Request](join)...)},
		{"another message inside", "LEAVE_CHATROOM: 1\nJOIN_ID: 1\n" + joinText,
			append(outcome{`error "JOIN_CHATROOM: room1" want CLIENT_NAME:`}, wiretest.Values[Request](join)...)},
		{"text before the name", "CHAT: 1\nJOIN_ID: 1\nMESSAGE: hi\nho\n\n" + joinText,
			append(outcome{`error "MESSAGE: hi" want CLIENT_NAME: before it`}, wiretest.Values[Request](join)...)},
		{"a stranger before the text", "CHAT: 1\nFOO\nCLIENT_NAME: c\nMESSAGE: hi\nHELO you\n\n" + joinText,
			append(outcome{`error "FOO" want CLIENT_NAME: or MESSAGE:`}, wiretest.Values[Request](join)...)},
		{"strangers are unknown again", "JOIN_CHATROOM: r\nFOO\nBAR\n",
			append(outcome{`error "FOO" want CLIENT_IP: or PORT: or CLIENT_NAME:`}, wiretest.Values[Request](Unknown{"BAR"})...)},
		{"an empty line ends the skipping", "JOIN_CHATROOM: r\nFOO\nPORT: 0\n\nPORT: 0\n",
			append(outcome{`error "FOO" want CLIENT_IP: or PORT: or CLIENT_NAME:`}, wiretest.Values[Request](Unknown{"PORT: 0"})...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for cut := 0; cut <= len(test.in); cut++ {
				if got := decode(false, test.in[:cut], test.in[cut:]); !slices.Equal(got, test.want) {
					t.Fatalf("cut at %d: got %v, want %v", cut, got, test.want)
				}
			}
		})
	}
}

func TestDecoderLimits(t *testing.T) {
	const head = "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: "
	text := strings.Repeat("x", TextBytesMax)
	line := strings.Repeat("y", LineBytesMax)
	name := strings.Repeat("z", headBytesMax/2)
	tooLong := func(line, what string, max int) outcome {
		return outcome{fmt.Sprintf("error %q want %s of at most %d bytes", line[:min(len(line), lineShownBytes)], what, max)}
	}
	tests := []struct {
		name, in string
		want     outcome
	}{
		{"largest text", head + text + "\r\n\r\n", wiretest.Values[Request](Chat{"1", "2", "c", text})},
		{"text one byte too long", head + text + "x\n\n", tooLong(text, "text", TextBytesMax)},
		{"text too long by a line", head + text + "\nmore\nHELO x\n\n", tooLong("more", "text", TextBytesMax)},
		{"largest unknown line", line + "\n", wiretest.Values[Request](Unknown{line})},
		{"line one byte too long", line + "y\n", tooLong(line, "line", LineBytesMax)},
		{"endless line inside a text", head + "a\n" + line + line + "\nHELO x\n\n", tooLong(line, "line", LineBytesMax)},
		{"endless text line", head + line + "\nHELO x\n\n", tooLong("MESSAGE: "+line, "line", LineBytesMax)},
		{"names together too long", "DISCONNECT: " + name + "\nPORT: " + name + "\nCLIENT_NAME: c\n", tooLong("CLIENT_NAME: c", "fields", headBytesMax)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := append(test.want, wiretest.Values[Request](join)...)
			in := test.in + joinText
			for _, size := range []int{1, 7, 4096, len(in)} {
				var pieces []string
				for rest := in; rest != ""; rest = rest[min(size, len(rest)):] {
					pieces = append(pieces, rest[:min(size, len(rest))])
				}
				if got := decode(false, pieces...); !slices.Equal(got, want) {
					t.Fatalf("in pieces of %d: got %.300v, want %.300v", size, got, want)
				}
			}
		})
	}
}

// TestDecoderHoldsLittle feeds an endless line and an endless text and looks at what is kept.
func TestDecoderHoldsLittle(t *testing.T) {
	chunk := []byte(strings.Repeat("x", 4096))
	var d Decoder
	d.Feed([]byte("CHAT: 1\nCLIENT_NAME: c\nMESSAGE: "))
	errs := 0
	for range 100 {
		d.Feed(chunk)
		if _, ok, err := d.Next(); ok {
			t.Fatal("got a request out of an endless line")
		} else if err != nil {
			errs++
		}
		if n := cap(d.p.buf) + len(d.p.msg.text); n > 3*LineBytesMax {
			t.Fatalf("got %d bytes held, want at most %d", n, 3*LineBytesMax)
		}
	}
	if errs != 1 {
		t.Errorf("got %d errors for one endless line, want 1", errs)
	}
	d.Feed([]byte("\n\n"))
	if _, ok, err := d.Next(); ok || err != nil || cap(d.p.buf) > bufferKeptBytes {
		t.Errorf("at the end: got ok %v, err %v, buffer %d bytes, want an empty decoder", ok, err, cap(d.p.buf))
	}
}

// TestDecoderSilenceEndsSkipping: a client that ends nothing properly sent too much and must not be deaf ever after.
func TestDecoderSilenceEndsSkipping(t *testing.T) {
	big := "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: " + strings.Repeat("x", TextBytesMax+1)
	for _, end := range []string{"", "\n", strings.Repeat("x", LineBytesMax)} {
		got := decode(true, big+end, "HELO a")
		if len(got) != 2 || got[1] != wiretest.Values[Request](Helo{"HELO a"})[0] {
			t.Errorf("ended by %.10q: got %.300q, want an error and HELO", end, got)
		}
	}
}
