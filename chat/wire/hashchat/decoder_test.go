package hashchat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// outcome is what a decoder made of a stream: values and errors in order, printed so that they compare.
type outcome []string

// decode feeds the pieces to a Decoder and, with flush, flushes after each of them as a server would after silence.
func decode(d *Decoder, flush bool, pieces ...string) outcome {
	var out outcome
	for _, piece := range pieces {
		d.Feed([]byte(piece))
		out = drain(out, func() (any, bool, error) { return d.Next() })
		if flush && d.Pending() {
			d.Flush()
			out = drain(out, func() (any, bool, error) { return d.Next() })
		}
	}
	return out
}

func drain(out outcome, next func() (any, bool, error)) outcome {
	for {
		v, ok, err := next()
		bad, isSyntax := errors.AsType[*SyntaxError](err)
		switch {
		case isSyntax:
			out = append(out, fmt.Sprintf("error %q want %s", bad.Line, bad.Want))
		case err != nil:
			panic(err)
		case !ok:
			return out
		default:
			out = append(out, fmt.Sprintf("%#v", v))
		}
	}
}

// values prints values the way outcome does.
func values[T any](vs ...T) outcome {
	var out outcome
	for _, v := range vs {
		out = append(out, fmt.Sprintf("%#v", v))
	}
	return out
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
		{"connect", "CONNECT#bob\n", values[Request](Connect{"bob"})},
		{"connect with more behind it", "CONNECT#bob#cat\r\n", values[Request](Connect{"bob"})},
		{"connect with a carriage return before that", "CONNECT#bob\r#cat\n", values[Request](Connect{"bob"})},
		{"connect without a name", "CONNECT#\n", values[Request](Connect{})},
		{"connect without its mark", "CONNECT\n", values[Request](Unknown{"CONNECT"})},
		{"to all", "SEND#*#hi there\n", values[Request](Send{All: true, Text: "hi there"})},
		{"to one", "SEND#bob#hi\n", values[Request](Send{To: []string{"bob"}, Text: "hi"})},
		{"to some", "SEND#bob,cat#hi\n", values[Request](Send{To: []string{"bob", "cat"}, Text: "hi"})},
		{"names that count", "SEND#,bob,,*,bob,Bob, bob,#hi\n", values[Request](Send{To: []string{"bob", "Bob", " bob"}, Text: "hi"})},
		{"to nobody", "SEND##hi\n", values[Request](Send{Text: "hi"})},
		{"to too many", "SEND#" + strings.Join(names, ",") + "#hi\n", values[Request](Send{To: names[:NamesMax], Text: "hi"})},
		{"a text with marks", "SEND#*#a#b##\n", values[Request](Send{All: true, Text: "a#b##"})},
		{"an empty text", "SEND#*#\r\r\n", values[Request](Send{All: true})},
		{"a text with a carriage return inside", "SEND#*#a\rb\r\n", values[Request](Send{All: true, Text: "a\rb"})},
		{"a send without a text", "SEND#*\n", values[Request](Unknown{"SEND#*"})},
		{"close", "CLOSE#\n", values[Request](Close{})},
		{"close without its end", "CLOSE#", values[Request](Close{})},
		{"close with a number", "CLOSE#0\r\nSEND#*#x\n", values[Request](Close{}, Send{All: true, Text: "x"})[:2]},
		{"close without its mark", "CLOSE\n", values[Request](Close{})},
		{"a word that begins like it", "CLOSED#\n", values[Request](Unknown{"CLOSED#"})},
		{"unknown", "HELO x\n", values[Request](Unknown{"HELO x"})},
		{"lower case", "connect#bob\n", values[Request](Unknown{"connect#bob"})},
		{"empty lines", "\n\r\n\nCONNECT#bob\n\n", values[Request](Connect{"bob"})},
		{"several lines", "CONNECT#bob\nSEND#*#a\nSEND#*#b\nCLOSE#", values[Request](Connect{"bob"}, Send{All: true, Text: "a"}, Send{All: true, Text: "b"}, Close{})},
		{"a line that has not ended", "CONNECT#bo", nil},
		{"the longest line", long + "\nCONNECT#bob\n", values[Request](Unknown{long}, Connect{"bob"})},
		{"a longer one", long + "x\nCONNECT#bob\n", append(outcome{fmt.Sprintf("error %q want a line of at most %d bytes", long[:lineShownBytes], LineBytesMax)}, values[Request](Connect{"bob"})...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// Every cut into two pieces, and one byte at a time, gives the same.
			for cut := 0; cut <= len(test.in); cut += 1 + len(test.in)/200 {
				if got := decode(new(Decoder), false, test.in[:cut], test.in[cut:]); !slices.Equal(got, test.want) {
					t.Fatalf("cut at %d: got %.300v, want %.300v", cut, got, test.want)
				}
			}
			if got := decode(new(Decoder), false, strings.Split(test.in, "")...); !slices.Equal(got, test.want) {
				t.Errorf("byte by byte: got %.300v, want %.300v", got, test.want)
			}
		})
	}
}

func TestDecoderFlushesALineWithoutItsEnd(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string // Silence follows each.
		want   outcome
	}{
		{"no ends at all", []string{"CONNECT#bob", "SEND#*#hi", "CLOSE#"}, values[Request](Connect{"bob"}, Send{All: true, Text: "hi"}, Close{})},
		{"the end comes later", []string{"CONNECT#bob", "\nSEND#*#hi", "\n"}, values[Request](Connect{"bob"}, Send{All: true, Text: "hi"})},
		{"never once a line was ended", []string{"CONNECT#bob\n", "SEND#*#h", "i\n"}, values[Request](Connect{"bob"}, Send{All: true, Text: "hi"})},
		{"but a close needs no end", []string{"CONNECT#bob\n", "CLOS", "E#"}, values[Request](Connect{"bob"}, Close{})},
		{"an empty line proves nothing", []string{"\n\r\n", "CONNECT#bob"}, values[Request](Connect{"bob"})},
		{"nothing", []string{"", "\r"}, nil},
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
	want := values[Request](Send{To: []string{"bob"}, Text: "a"}, Send{All: true})
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDecoderKeepsNoBigBuffer(t *testing.T) {
	var d Decoder
	d.Feed([]byte(strings.Repeat("x", LineBytesMax) + "\n"))
	drain(nil, func() (any, bool, error) { return d.Next() })
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
