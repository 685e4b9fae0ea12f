package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"udpchat/reliable"
)

var (
	keyA = reliable.Key{1, 2, 3}
	keyB = reliable.Key{4}
)

func TestInviteIsReadAsItIsWritten(t *testing.T) {
	for _, i := range []invite{
		{"chat.example.org:4000", keyA}, {"192.0.2.1:5", keyB}, {"[2001:db8::1]:4000", keyA}, {"localhost:4000", reliable.Key{}},
	} {
		if got, err := parseInvite(i.String()); err != nil || got != i {
			t.Errorf("%v: got %v, %v", i, got, err)
		}
	}
	for s, want := range map[string]string{
		"udpchat://h/#" + keyA.String(): "h:4000", "udpchat://h:7": "h:7", "h": "h:4000",
	} {
		if got, err := parseInvite(s); err != nil || got.server != want {
			t.Errorf("%s: got %v, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{
		"udpchat:h", "udpchat://", "udpchat://h:4000/room#" + keyA.String(), "udpchat://h/#short", "udpchat://u@h/", "udpchat://h:99999/",
		"udpchat://h/?x#" + keyA.String(), "http://h/", "udpchat://h/#" + keyA.String() + "A",
	} {
		if got, err := parseInvite(s); err == nil {
			t.Errorf("%s was read as %v", s, got)
		}
	}
}

func TestKnownServersAreFoundByTheNameThatWasTyped(t *testing.T) {
	known := knownServers{filepath.Join(t.TempDir(), "new", "known_servers")}
	if _, line, err := known.find("a:1"); line != 0 || err != nil {
		t.Fatalf("without a file: line %d, %v", line, err)
	}
	for server, key := range map[string]reliable.Key{"a:1": keyA, "b:1": keyB} {
		if err := known.add(server, key); err != nil {
			t.Fatal(err)
		}
	}
	if key, line, err := known.find("b:1"); key != keyB || line == 0 || err != nil {
		t.Errorf("got %v on line %d, %v", key, line, err)
	}
	if _, line, err := known.find("b:2"); line != 0 || err != nil {
		t.Errorf("another port was found on line %d, %v", line, err)
	}
	if info, err := os.Stat(known.path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v: others may read where the user has been", info.Mode(), err)
	}
	for _, text := range []string{"a:1 short\n", "a:1\n", "a:1 " + keyA.String() + " more\n"} {
		if err := os.WriteFile(known.path, []byte("# comment\n\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := known.find("a:1"); err == nil || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%q: %v, want an error with its line", text, err)
		}
	}
}

func TestTrust(t *testing.T) {
	for _, tt := range []struct {
		mode      string
		want, got reliable.Key
		ok        bool
	}{
		{trustFirstUse, reliable.Key{}, keyA, true},
		{trustAsk, reliable.Key{}, keyA, false},
		{trustPinned, reliable.Key{}, keyA, false},
		{trustFirstUse, keyA, keyA, true},
		{trustPinned, keyA, keyA, true},
		{trustAsk, keyA, keyA, true},
		{trustFirstUse, keyA, keyB, false},
		{trustAsk, keyA, keyB, false},
		{trustPinned, keyA, keyB, false},
	} {
		tr := &trust{mode: tt.mode, server: "h:1", want: tt.want}
		err := tr.verify(tt.got)
		if (err == nil) != tt.ok {
			t.Errorf("%s, want %v, got %v: %v", tt.mode, tt.want, tt.got, err)
		}
		if e, ok := errors.AsType[*keyError](err); ok && (e.advice() == "" || !strings.Contains(e.Error(), tt.got.String())) {
			t.Errorf("%v says too little", e)
		}
	}
}

func TestAskTakesOneLine(t *testing.T) {
	e := &keyError{&trust{mode: trustAsk, server: "h:1"}, keyA}
	for answer, want := range map[string]bool{"yes\nhello\n": true, "YES\r\n": true, "no\n": false, "\n": false, "": false, "y\n": false} {
		in, out := strings.NewReader(answer), &strings.Builder{}
		if got := e.ask(in, out); got != want {
			t.Errorf("%q: got %v", answer, got)
		}
		if !strings.Contains(out.String(), keyA.String()) {
			t.Errorf("the question %q has no key", out)
		}
		if rest := in.Len(); strings.HasPrefix(answer, "yes") && rest != len("hello\n") {
			t.Errorf("%d bytes are left for the chat", rest)
		}
	}
}
