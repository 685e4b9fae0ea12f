package im

import (
	"errors"
	"fmt"
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

func TestDecoderReadsEveryRequest(t *testing.T) {
	long := strings.Repeat("x", PacketBytesMax)
	const object = "want an object of texts and numbers"
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
		{"private", `[startprivate] {"target": "yoda"}`, values(StartPrivate{"yoda"})},
		{"yes", `[P2P] {"ip": "0.0.0.0", "port": 56311, "origin": "hans", "target": "yoda"}` + "\n\n", values(Accept{"0.0.0.0", 56311, "hans", "yoda"})},
		{"yes at no port", `[P2P] {"ip": "0.0.0.0", "port": 0, "origin": "hans", "target": "yoda"}[P2P] {"ip": "x", "port": 65536}`, outcome{"want a port", "want a port"}},
		{"no", `[P2PDECLINE] {"origin": "hans", "target": "yoda"}` + "\n\n", values(Decline{"hans", "yoda"})},
		{"logout", `[logout] {}`, values(Logout{})},
		{"unknown", `[dance] {"with": {"whom": ["a", {}, [], 1.5e3, null, True]}}`, values(Unknown{"dance"})},
		{"a key twice", `[block] {"block": "a", "block": "b"}[block] {"block": "a", "block": null}`, append(values(Block{"b"}), `want "block"`)},
		{"no key", `[block] {}`, outcome{`want "block"`}},
		{"several", `[whoelse] {}[block] {"block": "a"} [refresh] {}` + "\n" + `[whoelse]{}`, values(WhoElse{}, Block{"a"}, Refresh{}, WhoElse{})},
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
			for cut := 0; cut <= len(test.in); cut += 1 + len(test.in)/2000*300 {
				if got := decode(false, test.in[:cut], test.in[cut:]); !slices.Equal(got, test.want) {
					t.Fatalf("cut at %d: got %.300v, want %.300v", cut, got, test.want)
				}
			}
			if len(test.in) < 2000 {
				if got := decode(false, strings.Split(test.in, "")...); !slices.Equal(got, test.want) {
					t.Errorf("byte by byte: got %.300v, want %.300v", got, test.want)
				}
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

func TestOneSilenceDoesNotEndAnObject(t *testing.T) {
	var d Decoder
	d.Feed([]byte(`[block] {"blo`))
	var out outcome
	for range patience - 1 {
		out = drain(out, &d)
		if !d.Pending() {
			t.Fatal("nothing is pending")
		}
		d.Flush()
	}
	out = drain(out, &d)
	d.Feed([]byte(`ck": "a"}`))
	if out = drain(out, &d); !slices.Equal(out, values(Block{"a"})) {
		t.Errorf("got %v", out)
	}
	if d.Pending() {
		t.Error("something is pending")
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
		`[P2P] {"message": "hans would like to", "origin": "hans"}`:                                            Invite{"hans would like to", "hans"},
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
		`[login] {"user": "hans"}`:                        Login{User: "hans"},
		`[message] {"reciever": "yoda", "message": "hi"}`: Message{"yoda", "hi"},
		`[whoelsesince] {"time": "1000"}`:                 WhoElseSince{1000},
		"[refresh] {}\n":                                  Refresh{},
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
