package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

type outcome = wiretest.Outcome

// decode has d read the pieces, with silence behind each if flush is true.
func decode(d *Decoder, flush bool, pieces ...string) outcome {
	return wiretest.Decode(d, fault, flush, pieces...)
}

// fault prints an error of a decoder.
func fault(err error) string {
	bad, ok := errors.AsType[*SyntaxError](err)
	if !ok {
		panic(err)
	}
	return fmt.Sprintf("error %q want %s", bad.Line, bad.Want)
}

func TestDecoderReadsEveryRequest(t *testing.T) {
	long := strings.Repeat("x", TextBytesMax)
	longHead := "SEND " + strings.Repeat("y", headBytesMax)
	tests := []struct {
		name, in string
		want     outcome
	}{
		{"register to send", "REGISTER TOSEND bob\n\n", wiretest.Values[Request](Register{ToSend, "bob", false})},
		{"register to receive", "REGISTER TORECV bob\r\n\r\n", wiretest.Values[Request](Register{ToRecv, "bob", false})},
		{"register, spaced", "REGISTER TOSEND bob\n \n", wiretest.Values[Request](Register{ToSend, "bob", false})},
		{"register, with two spaces", "REGISTER TOSEND bob \n \nREGISTER TORECV bob \r\n \r\n", wiretest.Values[Request](Register{ToSend, "bob", true}, Register{ToRecv, "bob", true})},
		{"both at once", "REGISTER TOSEND bob\n\nREGISTER TORECV bob\n\n", wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false})},
		{"names as they came", "REGISTER TOSEND  b o\tb \n\nREGISTER TORECV\n\n", wiretest.Values[Request](Register{ToSend, "b o\tb", false}, Register{ToRecv, "", false})},
		{"register for what", "REGISTER TOLISTEN bob\n\n", wiretest.Values[Request](Unknown{"REGISTER TOLISTEN bob"})},
		{"send", "SEND bob\nContent-length: 5\n\nhello", wiretest.Values[Request](Send{"bob", "hello"})},
		{"send, spaced", "SEND bob\nContent-length: 5\n \nhello", wiretest.Values[Request](Send{"bob", "hello"})},
		{"send, carriage returns", "SEND bob\r\nContent-length: 5\r\n\r\nhello\r\n", wiretest.Values[Request](Send{"bob", "hello"})},
		{"a space behind the name", "SEND bob \nContent-length: 5\n\nhello", wiretest.Values[Request](Send{"bob", "hello"})},
		{"a text that begins with a space", "SEND bob\nContent-length: 3\n\n hiRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", " hi"}, Received{"ann"})},
		{"a space that may count", "SEND bob\nContent-length: 3\n\n hi", nil},
		{"a space that may not count", "SEND bob\nContent-length: 2\n\n hi", nil},
		{"a space that does not count", "SEND bob\nContent-length: 2\n\n hiSEND bob\n Content-length: 5\n\n hello", wiretest.Values[Request](Send{"bob", "hi"}, Send{"bob", "hello"})},
		{"a space that does not count, in characters", "SEND bob\nContent-length: 2\n\n éaSEND bob\n Content-length: 2\n\n aé", wiretest.Values[Request](Send{"bob", "éa"}, Send{"bob", "aé"})},
		{"a space that counts from then on", "SEND bob\nContent-length: 3\n\n hi\nSEND bob\nContent-length: 2\n\n ho", wiretest.Values[Request](Send{"bob", " hi"}, Send{"bob", " h"})},
		{"a text of a space", "SEND bob\nContent-length: 1\n\n \nRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", " "}, Received{"ann"})},
		{"the rest of a buffer", "REGISTER TOSEND bob\n\n\x00\x00\x00REGISTER TORECV bob\n\n\x00!1\x00\x00\x00SEND bob\nContent-length: 2\n\nhi\x00\x00RECEIVED ann\n\n\x00", wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false}, Send{"bob", "hi"}, Received{"ann"})},
		{"the rest of a large buffer", "REGISTER TOSEND bob\n\n" + strings.Repeat("\x00", 3*headBytesMax) + "RECEIVED ann\n\n", wiretest.Values[Request](Register{ToSend, "bob", false}, Received{"ann"})},
		{"the rest of a buffer, behind bytes", "SEND bob\nContent-length: 3\n\néa\x00\x00RECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "éa"}, Received{"ann"})},
		{"a text with line ends", "SEND bob\nContent-length: 6\n\n\n\na\n\n\n", wiretest.Values[Request](Send{"bob", "\n\na\n\n\n"})},
		{"an empty text", "SEND bob\nContent-length: 0\n\nRECEIVED cat\n\n", wiretest.Values[Request](Send{"bob", ""}, Received{"cat"})},
		{"a newline too many", "SEND bob\nContent-length: 2\n\nhi\nSEND cat\nContent-length: 2\n\nho\n\n \n", wiretest.Values[Request](Send{"bob", "hi"}, Send{"cat", "ho"})},
		{"other lines in the head", "SEND bob\nX: y\ncontent-LENGTH :2\nz\n\nhi", wiretest.Values[Request](Send{"bob", "hi"})},
		{"no length", "SEND bob\n\nhello\n\n", wiretest.Values[Request](Incomplete{"bob"})},
		{"no length at all", "SEND\n\n", wiretest.Values[Request](Incomplete{})},
		{"a length that is none", "SEND bob\nContent-length: five\n\nhello", wiretest.Values[Request](Incomplete{"bob"})},
		{"a negative length", "SEND bob\nContent-length: -5\n\nhello", wiretest.Values[Request](Incomplete{"bob"})},
		{"an empty length", "SEND bob\nContent-length:\n\nhello", wiretest.Values[Request](Incomplete{"bob"})},
		{"two lengths", "SEND bob\nContent-length: 5\nContent-length: 5\n\nhello", wiretest.Values[Request](Incomplete{"bob"})},
		{"a length beyond the limit", fmt.Sprintf("SEND bob\nContent-length: %d\n\n", TextBytesMax+1), wiretest.Values[Request](Incomplete{"bob"})},
		{"a length beyond all", "SEND bob\nContent-length: 99999999999999999999\n\n", wiretest.Values[Request](Incomplete{"bob"})},
		{"the largest text", fmt.Sprintf("SEND bob\nContent-length: %d\n\n%s", TextBytesMax, long), wiretest.Values[Request](Send{"bob", long})},
		{"received", "RECEIVED ann\n\n", wiretest.Values[Request](Received{"ann"})},
		{"received, misspelt", "RECIEVED ann \n \n", wiretest.Values[Request](Received{"ann"})},
		{"a client's error", "ERROR 103 Header Incomplete\n\nERROR x\n\nERROR -1\n\n", wiretest.Values[Request](Failed{103}, Failed{}, Failed{})},
		{"unknown", "HELLO\nthere\n\n" + strings.Repeat("z", 100) + "\n\n", wiretest.Values[Request](Unknown{"HELLO"}, Unknown{strings.Repeat("z", lineShownBytes)})},
		{"lower case", "register TOSEND bob\n\n", wiretest.Values[Request](Unknown{"register TOSEND bob"})},
		{"a head that has not ended", "REGISTER TOSEND bob\n", nil},
		{"a head too long", longHead + "\n\nREGISTER TOSEND bob\n\n", outcome{fmt.Sprintf("error %q want a head of at most %d bytes", longHead[:lineShownBytes], headBytesMax)}},
		{"a head with too many lines", "SEND b\n" + strings.Repeat("abcdefg\n", headBytesMax/8) + "\n", outcome{fmt.Sprintf("error %q want a head of at most %d bytes", "SEND b\n"+strings.Repeat("abcdefg\n", 8)[:lineShownBytes-7], headBytesMax)}},
		// What a length counts.
		{"characters, cut inside of one", "SEND bob\nContent-length: 2\n\naéRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "aé"}, Received{"ann"})},
		{"characters, shown by what follows", "SEND bob\nContent-length: 2\n\néaRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "éa"}, Received{"ann"})},
		{"characters from then on", "SEND bob\nContent-length: 2\n\naéSEND bob\nContent-length: 8\n\néSEND byRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "aé"}, Send{"bob", "éSEND by"}, Received{"ann"})},
		{"bytes, shown by what follows", "SEND bob\nContent-length: 3\n\néaRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "éa"}, Received{"ann"})},
		{"bytes, and a newline too many", "SEND bob\nContent-length: 3\n\néa\nRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "éa"}, Received{"ann"})},
		{"not UTF-8 at all", "SEND bob\nContent-length: 2\n\n\xffaRECEIVED ann\n\n", wiretest.Values[Request](Send{"bob", "\xffa"}, Received{"ann"})},
		{"not certain yet", "SEND bob\nContent-length: 3\n\néaREC", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wiretest.EveryCut(t, test.in, 400, test.want, func(pieces ...string) outcome { return decode(new(Decoder), false, pieces...) })
		})
	}
}

func TestDecoderFlushesWhatSilenceEnds(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string // Silence follows each.
		want   outcome
	}{
		{"no ends", []string{"REGISTER TOSEND bob", "REGISTER TORECV bob", "RECEIVED ann", "ERROR 103"},
			wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false}, Received{"ann"}, Failed{103})},
		{"half of the end", []string{"REGISTER TOSEND bob\n", "\nREGISTER TORECV bob\n"}, wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false})},
		{"two of them", []string{"REGISTER TOSEND bob\nREGISTER TORECV bob\n"}, wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false})},
		{"never once a head was ended", []string{"REGISTER TOSEND bob\n\n", "REGISTER TORECV b", "ob\n\n"}, wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false})},
		{"what is certainly not whole", []string{"REGISTER TOSEND", " bob\n\n"}, wiretest.Values[Request](Register{ToSend, "bob", false})},
		{"a SEND goes on", []string{"SEND bob\n", "Content-length: 2\n", "\nhi"}, wiretest.Values[Request](Send{"bob", "hi"})},
		{"a text of bytes", []string{"SEND bob\nContent-length: 3\n\néa", "SEND bob\nContent-length: 3\n\néaSEND bob\nContent-length: 2\n\né"},
			wiretest.Values[Request](Send{"bob", "éa"}, Send{"bob", "éa"}, Send{"bob", "é"})},
		{"a text that begins with a space", []string{"SEND bob\nContent-length: 3\n\n hi", "SEND bob\nContent-length: 2\n\n hoSEND bob\n\n"},
			wiretest.Values[Request](Send{"bob", " hi"}, Send{"bob", " h"}, Unknown{"oSEND bob"})},
		{"a space that does not count", []string{"SEND bob\n Content-length: 2\n\n hS", "SEND bob\n Content-length: 2\n\n ho", "SEND bob\n Content-length: 1\n\nx"},
			wiretest.Values[Request](Send{"bob", "hS"}, Send{"bob", "ho"}, Send{"bob", "x"})},
		{"the rest of a buffer", []string{"REGISTER TOSEND bob\x00\x00", "\x00\x00REGISTER TORECV bob\x00"}, wiretest.Values[Request](Register{ToSend, "bob", false}, Register{ToRecv, "bob", false})},
		{"a text of characters that is not there yet", []string{"SEND bob\nContent-length: 2\n\na\xc3", "\xa9"}, wiretest.Values[Request](Send{"bob", "aé"})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := decode(new(Decoder), true, test.pieces...); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	kept := decode(&Decoder{KeepHeads: true}, true, "REGISTER TOSEND bob\n", "\nSEND b\nContent-length: 2\n\né")
	if want := wiretest.Values[Request](Register{ToSend, "bob", false}, Send{"b", "é"}); !slices.Equal(kept, want) {
		t.Errorf("with KeepHeads: got %v, want %v", kept, want)
	}
}

func TestDecoderKnowsThePeersWays(t *testing.T) {
	for in, want := range map[string]Form{
		"REGISTER TOSEND bob\n\n":                           {},
		"REGISTER TOSEND bob\n \n":                          {Spaced: true},
		"REGISTER TOSEND bob\n \nRECEIVED ann\n\n":          {Spaced: true},
		"REGISTER TOSEND bob \n \n":                         {},
		"RECEIVED bob \n \n":                                {Spaced: true},
		"REGISTER TOSEND bob\r\n\r\n":                       {},
		"SEND bob\nContent-length: 2\n\naé":                 {},
		"SEND bob\nContent-length: 3\n\néa":                 {Bytes: true},
		"SEND bob\nContent-length: 5\n\n  \n  RECEIVED x\n": {},
		"REGISTER TORECV bob\x00\n\x00\n":                   {},
		"SEND bob\nContent-length: 3\n\néa\n":               {Bytes: true},
	} {
		var d Decoder
		decode(&d, true, in)
		if got := (Form{Spaced: d.Spaced(), Bytes: d.Bytes()}); got != want {
			t.Errorf("%q: got %+v, want %+v", in, got, want)
		}
	}
}

func TestDecoderKeepsNoBigBuffer(t *testing.T) {
	var d Decoder
	decode(&d, false, fmt.Sprintf("SEND bob\nContent-length: %d\n\n%s", TextBytesMax, strings.Repeat("x", TextBytesMax)))
	if cap(d.p.buf) > bufferKeptBytes {
		t.Errorf("an idle decoder holds %d bytes", cap(d.p.buf))
	}
}

func TestRepliesAreWhatTheyAre(t *testing.T) {
	for _, c := range []struct {
		rep  Reply
		form Form
		want string
	}{
		{Registered{Role: ToSend, Name: "bob"}, Form{}, "REGISTERED TOSEND bob\n\n"},
		{Registered{Role: ToRecv, Name: "bob"}, Form{Spaced: true}, "REGISTERED TORECV bob\n \n"},
		{Registered{Role: ToRecv, Name: "bob", Wide: true}, Form{}, "REGISTERED TORECV bob \n \n"},
		{Forward{"ann", "hi"}, Form{}, "FORWARD ann\nContent-length: 2\n\nhi"},
		{Forward{"ann", " é"}, Form{Spaced: true}, "FORWARD ann\nContent-length: 2\n \n é"},
		{Forward{"ann", "é"}, Form{Bytes: true}, "FORWARD ann\nContent-length: 2\n\né"},
		{Sent{"bob"}, Form{}, "SENT bob\n\n"},
		{Sent{"bob"}, Form{Spaced: true}, "SEND bob\n \n"},
		{Sent{"bob"}, Form{Send: true}, "SEND bob\n\n"},
		{Error{CodeMalformedName}, Form{}, "ERROR 100 Malformed username\n\n"},
		{Error{CodeNotRegistered}, Form{}, "ERROR 101 No user registered\n\n"},
		{Error{CodeUnable}, Form{Spaced: true}, "ERROR 102 Unable to send\n \n"},
		{Error{CodeIncomplete}, Form{}, "ERROR 103 Header incomplete\n\n"},
		{UnknownReply{"WHAT"}, Form{}, "WHAT\n\n"},
	} {
		if got := string(AppendReply([]byte("x"), c.rep, c.form)); got != "x"+c.want {
			t.Errorf("%#v %+v: got %q, want %q", c.rep, c.form, got[1:], c.want)
		}
	}
}
