package front

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
)

// A fakeFront recognises its words.
type fakeFront struct {
	name  string
	words []string
}

func (f *fakeFront) Name() string                                             { return f.name }
func (f *fakeFront) Match(b []byte) Match                                     { return MatchWords(b, f.words...) }
func (f *fakeFront) Serve(context.Context, *session.Session, *chat.Hub) error { return io.EOF }

var (
	relay    = &fakeFront{"relay", []string{"REGISTER TO"}}
	hash     = &fakeFront{"hashchat", []string{"CONNECT#"}}
	greedy   = &fakeFront{"greedy", []string{strings.Repeat("z", 2*prefixBytesMax), "REGAL"}}
	lab      = &fakeFront{"lab", []string{"HELO", "JOIN", "LEAVE", "CHAT:", "DISCONNECT", "KILL_SERVICE"}}
	allKinds = []Front{relay, hash, greedy, lab}
)

const wait = 5 * time.Second

// TestSniff feeds first bytes, whole and byte by byte, and checks which front-end is chosen, when, and that it can
// read all of them.
func TestSniff(t *testing.T) {
	for _, c := range []struct {
		name   string
		send   string
		hangUp bool // The peer closes its side after sending.
		want   Front
		after  time.Duration
	}{
		{name: "whole word", send: "HELO BASE_TEST\n", want: lab},
		{name: "other protocol", send: "REGISTER TOSEND bob\n\n", want: relay},
		{name: "binary for nobody", send: "\x16\x03\x01\x00", want: lab},
		{name: "text for nobody", send: "hello\n", want: lab},
		{name: "beginning of one", send: "CONN", want: hash, after: wait},
		{name: "beginning of several", send: "REG", want: lab, after: wait},
		{name: "beginning of one, then hang-up", send: "CONN", hangUp: true, want: hash},
		{name: "beginning of several, then hang-up", send: "REG", hangUp: true, want: lab},
		{name: "nothing", want: lab, after: wait},
		{name: "more than is shown", send: strings.Repeat("z", prefixBytesMax+10), want: greedy},
	} {
		for _, step := range []int{len(c.send), 1} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ours, theirs := net.Pipe()
					s := session.New(ours, session.Config{})
					go func() {
						for b := []byte(c.send); len(b) > 0; b = b[step:] {
							theirs.Write(b[:step])
						}
						if c.hangUp {
							theirs.Close()
						}
					}()
					start := time.Now()
					f, err := Sniff(s, allKinds, wait)
					if err != nil || f != c.want {
						t.Fatalf("got %v, %v; want %s", f, err, c.want.Name())
					}
					if got := time.Since(start); got != c.after {
						t.Errorf("decided after %v, want %v", got, c.after)
					}
					time.Sleep(2 * wait) // A read deadline left behind would pass now.
					got := make([]byte, len(c.send))
					if _, err := io.ReadFull(s, got); err != nil || string(got) != c.send {
						t.Errorf("read again %q, %v; want %q", got, err, c.send)
					}
					theirs.Close()
					s.Close(nil)
				})
			})
		}
	}
}

func TestSniffTakesSingleFrontUnseen(t *testing.T) {
	f, err := Sniff(session.New(nil, session.Config{}), []Front{hash}, wait)
	if f != hash || err != nil {
		t.Errorf("got %v, %v", f, err)
	}
	if _, err := Sniff(session.New(nil, session.Config{}), nil, wait); err == nil {
		t.Error("no front-ends: got no error")
	}
}

func TestSniffSaysWhenPeerOrSessionIsGone(t *testing.T) {
	reason := errors.New("shutting down")
	for name, end := range map[string]func(*session.Session, net.Conn) error{
		"peer left without a byte": func(_ *session.Session, peer net.Conn) error { peer.Close(); return io.EOF },
		"session aborted":          func(s *session.Session, _ net.Conn) error { s.Abort(reason); return reason },
		"session aborted after some bytes": func(s *session.Session, peer net.Conn) error {
			peer.Write([]byte("HE"))
			s.Abort(reason)
			return reason
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				s := session.New(ours, session.Config{})
				want := make(chan error, 1)
				go func() { want <- end(s, theirs) }()
				f, err := Sniff(s, allKinds, wait)
				if w := <-want; f != nil || !errors.Is(err, w) {
					t.Errorf("got %v, %v; want %v", f, err, w)
				}
				s.Close(nil)
			})
		})
	}
}

func TestMatchWords(t *testing.T) {
	words := []string{"HELO", "HELLO THERE"}
	for prefix, want := range map[string]Match{
		"H": More, "HEL": More, "HELO": Yes, "HELO x": Yes, "HELL": More, "HELLO THERE": Yes, "HELP": No, "x": No,
	} {
		if got := MatchWords([]byte(prefix), words...); got != want {
			t.Errorf("MatchWords(%q) = %v, want %v", prefix, got, want)
		}
		if got := MatchWords(bytes.ToLower([]byte(prefix)), words...); got != No {
			t.Errorf("MatchWords of lower case %q = %v, want no", prefix, got)
		}
	}
}
