package jsonchat

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/jsonchat"
)

// letter returns a message with content in the form clients give it.
func letter(from, to int64, text string, at int64) wire.Message {
	sum := wire.MessageMD5([]byte(text), from, to, at)
	return wire.Message{
		UserID: from, TargetID: to, ContentType: wire.Plaintext, Content: wrap([]byte(text), 1), Timestamp: at, MD5: &sum,
	}
}

// parcel returns a message with a file, which is to be sent with it.
func parcel(from, to int64, name, file string, at int64) wire.Message {
	m, sum := letter(from, to, name, at), md5Hex(file)
	m.ContentType, m.FileMD5 = wire.File, &sum
	return m
}

func TestMatchKnowsTheFirstBytes(t *testing.T) {
	f := new(Front)
	frame := wire.AppendFrame(nil, wire.Long, []byte(`{"request":"STATE"}`), 0)
	for prefix, want := range map[string]front.Match{
		string(frame): front.Yes, string(frame[:13]): front.Yes, string(frame[:12]): front.More, string(frame[:4]): front.More, "\x13": front.More,
		string(wire.AppendFrame(nil, wire.Short, []byte(`{"request":"STATE"}`), 0)[:9]): front.Yes,
		"HELO": front.No, "x\n": front.No, "\x16\x03\x01\x02\x00\x01": front.No, "[login]": front.No, "UC1\n": front.No, "CONNECT#": front.No,
	} {
		if got := f.Match([]byte(prefix)); got != want {
			t.Errorf("%q: got %v, want %v", prefix, got, want)
		}
	}
}

func TestPlainDatagramsAreRefused(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		c := w.openWith("a", session.Config{Transport: session.TransportPlain})
		if c.heard(); !c.closed || !strings.Contains(w.ended[0], "plain") {
			t.Errorf("got ends %q, want a refusal", w.ended)
		}
	})
}

// TestEveryRefusalHasWords goes through the codes of the core and of accounts by their names, so that a new one is not
// forgotten.
func TestEveryRefusalHasWords(t *testing.T) {
	f := &Front{}
	n := 0
	for code := chat.Code(1); !strings.HasPrefix(code.String(), "Code("); code++ {
		n++
		if got := ofCore(&chat.Error{Code: code}); !strings.HasPrefix(string(got), "Exception: ") {
			t.Errorf("%v: got %q, want words", code, got)
		}
	}
	for code := account.Code(1); code.String() != "invalid"; code++ {
		n++
		if got := f.explain(fmt.Errorf("somewhere: %w", &account.Error{Code: code})); !strings.HasPrefix(got, "Exception: ") || strings.Contains(got, "reference") {
			t.Errorf("%v: got %q, want words", code, got)
		}
	}
	if n < 30 {
		t.Errorf("got %d codes, want them all", n)
	}
}

// TestUnforeseenErrorsAreLoggedOnce: the client gets a reference into the log and nothing else.
func TestUnforeseenErrorsAreLoggedOnce(t *testing.T) {
	engine := &brokenEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		a := w.join("ann")
		engine.fail.Store(true)
		res := a.do(wire.SendMsg{Message: letter(1, 1, "note", 1)}, "")
		m := regexp.MustCompile(`^Exception: Internal error, reference ([0-9A-F]{4})$`).FindStringSubmatch(res.Err)
		if m == nil || strings.Count(w.log.String(), "ref="+m[1]) != 1 || strings.Contains(res.Err, "broken") {
			t.Errorf("got %q and log %q", res.Err, w.log.String())
		}
		engine.fail.Store(false)
		if res := a.do(wire.State{}, ""); res.Err != "" {
			t.Errorf("after it: got %q, want a working connection", res.Err)
		}
	})
}

// TestConversationByteByByte: a conversation in one segment and the same in segments of one byte get the same answers, in
// both forms.
func TestConversationByteByByte(t *testing.T) {
	for _, form := range []wire.Form{wire.Long, wire.Short} {
		var in string
		for _, step := range []struct {
			req  wire.Request
			file string
		}{
			{wire.Register{Identity: identity("ann")}, ""}, {wire.SendMsg{Message: letter(1, 1, "note", 5)}, ""},
			{wire.SendMsg{Message: parcel(1, 1, "a.txt", "file content", 6)}, "file content"}, {wire.Unknown{Request: "DANCE"}, ""},
			{wire.FetchFile{MsgMD5: *parcel(1, 1, "a.txt", "", 6).MD5}, ""}, {wire.State{}, "skipped"}, {wire.Logout{}, ""},
		} {
			in += string(wire.AppendFrame(nil, form, wire.AppendRequest(nil, step.req, 0), int64(len(step.file)))) + step.file
		}
		var got [2][]string
		for i, size := range []int{len(in), 1} {
			inWorld(t, Config{}, func(w *world) {
				c := w.open("a")
				for rest := in; rest != ""; rest = rest[size:] {
					c.Send(rest[:size])
				}
				for _, text := range c.heard() {
					got[i] = append(got[i], strings.ReplaceAll(text, fmt.Sprint(c.token), "N"))
				}
			})
		}
		if !slices.Equal(got[0], got[1]) || len(got[0]) != 16 {
			t.Errorf("form %d: got %d answers %q whole and %q byte by byte", form, len(got[0]), got[0], got[1])
		}
	}
}

// TestWhoMayDoWhat asks everything as everybody: somebody without a log-in, a user, and one whose other end has blocked it.
func TestWhoMayDoWhat(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		nobody, ann, bob, eve := w.open("nobody"), w.join("ann"), w.join("bob"), w.join("eve")
		if err := w.accounts.Block(w.ctx, "bob", "eve"); err != nil {
			t.Fatal(err)
		}
		file := parcel(1, 2, "a.txt", "file content", 1)
		if res := ann.do(wire.SendMsg{Message: file}, "file content"); res.Err != "" {
			t.Fatal(res.Err)
		}
		const out, theirs = "Exception: User not logged in", "Exception: Your message could not be delivered as the recipient has blocked you"
		newPasswd := md5Hex("new")
		for _, test := range []struct {
			name  string
			req   func(me int64) wire.Request
			wants [4]string // Of nobody, ann, bob, and eve.
		}{
			{"state", func(int64) wire.Request { return wire.State{} }, [4]string{out}},
			{"logout", func(me int64) wire.Request { return wire.FetchContact{} }, [4]string{out}},
			{"profile", func(int64) wire.Request { return wire.Profile{UserID: 2} }, [4]string{}},
			{"search", func(int64) wire.Request { return wire.SearchUsr{Username: wrap([]byte("bob"), 1)} }, [4]string{}},
			{"fetch", func(int64) wire.Request { return wire.FetchMsg{} }, [4]string{out}},
			{"find", func(int64) wire.Request { return wire.FindFile{FileMD5: *file.FileMD5} }, [4]string{"File not found", "", "", "File not found"}},
			{"fetch file", func(int64) wire.Request { return wire.FetchFile{MsgMD5: *file.MD5} }, [4]string{"Exception: File not found", "", "", "Exception: File not found"}},
			{"say", func(me int64) wire.Request { return wire.SendMsg{Message: letter(me, 2, "hi", me)} }, [4]string{out, "", "", theirs}},
			{"say as ann", func(int64) wire.Request { return wire.SendMsg{Message: letter(1, 2, "hi", 9)} }, [4]string{out, "", out, out}},
			{"say with a file", func(me int64) wire.Request { return wire.SendMsg{Message: parcel(me, 2, "b.txt", "file content", me)} }, [4]string{out, "", "", "Exception: Missing file parts"}},
			{"add", func(int64) wire.Request { return wire.AddContact{UserID: 2} }, [4]string{out, "", "", ""}},
			{"profile changes", func(int64) wire.Request {
				return wire.ModifyProfile{UserInfo: wire.UserInfo{UserID: 1, Username: wrap([]byte("ann"), 1)}}
			}, [4]string{
				out, "", "Exception: [Database failure, Username already exists]", "Exception: [Database failure, Username already exists]",
			}},
			{"password of ann", func(int64) wire.Request {
				return wire.ModifyPasswd{Identity: wire.Identity{Username: wrap([]byte("ann"), 1), Passwd: md5Hex("ann"), NewPasswd: &newPasswd}}
			}, [4]string{out, "", "Exception: Wrong password", "Exception: Wrong password"}},
		} {
			for i, c := range []*client{nobody, ann, bob, eve} {
				res := c.do(test.req(int64(i)), "")
				if test.name == "add" && c == bob && res.Err == "" {
					continue // FETCHCONTACT has come behind it.
				}
				if res.Err != test.wants[i] && !(test.name == "add" && res.Name == "FETCHCONTACT") {
					t.Errorf("%s as %s: got %q, want %q", test.name, c.Name, res.Err, test.wants[i])
				}
			}
		}
	})
}

// TestTokensThatAreNotOurs: a number is ours only if we have made it, and somebody else's server has another key.
func TestTokensThatAreNotOurs(t *testing.T) {
	ts, err := newTokens(t.Context(), memory.New(memory.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	others, err := newTokens(t.Context(), memory.New(memory.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	same, err := newTokens(t.Context(), ts.engine)
	if err != nil {
		t.Fatal(err)
	}
	seen, foreign, beside := make(map[token]bool), 0, 0
	for range 2000 {
		n := ts.fresh()
		if n < tokenBase || n >= 2*tokenBase || !ts.ours(int64(n)) || !same.ours(int64(n)) || seen[n] {
			t.Fatalf("fresh number %d: not ours, out of range, or twice", n)
		}
		seen[n] = true
		if others.ours(int64(n)) {
			foreign++
		}
		if ts.ours(int64(n) + 1) {
			beside++
		}
	}
	if foreign > 10 || beside > 10 { // One in 4,096 is.
		t.Errorf("of 2000 numbers %d are ours with another key, and %d of their neighbours", foreign, beside)
	}
	for _, n := range []int64{0, 1, 7, tokenBase - 1, 2 * tokenBase, -1 << 63, 1<<63 - 1} {
		if ts.ours(n) {
			t.Errorf("%d is ours", n)
		}
	}
}

func TestSealedLoginNeedsTheNumber(t *testing.T) {
	ts, err := newTokens(t.Context(), memory.New(memory.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	a, b := ts.fresh(), ts.fresh()
	sealed := ts.seal(a, "secret")
	if got := ts.unseal(a, sealed); got != "secret" {
		t.Errorf("with its number: got %q", got)
	}
	for name, got := range map[string]string{
		"another number": ts.unseal(b, sealed), "cut": ts.unseal(a, sealed[:20]), "very short": ts.unseal(a, sealed[:3]), "nothing": ts.unseal(a, nil),
	} {
		if got != "" {
			t.Errorf("with %s: got %q, want nothing", name, got)
		}
	}
	if ts.hash(a) == ts.hash(b) || strings.Contains(ts.hash(a), fmt.Sprint(a)) {
		t.Error("the hashes do not tell tokens apart, or tell too much")
	}
}

func TestNamesThatOnlyLookLikeBase64AreTakenAsTheyAre(t *testing.T) {
	for username, want := range map[string]string{
		"QW5u": "Ann", "w6nDqA==": "éè", "Ann": "Ann", "hans": "hans", "user": "user", "GWEN": "GWEN", "AAAA": "AAAA", "YSBi": "a b",
	} {
		if got := nameOf(username); got != want {
			t.Errorf("nameOf(%q) = %q, want %q", username, got, want)
		}
	}
}

func TestContentSurvivesWrapping(t *testing.T) {
	for _, content := range []string{
		"", "aGk=", "aGk", "hi", "plain words", "aVZCT1J3MEs=", "YQ==\n", "YR==", "////", "naïve", strings.Repeat("QUJD", 5000),
	} {
		for most := range 4 {
			if data, layers := unwrap(content, most); wrap(data, layers) != content || layers > most {
				t.Errorf("%.20q, at most %d layers: got %.20q in %d", content, most, data, layers)
			}
		}
		if text, layers := unwrapText(content); wrap([]byte(text), layers) != content {
			t.Errorf("%.20q as text: got %.20q in %d", content, text, layers)
		}
	}
}

func TestTagIsReadAsWritten(t *testing.T) {
	for _, want := range []tag{
		{timestamp: 1666500000000, md5: md5Hex("x"), layers: 1}, {timestamp: -1 << 63, md5: "~", layers: 2, image: true}, {md5: strings.Repeat("x", md5BytesMax)},
	} {
		if got, ok := parseTag(want.String()); !ok || got != want || len(want.String()) > 127 {
			t.Errorf("%+v as %q: got %+v, %v", want, want.String(), got, ok)
		}
	}
	for _, text := range []string{"", "native 1", "jsonchat message 1", "jsonchat message x 1 y", "jsonchat message 9 1 y", "jsonchat message 1 1 y z"} {
		if got, ok := parseTag(text); ok {
			t.Errorf("%q: got %+v, want none", text, got)
		}
	}
}

func TestCursorsOfATokenAreBounded(t *testing.T) {
	var r tokenRecord
	for user := range uint64(2 * cursorsMax) {
		r.setCursor(user, int64(user))
	}
	r.setCursor(cursorsMax, 7)
	if len(r.Cursors) != cursorsMax || r.cursor(cursorsMax) != 7 || r.cursor(2*cursorsMax-1) != 2*cursorsMax-1 || r.cursor(0) != 0 {
		t.Errorf("got %v", r.Cursors)
	}
}
