package hashchat

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
	long := strings.Repeat("x", LineBytesMax)
	names := strings.Split(strings.TrimSuffix(strings.Repeat("ab ", NamesMax+5), " "), " ")
	for i := range names {
		names[i] += fmt.Sprint(i)
	}
	tests := []struct {
		name, in string
		want     outcome
	}{
		{"connect", "CONNECT#bob\n", wiretest.Values[Request](Connect{"bob"})},
		{"connect with more behind it", "CONNECT#bob#cat\r\n", wiretest.Values[Request](Connect{"bob"})},
		{"connect with a carriage return before that", "CONNECT#bob\r#cat\n", wiretest.Values[Request](Connect{"bob"})},
		{"connect without a name", "CONNECT#\n", wiretest.Values[Request](Connect{})},
		{"connect without its mark", "CONNECT\n", wiretest.Values[Request](Unknown{"CONNECT"})},
		{"to all", "SEND#*#hi there\n", wiretest.Values[Request](Send{All: true, Text: "hi there"})},
		{"to one", "SEND#bob#hi\n", wiretest.Values[Request](Send{To: []string{"bob"}, Text: "hi"})},
		{"to some", "SEND#bob,cat#hi\n", wiretest.Values[Request](Send{To: []string{"bob", "cat"}, Text: "hi"})},
		{"names that count", "SEND#,bob,,*,bob,Bob, bob,#hi\n", wiretest.Values[Request](Send{To: []string{"bob", "Bob", " bob"}, Text: "hi"})},
		{"to nobody", "SEND##hi\n", wiretest.Values[Request](Send{Text: "hi"})},
		{"to too many", "SEND#" + strings.Join(names, ",") + "#hi\n", wiretest.Values[Request](Send{To: names[:NamesMax], Text: "hi"})},
		{"a text with marks", "SEND#*#a#b##\n", wiretest.Values[Request](Send{All: true, Text: "a#b##"})},
		{"an empty text", "SEND#*#\r\r\n", wiretest.Values[Request](Send{All: true})},
		{"a text with a carriage return inside", "SEND#*#a\rb\r\n", wiretest.Values[Request](Send{All: true, Text: "a\rb"})},
		{"a send without a text", "SEND#*\n", wiretest.Values[Request](Unknown{"SEND#*"})},
		{"close", "CLOSE#\n", wiretest.Values[Request](Close{})},
		{"close without its end", "CLOSE#", wiretest.Values[Request](Close{})},
		{"close with a number", "CLOSE#0\r\nSEND#*#x\n", wiretest.Values[Request](Close{}, Send{All: true, Text: "x"})[:2]},
		{"close without its mark", "CLOSE\n", wiretest.Values[Request](Close{})},
		{"a word that begins like it", "CLOSED#\n", wiretest.Values[Request](Unknown{"CLOSED#"})},
		{"unknown", "HELO x\n", wiretest.Values[Request](Unknown{"HELO x"})},
		{"lower case", "connect#bob\n", wiretest.Values[Request](Unknown{"connect#bob"})},
		{"empty lines", "\n\r\n\nCONNECT#bob\n\n", wiretest.Values[Request](Connect{"bob"})},
		{"several lines", "CONNECT#bob\nSEND#*#a\nSEND#*#b\nCLOSE#", wiretest.Values[Request](Connect{"bob"}, Send{All: true, Text: "a"}, Send{All: true, Text: "b"}, Close{})},
		{"a line that has not ended", "CONNECT#bo", nil},
		{"the longest line", long + "\nCONNECT#bob\n", wiretest.Values[Request](Unknown{long}, Connect{"bob"})},
		{"a longer one", long + "x\nCONNECT#bob\n", append(outcome{fmt.Sprintf("error %q want a line of at most %d bytes", long[:lineShownBytes], LineBytesMax)}, wiretest.Values[Request](Connect{"bob"})...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wiretest.EveryCut(t, test.in, 200, test.want, func(pieces ...string) outcome { return decode(new(Decoder), false, pieces...) })
		})
	}
}

func TestDecoderFlushesALineWithoutItsEnd(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string // Silence follows each.
		want   outcome
	}{
		{"no ends at all", []string{"CONNECT#bob", "SEND#*#hi", "CLOSE#"}, wiretest.Values[Request](Connect{"bob"}, Send{All: true, Text: "hi"}, Close{})},
		{"the end comes later", []string{"CONNECT#bob", "\nSEND#*#hi", "\n"}, wiretest.Values[Request](Connect{"bob"}, Send{All: true, Text: "hi"})},
		{"never once a line was ended", []string{"CONNECT#bob\n", "SEND#*#h", "i\n"}, wiretest.Values[Request](Connect{"bob"}, Send{All: true, Text: "hi"})},
		{"but a close needs no end", []string{"CONNECT#bob\n", "CLOS", "E#"}, wiretest.Values[Request](Connect{"bob"}, Close{})},
		{"an empty line proves nothing", []string{"\n\r\n", "CONNECT#bob"}, wiretest.Values[Request](Connect{"bob"})},
		{"nothing", []string{"", "\r"}, nil},
		{"the beginning of a request is none", []string{"CON", "NECT", "#", "bob"}, wiretest.Values[Request](Connect{"bob"})},
		{"a name and no text", []string{"S", "END#b", "ob", "#hi", "CLO", "SE"}, wiretest.Values[Request](Send{To: []string{"bob"}, Text: "hi"}, Close{})},
		{"a word that is none", []string{"CONNECTION"}, wiretest.Values[Request](Unknown{"CONNECTION"})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := decode(new(Decoder), true, test.pieces...); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestDecoderCutsTheTextIfAsked(t *testing.T) {
	got := decode(&Decoder{CutText: true}, false, "SEND#bob#a\r#b#c\nSEND#*#\n")
	want := wiretest.Values[Request](Send{To: []string{"bob"}, Text: "a"}, Send{All: true})
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDecoderKeepsNoBigBuffer(t *testing.T) {
	var d Decoder
	decode(&d, false, strings.Repeat("x", LineBytesMax)+"\n")
	if cap(d.l.buf) > bufferKeptBytes {
		t.Errorf("an idle decoder holds %d bytes", cap(d.l.buf))
	}
}

func TestRepliesAreWhatTheyAre(t *testing.T) {
	for want, rep := range map[string]Reply{
		"ONLINE#ann,bob\n":  Online{[]string{"ann", "bob", "ann", "a,b", "a#b", "*", "", "a\nb"}},
		"":                  Online{[]string{"a,b"}},
		"MESSAGE#ann#a b\n": Message{"ann", "a\nb\r\n"},
		"MESSAGE#a,b#x#y\n": Message{"a,b", "x#y"},
		"MESSAGE#ann#\n":    Message{"ann", ""},
		"CLOSE#\n":          Closed{},
		"CLOSE#0\n":         Closed{WhyNormal},
		"CLOSE#1\n":         Closed{WhyIllegal},
		"CLOSE#2\n":         Closed{WhyNoUser},
		"HELLO\n":           UnknownReply{"HELLO"},
	} {
		if got := string(AppendReply([]byte("x"), rep)); got != "x"+want {
			t.Errorf("%#v: got %q, want %q", rep, got[1:], want)
		}
	}
	if got := AppendReply(nil, Message{"a#b", "x"}); got != nil {
		t.Errorf("a sender who cannot be named: got %q", got)
	}
	var many Online
	for i := range 20_000 {
		many.Names = append(many.Names, fmt.Sprint("somebody", i))
	}
	if n := len(AppendReply(nil, many)); n > OnlineBytesMax+10 || n < OnlineBytesMax-100 {
		t.Errorf("a crowd: got %d bytes, want about %d", n, OnlineBytesMax)
	}
}
