package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/reliable"
)

func TestShowSaid(t *testing.T) {
	at := time.Date(2026, 11, 21, 15, 4, 0, 0, time.Local)
	bob := client.Origin{Log: "lobby", Account: "bob", Time: at}
	past, direct, evil := bob, bob, bob
	past.Past = true
	direct.Log, direct.Peer = "dm/ann/bob", "bob"
	evil.Log, evil.Show = "a] \"x\x1b[2J", "*\u202e"
	for _, tt := range []struct {
		ev          client.Said
		took        time.Duration
		interactive bool
		want        string
	}{
		{client.Said{Origin: bob, Text: "hi\nthere\x1b[2J"}, 0, false, "[lobby] bob: hi⏎there"},
		{client.Said{Origin: bob, Text: "hi"}, 0, true, "[lobby] bob: hi"},
		{client.Said{Origin: bob, Text: "hi"}, 103500 * time.Microsecond, true, "[lobby] bob: hi  (stored, 103.5 ms)"},
		{client.Said{Origin: bob, Text: "hi"}, time.Second, false, "[lobby] bob: hi"},
		{client.Said{Origin: past, Text: "hi"}, 0, true, "Nov 21 15:04 [lobby] bob: hi"},
		{client.Said{Origin: past, Text: "hi"}, 0, false, "[lobby] bob: hi"},
		{client.Said{Origin: direct, Text: "hi"}, 0, false, "[@bob] bob: hi"},
		{client.Said{Origin: evil, Text: "hi"}, 0, false, `["a] 'x"] "*": hi`},
		{client.Said{Origin: bob, File: &client.File{Name: "../a\x1b]0;x\x07.txt", Size: 1500}}, 0, false, "[lobby] bob: * file 7: ../a.txt, 1.5 kB"},
	} {
		if got := showSaid(tt.ev, 7, tt.took, tt.interactive); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.ev, got, tt.want)
		}
	}
}

func TestShowTopic(t *testing.T) {
	bob := client.Origin{Log: "lobby", Account: "bob"}
	for text, want := range map[string]string{
		"tea\x1b[2J": "* [lobby] bob has set the topic: tea",
		"":           "* [lobby] bob has removed the topic.",
	} {
		if got := showTopic(client.Topic{Origin: bob, Text: text}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestShowPerson(t *testing.T) {
	for _, tt := range []struct {
		p    client.Person
		want string
	}{
		{client.Person{Account: "bob", State: native.StateOnline}, "* bob online"},
		{client.Person{Account: "bob", Show: "Bob\x1b[1m", State: native.StateAway, Contact: native.ContactMine}, "* Bob away, your contact"},
		{client.Person{Account: "bob", Contact: native.ContactTheirs}, "* bob wants to be your contact"},
		{client.Person{Account: "bob", Contact: native.ContactMine | native.ContactTheirs}, "* bob offline, contacts of each other"},
		{client.Person{Show: "old"}, "* old (a visitor without an account)"},
	} {
		if got := showPerson(tt.p, false); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.p, got, tt.want)
		}
	}
}

// A script sees all it has said before it ends, whatever else of its own is shown to it: of the run before, or of a file.
func TestAllThatWasSaidIsShownBeforeTheEnd(t *testing.T) {
	e, lobby := newEnds(), []client.Conversation{{Log: "lobby"}}
	event := func(seq uint64) client.Origin { return client.Origin{Log: "lobby", Seq: seq, Here: true} }
	want := func(what string, all bool) {
		t.Helper()
		if got := e.allShown(lobby); got != all {
			t.Errorf("%s: all shown: %v, want %v", what, got, all)
		}
	}
	want("nothing said", true)
	e.shown(event(3)) // Of the run before.
	e.shown(event(4))
	e.came("lobby", client.Status{State: client.Stored, Seq: 5})
	want("the run before shown", false)
	e.shown(event(5))
	want("it shown", true)
	e.came("kiosk", client.Status{State: client.Stored, Seq: 8})
	want("said where we are no longer", true)
	e.shown(event(6)) // Before we know that it is stored.
	e.came("lobby", client.Status{State: client.Stored, Seq: 6})
	want("shown before", true)
	e.came("lobby", client.Status{State: client.Delivered})
	want("the other has it directly", false)
	e.shown(client.Origin{Log: "lobby", Here: true, Direct: true})
	want("shown, too", true)
	e.came("lobby", client.Status{State: client.Failed})
	e.fail()
	if got := e.failures(); got != 2 {
		t.Errorf("%d failed, want 2", got)
	}
}

// Joining a room of thousands does not fill the screen with who is there.
func TestFewComingsAndGoingsAreShownAtOnce(t *testing.T) {
	var c comings
	now := time.Now()
	shown := func(n int, at time.Time) (lines, hints int) {
		for range n {
			switch line := c.line(at, "* ann is online"); {
			case strings.Contains(line, "/who"):
				hints++
			case line != "":
				lines++
			}
		}
		return lines, hints
	}
	for i, test := range []struct {
		after              time.Duration
		come, lines, hints int
	}{
		{0, 5, 5, 0}, {time.Second, 5000, comingsMax - 5, 1}, {2 * time.Second, 10, 0, 0}, {comingsSpan, 3, 3, 0},
	} {
		if lines, hints := shown(test.come, now.Add(test.after)); lines != test.lines || hints != test.hints {
			t.Errorf("%d: %d come: %d lines and %d hints, want %d and %d", i, test.come, lines, hints, test.lines, test.hints)
		}
	}
}

func TestFilesOfStrangersStayInTheirDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, want string }{
		{"photo.jpg", "photo.jpg"},
		{"photo.jpg", "photo-1.jpg"},
		{"../../etc/passwd", "_.._etc_passwd"},
		{`C:\autoexec.bat`, "C__autoexec.bat"},
		{".bashrc", "bashrc"},
		{"..", "file"},
		{"\x00\x1b[2J", "file"},
		{"a\u202egpj.exe", "agpj.exe"},
		{"", "file-1"},
	} {
		path, err := freePath(dir, fileName(tt.name))
		if tt.name == "" || tt.name == "\x00\x1b[2J" {
			// A name with nothing in it is shown as a question mark, which no file may have.
			tt.want = filepath.Base(path)
			if strings.ContainsAny(tt.want, "?/") {
				t.Errorf("%q became %q", tt.name, tt.want)
			}
		}
		if err != nil || path != filepath.Join(dir, tt.want) {
			t.Errorf("%q: %s, %v; want %s", tt.name, path, err, tt.want)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := fileName(strings.Repeat("ü", 300) + ".tar"); len(got) > native.FileNameMax || !strings.HasSuffix(got, "….tar") {
		t.Errorf("a long name became %d bytes, %q", len(got), got)
	}
}

func TestNativeReasonSaysWhatTheUserCanUnderstand(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("client: joining %q: %w", "x", native.Error{Code: native.CodeNotMember}), "not a member"},
		{native.Error{Code: native.CodeInternal, Text: "internal\x1b[2J error", Reference: "4F2A"}, "internal error (reference 4F2A)"},
		{errors.Join(errors.New("client: connecting"), refused), "connection refused"},
		{client.ErrSilent, "it fell silent"},
		{fmt.Errorf("client: %w", reliable.ErrForgotten), "it had forgotten the connection"}, // It need not have been started again.
		{errors.New("client: reliable: something"), "something"},
	} {
		if got := nativeReason(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestStatePathsOfDifferentAccountsDiffer(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	seen := map[string]bool{}
	for _, server := range []string{"a:1", "a:2", "[::1]:1", "../x:1"} {
		for _, name := range []string{"ann", "Ann", "..", "a/b", "a%2Fb", ".lock"} {
			for _, guest := range []bool{false, true} {
				path, err := chatStatePath(server, name, guest)
				if err != nil || seen[path] ||
					strings.Count(path, "/") != strings.Count(os.Getenv("XDG_STATE_HOME"), "/")+4 {
					t.Errorf("%s on %s: %s, %v", name, server, path, err)
				}
				seen[path] = true
			}
		}
	}
}

// TestClientsOfOneAccountAreDevicesOfTheirOwn: two clients must not share the numbers of one device.
func TestClientsOfOneAccountAreDevicesOfTheirOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name-ann")
	var open []*client.FileState
	for range clientsMax {
		s, err := openFreeState(path)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	if s, err := openFreeState(path); !errors.Is(err, client.ErrInUse) {
		t.Errorf("one more: %v, %v", s, err)
	}
	if err := open[0].Save(client.Saved{Token: "first"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range open {
		s.Close()
	}
	s, err := openFreeState(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if saved, err := s.Load(); err != nil || saved.Token != "first" {
		t.Errorf("the next one has %+v, %v; want the first state", saved, err)
	}
}

// What is wrong is said, whichever of two transports has found it out, and whatever the other one met.
func TestWhyTheChatEndedIsTheKeyAndNotTheOtherTransport(t *testing.T) {
	reset := fmt.Errorf("over tcp: %w", &net.OpError{Op: "read", Err: syscall.ECONNRESET})
	changed := fmt.Errorf("over udp: %w", &reliable.KeyError{Want: reliable.Key{1}, Got: reliable.Key{2}})
	for _, err := range []error{errors.Join(changed, reset), errors.Join(reset, changed)} {
		var out strings.Builder
		report(&out, (&nativeUI{server: "localhost:4000"}).explainEnd(err))
		if !strings.Contains(out.String(), "localhost:4000 is another server now") || strings.Contains(out.String(), "reset") {
			t.Errorf("%v: %s", err, out.String())
		}
	}
}

func TestAFullDiskIsNotASilentServer(t *testing.T) {
	err := fmt.Errorf("client: saving the state: %w", &os.PathError{Op: "write", Path: "state", Err: syscall.ENOSPC})
	var out strings.Builder
	report(&out, (&chatOptions{server: "localhost:4000"}).explainNative(err))
	if !strings.Contains(out.String(), "must be writable") || strings.Contains(out.String(), "Is the server running") {
		t.Error(out.String())
	}
}

func TestAReferenceIsNamedOnce(t *testing.T) {
	for text, want := range map[string]string{
		"internal error, reference 9EAE": "internal error, reference 9EAE",
		"internal error":                 "internal error (reference 9EAE)",
	} {
		e := native.Error{Code: native.CodeInternal, Text: text, Reference: "9EAE"}
		if got := refusalText(e); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Over TCP a full server closes the connection at once, as one of another protocol may: over UDP it has said which it is.
func TestFullServerIsNotTakenForOneOfAnotherProtocol(t *testing.T) {
	o := &chatOptions{server: "localhost:4000"}
	full := fmt.Errorf("over udp: %w", &reliable.RefusedError{Code: reliable.CodeFull})
	for _, tt := range []struct {
		err           error
		want, advised string
	}{
		{errors.Join(full, fmt.Errorf("over tcp: %w", io.EOF)), "cannot connect to localhost:4000: connection refused: the server is full", "later"},
		{fmt.Errorf("over tcp: %w", io.EOF), "localhost:4000 closes connections at once", "another protocol"},
	} {
		var out strings.Builder
		if code := report(&out, o.explainNative(tt.err)); code != exitUsage || !strings.Contains(out.String(), tt.want+"\n") || !strings.Contains(out.String(), tt.advised) {
			t.Errorf("%v: exit code %d, %s", tt.err, code, out.String())
		}
	}
}
