package im

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// outcome is what a decoder made of a stream: values and errors in order, printed so that they compare.
type outcome []string

// decode feeds the pieces to a Decoder and, with flush, has silence follow each of them.
func decode(flush bool, pieces ...string) outcome {
	var d Decoder
	var out outcome
	for _, piece := range pieces {
		d.Feed([]byte(piece))
		out = drain(out, &d)
		for i := 0; flush && d.Pending() && i < patience; i++ {
			d.Flush()
			out = drain(out, &d)
		}
	}
	return out
}

func drain(out outcome, d *Decoder) outcome {
	for {
		req, ok, err := d.Next()
		bad, isSyntax := errors.AsType[*SyntaxError](err)
		switch {
		case isSyntax && bad.TooLong:
			out = append(out, "too long")
		case isSyntax:
			out = append(out, "want "+bad.Want)
		case err != nil:
			panic(err)
		case !ok:
			return out
		default:
			out = append(out, fmt.Sprintf("%#v", req))
		}
	}
}

func values(reqs ...Request) outcome {
	var out outcome
	for _, r := range reqs {
		out = append(out, fmt.Sprintf("%#v", r))
	}
	return out
}

// cuts returns where to cut in in two: at every byte of what is short. A packet of PacketBytesMax takes half a millisecond to
// read, ten times that under the race detector, so all its cuts take more than half a minute; but most of them are between two
// of the same letter. It is cut at every byte of its head, of its end and of the limit, and now and then between them.
func cuts(in string) iter.Seq[int] {
	return func(yield func(int) bool) {
		near := func(cut, at, margin int) bool { return at-margin <= cut && cut <= at+margin }
		for cut := 0; cut <= len(in); cut++ {
			if len(in) > 2000 && !near(cut, 0, 32) && !near(cut, PacketBytesMax, 8) && !near(cut, len(in), 24) && cut%8191 != 0 {
				continue
			}
			if !yield(cut) {
				return
			}
		}
	}
}

func TestDecoderReadsEveryRequest(t *testing.T) {
	long := strings.Repeat("x", PacketBytesMax)
	const (
		object = "want an object of texts and numbers"
		size   = "want a size in bytes"
		chunks = "want a number of chunks"
		many   = "want 1 to 64 numbers of chunks"
	)
	sevens := slices.Repeat([]int{7}, ChunksMax)
	for _, test := range []struct {
		name, in string
		want     outcome
	}{
		{"a name", `[login] {"user": "hans"}`, values(Login{User: "hans"})},
		{"a password", `[login] {"user": "hans", "password": "falcon*solo"}`, values(Login{"hans", "falcon*solo", true})},
		{"an empty password", `[login] {"user": "hans", "password": ""}`, values(Login{"hans", "", true})},
		{"as the document has it", `[login] {'username': 'hans'}`, values(Login{User: "hans"})},
		{"registration", `[register] {"username":"yoda","password":"wise@!man"}`, values(Register{"yoda", "wise@!man"})},
		{"a message", `[message] {"reciever": "yoda", "message": "hi {there} ] [x] \"q\" 'r' \\"}`, values(Message{"yoda", `hi {there} ] [x] "q" 'r' \`})},
		{"spelt rightly", `[message] {"receiver": "yoda", "message": ""}`, values(Message{"yoda", ""})},
		{"a text beyond ASCII", `[broadcast] {"message": "\u00fc \ud83d\ude00 \ud83d é"}`, values(Broadcast{"ü 😀 \ufffd é"})},
		{"escapes", `[broadcast] {"message": "a\nb\tc\/d\qe\u12"}`, values(Broadcast{"a\nb\tc/dqeu12"})},
		{"whoelse", `[whoelse] {}`, values(WhoElse{})},
		{"whoelse without an object", "[whoelse]\n[whoelse]\r\n[whoelse][refresh] {}\n", values(WhoElse{}, WhoElse{}, WhoElse{}, Refresh{})},
		{"since", `[whoelsesince] {"time": "1000"}`, values(WhoElseSince{1000})},
		{"since as a number", `[whoelsesince] {"time": 15}`, values(WhoElseSince{15})},
		{"since what", `[whoelsesince] {"time": ""}[whoelsesince] {"time": "-1"}[whoelsesince] {}`, outcome{"want a number of seconds", "want a number of seconds", `want "time"`}},
		{"block", `[block] {"block": "hans"}[unblock] {"unblock": "hans"}`, values(Block{"hans"}, Unblock{"hans"})},
		{"block by another key", `[block] {"username": "hans"}[unblock] {"user": "hans"}`, values(Block{"hans"}, Unblock{"hans"})},
		{"private", `[startprivate] {"target": "yoda"}`, values(StartPrivate{Target: "yoda"})},
		{"private for a file", `[startprivate] {"target": "yoda", "filename": "a b.mkv"}[startprivate] {'username': 'yoda', 'file': 7}`, values(StartPrivate{"yoda", "a b.mkv"}, StartPrivate{"yoda", "7"})},
		{"a file", `[register] {"filename": "a b.mkv", "size": 20480, "chunks": 10}`, values(RegisterFile{"a b.mkv", 20480, 10, nil})},
		{"a file, spelt otherwise", `[register] {'file':'x','size':'0','chunks':' 1 '}`, values(RegisterFile{"x", 0, 1, nil})},
		{"some of a file", `[register] {"filename": "x", "size": 9, "chunks": 3, "chunk": [1, 3]}`, values(RegisterFile{"x", 9, 3, []int{1, 3}})},
		{"a chunk of a file", `[register] {"filename": "x", "chunk": 2}[register] {"filename": "x", "chunk": "2"}[register] {"filename": "x", "chunk": ["2", 3]}`, values(RegisterFile{"x", 0, 0, []int{2}}, RegisterFile{"x", 0, 0, []int{2}}, RegisterFile{"x", 0, 0, []int{2, 3}})},
		{"numbers no file has", `[register] {"filename": "", "size": 1, "chunks": 99, "chunk": [0, -1, 99, 99]}`, values(RegisterFile{"", 1, 99, []int{0, -1, 99, 99}})},
		{"a file without all that is needed", `[register] {"filename": "x"}[register] {"filename": "x", "size": 1}[register] {"filename": "x", "chunks": 1}[register] {"filename": "x", "size": 1, "chunk": 1}[register] {"filename": "x", "chunks": 1, "chunk": 1}`, outcome{size, chunks, size, chunks, size}},
		{"a file of no size", `[register] {"filename": "x", "size": -1, "chunks": 1}[register] {"filename": "x", "size": [1], "chunks": 1}[register] {"filename": "x", "size": 1.5, "chunks": 1}[register] {"filename": "x", "size": 99999999999999999999, "chunks": 1}`, outcome{size, size, size, size}},
		{"a file of no chunks", `[register] {"filename": "x", "size": 1, "chunks": 0}[register] {"filename": "x", "size": 1, "chunks": "ten"}[register] {"filename": "x", "size": 1, "chunks": [10]}`, outcome{chunks, chunks, chunks}},
		{"no numbers of chunks", `[register] {"filename": "x", "chunk": ""}[register] {"filename": "x", "chunk": []}[register] {"filename": "x", "chunk": "1-3"}[searchChunk] {"filename": "x", "chunk": "1,,2"}[searchChunk] {"filename": "x", "chunk": [1, [2]]}[searchChunk] {"filename": "x"}[searchChunk] {"filename": "x", "chunk": null}`, outcome{"want numbers of chunks", many, "want numbers of chunks", "want numbers of chunks", `want "chunk"`, `want "chunk"`, `want "chunk"`}},
		{"as many numbers as there may be", `[searchChunk] {"filename": "x", "chunk": [` + strings.Repeat("7,", ChunksMax-1) + `7]}[searchChunk] {"filename": "x", "chunk": "` + strings.Repeat("7,", ChunksMax-1) + `7"}`, values(SearchChunk{"x", sevens}, SearchChunk{"x", sevens})},
		{"more", `[searchChunk] {"filename": "x", "chunk": [` + strings.Repeat("7,", ChunksMax) + `7]}[searchChunk] {"filename": "x", "chunk": "` + strings.Repeat("7,", ChunksMax) + `7"}`, outcome{`want "chunk"`, many}},
		{"searching", `[searchFile] {"filename": "x"}[searchfile] {"file": "x"}[searchChunk] {"filename": "x", "chunk": [1, 2]}[searchchunk] {"filename": "x", "chunks": "1, 2"}`, values(SearchFile{"x"}, SearchFile{"x"}, SearchChunk{"x", []int{1, 2}}, SearchChunk{"x", []int{1, 2}})},
		{"searching for nothing", `[searchFile] {}[searchFile] {"filename": ["x"]}[searchChunk] {"chunk": 1}`, outcome{`want "filename"`, `want "filename"`, `want "filename"`}},
		{"a list is no text", `[block] {"block": ["a"]}[whoelse] {}`, outcome{`want "block"`, "im.WhoElse{}"}},
		{"yes", `[P2P] {"ip": "0.0.0.0", "port": 56311, "origin": "hans", "target": "yoda"}` + "\n\n", values(Accept{"0.0.0.0", 56311, "hans", "yoda"})},
		{"yes at no port", `[P2P] {"ip": "0.0.0.0", "port": 0, "origin": "hans", "target": "yoda"}[P2P] {"ip": "x", "port": 65536}`, outcome{"want a port", "want a port"}},
		{"no", `[P2PDECLINE] {"origin": "hans", "target": "yoda"}` + "\n\n", values(Decline{"hans", "yoda"})},
		{"logout", `[logout] {}`, values(Logout{})},
		{"unknown", `[dance] {"with": {"whom": ["a", {}, [], 1.5e3, null, True]}}`, values(Unknown{"dance"})},
		{"a key twice", `[block] {"block": "a", "block": "b"}[block] {"block": "a", "block": null}`, append(values(Block{"b"}), `want "block"`)},
		{"no key", `[block] {}`, outcome{`want "block"`}},
		{"several", `[whoelse] {}[block] {"block": "a"} [refresh] {}` + "\n" + `[whoelse]{}`, values(WhoElse{}, Block{"a"}, Refresh{}, WhoElse{})},
		{"much garbage", strings.Repeat("x", 5*garbageBytesMax) + "[" + strings.Repeat("y", 5*garbageBytesMax) + "\n[whoelse] {}", outcome{"want [route] {…}", "want [route] {…}", "im.WhoElse{}"}},
		{"garbage", "hello\n[whoelse] {}xyz[whoelse] {}\x00\xff\n", outcome{"want [route] {…}", "im.WhoElse{}", "want [route] {…}", "im.WhoElse{}", "want [route] {…}"}},
		{"no route", `[] {}[a b] {}[` + strings.Repeat("r", 33) + `] {}[whoelse] {}`, outcome{"want [route] {…}", "want [route] {…}", "want [route] {…}", "im.WhoElse{}"}},
		{"a text instead of an object", "[whoelse] now\n[whoelse] {}", outcome{"want [route] {…}", "im.WhoElse{}"}},
		{"broken objects", `[block] {"block" "a"}[block] {block: "a"}[block] {"a": }[block] {"a": 1,}[block] {"a": nothing}[whoelse] {}`, outcome{object, object, object, object, object, "im.WhoElse{}"}},
		{"a quote that is not closed", `[block] {"block": "a}` + "\n" + `[whoelse] {}`, outcome{"want a text that ends in its line", "im.WhoElse{}"}},
		{"a deep object", `[x] ` + strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20) + `[whoelse] {}`, outcome{object, "im.WhoElse{}"}},
		{"a wide object", `[x] {` + strings.Repeat(`"a":1,`, 40) + `"a":1}[whoelse] {}`, outcome{object, "im.WhoElse{}"}},
		{"the longest packet", `[broadcast] {"message": "` + long[:PacketBytesMax-27] + `"}`, values(Broadcast{long[:PacketBytesMax-27]})},
		{"a longer one", `[broadcast] {"message": "` + long[:PacketBytesMax-26] + `"}[whoelse] {}`, outcome{"too long", "im.WhoElse{}"}},
		{"a much longer one", `[broadcast] {"message": "` + strings.Repeat(long, 3) + `"}[whoelse] {}`, outcome{"too long", "im.WhoElse{}"}},
		{"one that has not ended", `[whoelse] {`, nil},
		{"a route that has not ended", `[whoel`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Every cut into two pieces, and one byte at a time, gives the same.
			for cut := range cuts(test.in) {
				if got := decode(false, test.in[:cut], test.in[cut:]); !slices.Equal(got, test.want) {
					t.Fatalf("cut at %d: got %.300v, want %.300v", cut, got, test.want)
				}
			}
			if got := decode(false, strings.Split(test.in, "")...); !slices.Equal(got, test.want) {
				t.Errorf("byte by byte: got %.300v, want %.300v", got, test.want)
			}
		})
	}
}

func TestSilenceEndsWhatHasNoObject(t *testing.T) {
	for _, test := range []struct {
		name   string
		pieces []string
		want   outcome
	}{
		{"a route alone", []string{"[whoelse]", "[logout] "}, values(WhoElse{}, Logout{})},
		{"garbage", []string{"hello", "[whoelse] {}"}, outcome{"want [route] {…}", "im.WhoElse{}"}},
		{"half a route", []string{"[whoel", "[whoelse] {}"}, outcome{"want [route] {…}", "im.WhoElse{}"}},
		{"half an object, in the end", []string{`[message] {"reciever": "a}`, "[whoelse] {}"}, outcome{"want an object that ends", "im.WhoElse{}"}},
		{"a huge one without an end, in the end", []string{`[x] {"` + strings.Repeat("y", PacketBytesMax), "", "[whoelse] {}"}, outcome{"too long", "im.WhoElse{}"}},
		{"nothing", []string{"", "\n\n", " "}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := decode(true, test.pieces...); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestOneSilenceDoesNotEndWhatHasBegun(t *testing.T) {
	for _, begun := range []string{"[", "[blo", "[block]", "[block] ", `[block] {`, `[block] {"blo`, `[block] {"block": "a"`} {
		testSilenceWithin(t, begun, strings.TrimPrefix(`[block] {"block": "a"}`, begun))
	}
}

func testSilenceWithin(t *testing.T, begun, rest string) {
	var d Decoder
	d.Feed([]byte(begun))
	var out outcome
	for range patience - 1 {
		out = drain(out, &d)
		if !d.Pending() {
			t.Fatalf("%q: nothing is pending", begun)
		}
		d.Flush()
	}
	out = drain(out, &d)
	d.Feed([]byte(rest))
	if out = drain(out, &d); !slices.Equal(out, values(Block{"a"})) {
		t.Errorf("%q and %q: got %v", begun, rest, out)
	}
	if d.Pending() {
		t.Errorf("%q and %q: something is pending", begun, rest)
	}
}

func TestDecoderKeepsNoBigBuffer(t *testing.T) {
	var d Decoder
	d.Feed([]byte(`[broadcast] {"message": "` + strings.Repeat("x", PacketBytesMax/2) + `"}`))
	drain(nil, &d)
	if cap(d.buf) > bufferKeptBytes {
		t.Errorf("an idle decoder holds %d bytes", cap(d.buf))
	}
}

// TestPacketsAreThoseOfTheProtocolsProgram has what was recorded of it.
func TestPacketsAreThoseOfTheProtocolsProgram(t *testing.T) {
	for want, rep := range map[string]Reply{
		"[200] success":               Text{OK, "success"},
		"[200] ":                      Text{OK, ""},
		"[200] yoda\nluke\n":          Text{OK, "yoda\nluke\n"},
		"[400] User not found":        Text{Refused, "User not found"},
		"[401] Invalid Credentials\n": Text{Wrong, "Invalid Credentials\n"},
		"[403] User already online\n": Text{Shut, "User already online\n"},
		"[FIN] Your client has been closed due to inactivity":                                                  Fin{"Your client has been closed due to inactivity"},
		`[P2P] {"message": "hans would like to", "origin": "hans"}`:                                            Invite{"hans would like to", "hans", ""},
		`[P2P] {"message": "hans would like to", "origin": "hans", "filename": "a b.mkv"}`:                     Invite{"hans would like to", "hans", "a b.mkv"},
		`[P2PCONN] {"ip": "127.0.0.1", "port": 56311, "origin": "hans", "target": "yo\u00fc\"\\\ud83d\ude00"}`: Connect{"127.0.0.1", 56311, "hans", "yoü\"\\😀"},
	} {
		got := AppendReply([]byte("x"), rep)[1:]
		if string(got) != want {
			t.Errorf("%#v: got %q, want %q", rep, got, want)
		}
		if again, err := ParseReply(got); err != nil || again != rep {
			t.Errorf("%q: read as %#v, %v", got, again, err)
		}
	}
	for want, req := range map[string]Request{
		`[login] {"user": "hans"}`:                                                            Login{User: "hans"},
		`[message] {"reciever": "yoda", "message": "hi"}`:                                     Message{"yoda", "hi"},
		`[whoelsesince] {"time": "1000"}`:                                                     WhoElseSince{1000},
		"[refresh] {}\n":                                                                      Refresh{},
		`[startprivate] {"target": "yoda"}`:                                                   StartPrivate{Target: "yoda"},
		`[startprivate] {"target": "yoda", "filename": "a b.mkv"}`:                            StartPrivate{"yoda", "a b.mkv"},
		`[register] {"filename": "a b.mkv", "size": 20480, "chunks": 10}`:                     RegisterFile{"a b.mkv", 20480, 10, nil},
		`[register] {"filename": "x", "size": 20480, "chunks": 10, "chunk": [1, 3]}`:          RegisterFile{"x", 20480, 10, []int{1, 3}},
		`[register] {"filename": "x", "chunk": [3]}`:                                          RegisterFile{"x", 0, 0, []int{3}},
		`[searchFile] {"filename": "x"}`:                                                      SearchFile{"x"},
		`[searchChunk] {"filename": "x", "chunk": [1, 3]}`:                                    SearchChunk{"x", []int{1, 3}},
		`[P2P] {"ip": "0.0.0.0", "port": 56311, "origin": "hans", "target": "yoda"}` + "\n\n": Accept{"0.0.0.0", 56311, "hans", "yoda"},
		`[P2PDECLINE] {"origin": "hans", "target": "yoda"}` + "\n\n":                          Decline{"hans", "yoda"},
	} {
		if got := string(AppendRequest(nil, req)); got != want {
			t.Errorf("%#v: got %q, want %q", req, got, want)
		}
	}
	for _, packet := range []string{"", "x", "[200", "[20] x", "[dance] x", "[P2P] x", `[P2PCONN] {"port": "x"}`} {
		if rep, err := ParseReply([]byte(packet)); err == nil {
			t.Errorf("%q: read as %#v", packet, rep)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, text := range []string{"", "a\n", strings.Repeat("x", 1018), strings.Repeat("x", 5000), strings.Repeat("some lines\n", 500), strings.Repeat("ü", 3000), strings.Repeat("\x80", 3000)} {
		parts := Split(text)
		for _, part := range parts {
			if n := len(AppendReply(nil, Text{OK, part})); n > ReplyBytesMax {
				t.Errorf("%.20q…: a packet of %d bytes", text, n)
			}
			if strings.HasPrefix(text, "ü") && strings.Trim(part, "ü") != "" {
				t.Errorf("cut inside a character: %.20q", part)
			}
			if strings.HasPrefix(text, "some") && !strings.HasPrefix(part, "some") {
				t.Errorf("cut inside a line: %.20q", part)
			}
		}
		if strings.Join(parts, "") != text {
			t.Errorf("%.20q…: parts are not the whole", text)
		}
	}
}

// A search is answered with words that the course has named, and what a program needs.
func TestFound(t *testing.T) {
	for want, found := range map[string]Found{
		"Not available\n": {},
		"Available\n20480 bytes, 10 chunks, 2 users\nhans: 1,2,10\nyoda: the second: 3\n": {{20480, 10, []Holder{
			{"hans", []int{1, 2, 10}}, {"yoda: the second", []int{3}},
		}}},
		"Available, 2 files\n20480 bytes, 2 chunks, 1 users\nhans: 1\n20481 bytes, 2 chunks, 1 users\nyoda: 2\n": {
			{20480, 2, []Holder{{"hans", []int{1}}}}, {20481, 2, []Holder{{"yoda", []int{2}}}},
		},
	} {
		if got := found.Text(); got != want {
			t.Errorf("%+v: got %q, want %q", found, got, want)
		}
		if got, ok := ParseFound(want + "luke: hi\n"); !ok || !reflect.DeepEqual(got, found) {
			t.Errorf("%q: read as %+v, %v", want, got, ok)
		}
	}
	for _, text := range []string{
		"", "hans: hi\n", "Available\n", "Available\n1 bytes, 1 chunks, 1 users\n", "Available\n1 bytes, 1 chunks, 1 users\na: 1",
		"Available\n1 bytes, 1 chunks, 1 users\na 1\n", "Available\n1 bytes, 1 chunks, 1 users\na: 2\n", "Available\n1 bytes, 1 chunks, 1 users\na: \n",
		"Available\n-1 bytes, 1 chunks, 0 users\n", "Available\n1 bytes, 0 chunks, 0 users\n", "Available\n1 bytes, 65 chunks, 0 users\n",
		"Available\n1 bytes, 2 chunks, 1 users\na: 1,1\n", "Available\n1 bytes, 2 chunks, 999999999 users\na: 1\n",
		"Available, 1 files\n1 bytes, 1 chunks, 0 users\n", "Available, 2 files\n1 bytes, 1 chunks, 0 users\n", "Not available",
	} {
		if got, ok := ParseFound(text); ok {
			t.Errorf("%q: read as %+v", text, got)
		}
	}
}
