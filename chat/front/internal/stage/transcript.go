package stage

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/session"
	"udpchat/chat/store/memory"
)

var update = flag.Bool("update", false, "rewrite what the server says in testdata/*.txt")

// Update reports whether transcripts are to be rewritten. It is for tests that play them in their own way.
func Update() bool { return *update }

// Transcripts plays testdata/*.txt: conversations, with all that clients send and all that the server sends to each of
// them. With -update the server's half is rewritten, to be reviewed as a diff. whole reports whether one Write of the
// server was whole messages, which it always must be; nil is not to look. Lines are:
//
//	# …                     a comment
//	config KEY[=VALUE] …    before all else: settings for cast
//	open NAME [PROTO] [TRANSPORT [ADDR]]   a client connects to the front-end of that name, any if nothing is said, over
//	                        tcp, from 10.0.0.2:50001; over stream what the server writes takes 300 ms to arrive
//	listen ADDR NAME        a client expects calls at ADDR; what it opens then is NAME
//	send NAME               what follows is sent in one segment or datagram
//	eof NAME                the client has nothing more to send, and still reads
//	lose NAME               the connection breaks
//	wait DURATION           nobody sends anything
//	shutdown                the server is told to end
//	| LINE                  a line with its newline, of what is sent or was received
//	/ LINE                  one without
//	=> …                    what came of it: "=> NAME" and what was received there, "=> NAME closed", "=> call ADDR", …
//
// In lines, unprintable bytes and a space at the end are written as in Go strings. Whatever one step makes the server
// write to a client is one block; datagrams have one each.
func Transcripts(t *testing.T, cast Cast, whole func(b []byte) bool) {
	transcripts(t, player{whole: whole, world: func(t *testing.T, settings map[string]string) *World {
		return newWorld(t, cast, settings, memory.New(memory.Config{}))
	}})
}

// TranscriptsWithAccounts is Transcripts for protocols that log in. Where whole is not nil their packets have no end: what
// the server writes at once is a block of its own.
func TranscriptsWithAccounts(t *testing.T, cast CastWithAccounts, whole func(b []byte) bool) {
	transcripts(t, player{whole: whole, apart: whole != nil, world: func(t *testing.T, settings map[string]string) *World {
		return newWorldWithAccounts(t, cast, settings, memory.New(memory.Config{}))
	}})
}

func transcripts(t *testing.T, like player) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, err %v, want transcripts", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			synctest.Test(t, func(t *testing.T) {
				p := like
				p.t, p.shown = t, make(map[string]bool)
				got = p.play(string(want))
			})
			if bytes.Equal(got, want) {
				return
			}
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s (run with -update and look at the diff):\n%s", file, FirstDifference(string(got), string(want)))
		})
	}
}

// A player plays one transcript and writes it down as it really goes.
type player struct {
	t     *testing.T
	world func(t *testing.T, settings map[string]string) *World
	whole func([]byte) bool
	apart bool // Every Write is a block.
	w     *World
	out   strings.Builder
	ended int // How many ends of sessions were shown.
	calls int // And calls.
	kills int
	shown map[string]bool // Connections of which the end was shown, and so on.
}

func (p *player) play(script string) []byte {
	lines := strings.Split(strings.TrimSuffix(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if isText(line) || strings.HasPrefix(line, "=> ") {
			continue // The server's half is written anew.
		}
		p.out.WriteString(line + "\n")
		word, rest, _ := strings.Cut(line, " ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if p.w == nil {
			p.begin(word, rest)
		}
		if word == "send" {
			for ; i+1 < len(lines) && isText(lines[i+1]); i++ {
				p.out.WriteString(lines[i+1] + "\n")
				rest += "\n" + lines[i+1]
			}
		}
		p.step(word, rest)
		synctest.Wait()
		p.show()
	}
	if p.w != nil {
		p.w.close()
	}
	return []byte(p.out.String())
}

// isText reports whether a line of a transcript is of what was sent or received.
func isText(line string) bool { return strings.HasPrefix(line, "|") || strings.HasPrefix(line, "/ ") }

// begin makes the world, with settings if the first step is config.
func (p *player) begin(word, rest string) {
	settings := make(map[string]string)
	if word == "config" {
		for _, arg := range strings.Fields(rest) {
			key, value, _ := strings.Cut(arg, "=")
			settings[key] = value
		}
	}
	p.w = p.world(p.t, settings)
}

// step does what one line of the script says. For send, rest is the name and the lines.
func (p *player) step(word, rest string) {
	switch args := strings.Fields(rest); word {
	case "config":
	case "open":
		p.open(args[0], args[1:])
	case "listen":
		p.w.Listen(args[0], args[1])
	case "send":
		name, text, _ := strings.Cut(rest, "\n")
		p.w.Conn(name).Send(p.unquote(text))
	case "eof":
		p.w.Conn(rest).EOF()
	case "lose":
		p.w.Conn(rest).Lose()
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(d)
	case "shutdown":
		p.w.Shutdown()
	default:
		p.t.Fatalf("no such step: %s %s", word, rest)
	}
}

// open does what an open line says behind the name.
func (p *player) open(name string, args []string) {
	proto, transport, addr := "any", session.TransportTCP, clientAddr
	transports := []string{
		session.TransportTCP, session.TransportUDP, session.TransportStream, session.TransportPlain, session.TransportTLS,
	}
	if len(args) > 0 && !slices.Contains(transports, args[0]) {
		proto, args = args[0], args[1:]
	}
	if len(args) > 0 {
		transport, args = args[0], args[1:]
	}
	if len(args) > 0 {
		addr = args[0]
	}
	p.w.OpenFrom(name, proto, transport, addr)
}

// show writes down everything that has happened since the last time.
func (p *player) show() {
	w := p.w
	w.mu.Lock()
	conns, calls, ended, kills := w.conns, w.calls, w.ended, w.kills
	w.mu.Unlock()
	for ; p.calls < len(calls); p.calls++ {
		fmt.Fprintf(&p.out, "=> call %s\n", calls[p.calls])
	}
	for _, c := range conns {
		p.showConn(c)
	}
	for ; p.kills < kills; p.kills++ {
		fmt.Fprintf(&p.out, "=> server is to end\n")
	}
	now := slices.Sorted(slices.Values(ended[p.ended:])) // They end at the same moment, in any order.
	for _, end := range now {
		fmt.Fprintf(&p.out, "=> served %s\n", end)
	}
	p.ended = len(ended)
}

func (p *player) showConn(c *Conn) {
	out, closed := c.take()
	var stream []byte
	for _, o := range out {
		if p.whole != nil && !p.whole(o.bytes) {
			p.t.Errorf("%s: one write of the server was not whole messages: %q", c.Name, o.bytes)
		}
		switch {
		case o.answer:
			fmt.Fprintf(&p.out, "=> %s (answer)\n%s", c.Name, quote(o.bytes))
		case p.apart || c.datagrams:
			fmt.Fprintf(&p.out, "=> %s\n%s", c.Name, quote(o.bytes))
		default:
			stream = append(stream, o.bytes...)
		}
	}
	if len(stream) > 0 {
		fmt.Fprintf(&p.out, "=> %s\n%s", c.Name, quote(stream))
	}
	if c.wasProven() && !p.shown[c.Name+" proven"] {
		p.shown[c.Name+" proven"] = true
		fmt.Fprintf(&p.out, "=> %s proven\n", c.Name)
	}
	if closed && !p.shown[c.Name] {
		p.shown[c.Name] = true
		fmt.Fprintf(&p.out, "=> %s closed\n", c.Name)
	}
}
