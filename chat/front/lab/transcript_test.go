package lab

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var update = flag.Bool("update", false, "rewrite what the server says in testdata/*.txt")

// TestTranscripts plays testdata/*.txt: conversations, with all that clients send and all that the server sends to
// each of them. With -update the server's half is rewritten, to be reviewed as a diff. Lines are:
//
//	# …                       a comment
//	config KEY[=VALUE] …      before all else: strict, kill, rate=N, burst=N, advertise=IP
//	open NAME [TRANSPORT [ADDR]]   a client connects; tcp from 10.0.0.2:50001 if nothing is said
//	listen ADDR NAME          a client expects calls at ADDR; what it opens then is NAME
//	send NAME                 what follows is sent in one segment or datagram
//	eof NAME                  the client has nothing more to send, and still reads
//	lose NAME                 the connection breaks
//	wait DURATION             nobody sends anything
//	shutdown                  the server is told to end
//	| LINE                    a line with its newline, of what is sent or was received
//	/ LINE                    one without
//	=> …                      what came of it: "=> NAME" and what was received there, "=> NAME closed", …
//
// In lines, unprintable bytes and a space at the end are written as in Go strings. Whatever one step makes the server
// write to a stream is one block; datagrams have one each.
func TestTranscripts(t *testing.T) {
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
			synctest.Test(t, func(t *testing.T) { got = play(t, string(want)) })
			if bytes.Equal(got, want) {
				return
			}
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s (run with -update and look at the diff):\n%s", file, firstDifference(string(got), string(want)))
		})
	}
}

// A player plays one transcript and writes it down as it really goes.
type player struct {
	t     *testing.T
	w     *world
	out   strings.Builder
	ended int // How many ends of sessions were shown.
	calls int
	kills int
	shown map[string]bool // Connections of which the end was shown, and so on.
}

func play(t *testing.T, script string) []byte {
	p := &player{t: t, shown: make(map[string]bool)}
	lines := strings.Split(strings.TrimSuffix(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, "=> ") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "/ ") {
			continue // The server's half is written anew.
		}
		p.out.WriteString(line + "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case word == "config":
			p.w = newWorld(t, p.config(rest))
			continue
		case p.w == nil:
			p.w = newWorld(t, Config{})
		}
		if word == "send" {
			for i+1 < len(lines) && (strings.HasPrefix(lines[i+1], "|") || strings.HasPrefix(lines[i+1], "/ ")) {
				i++
				p.out.WriteString(lines[i] + "\n")
				rest += "\n" + lines[i]
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

func (p *player) config(args string) Config {
	var cfg Config
	for _, arg := range strings.Fields(args) {
		key, value, _ := strings.Cut(arg, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "strict":
			cfg.Strict = true
		case "kill":
			cfg.AllowKill = true
		case "rate":
			cfg.RequestsPerSecond = float64(n)
		case "burst":
			cfg.RequestsBurst = n
		case "advertise":
			cfg.Advertise = value
		default:
			p.t.Fatalf("no such setting: %s", key)
		}
	}
	return cfg
}

// step does what one line of the script says. For send, rest is the name and the lines.
func (p *player) step(word, rest string) {
	switch args := strings.Fields(rest); word {
	case "open":
		args = append(args, []string{"", "tcp", "10.0.0.2:50001"}[len(args):]...)
		p.w.open(args[0], args[1], args[2])
	case "listen":
		p.w.listen(args[0], args[1])
	case "send":
		name, text, _ := strings.Cut(rest, "\n")
		p.w.conn(name).send(p.unquote(text))
	case "eof":
		p.w.conn(rest).end(io.EOF)
	case "lose":
		p.w.conn(rest).end(errReset)
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(d)
	case "shutdown":
		p.w.stop()
	default:
		p.t.Fatalf("no such step: %s %s", word, rest)
	}
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

func (p *player) showConn(c *memConn) {
	out, closed := c.take()
	var stream []byte
	for _, o := range out {
		if !whole(o.bytes) {
			p.t.Errorf("%s: one write of the server was not whole messages: %q", c.name, o.bytes)
		}
		if !c.datagrams {
			stream = append(stream, o.bytes...)
			continue
		}
		if o.answer {
			fmt.Fprintf(&p.out, "=> %s (answer)\n%s", c.name, quote(o.bytes))
		} else {
			fmt.Fprintf(&p.out, "=> %s\n%s", c.name, quote(o.bytes))
		}
	}
	if len(stream) > 0 {
		fmt.Fprintf(&p.out, "=> %s\n%s", c.name, quote(stream))
	}
	if c.proven > 0 && !p.shown[c.name+" proven"] {
		p.shown[c.name+" proven"] = true
		fmt.Fprintf(&p.out, "=> %s proven\n", c.name)
	}
	if closed && !p.shown[c.name] {
		p.shown[c.name] = true
		fmt.Fprintf(&p.out, "=> %s closed\n", c.name)
	}
}

// quote writes bytes as lines of a transcript.
func quote(b []byte) string {
	var out strings.Builder
	for rest := string(b); rest != ""; {
		line, after, ended := strings.Cut(rest, "\n")
		rest = after
		line = strconv.Quote(line)
		line = strings.ReplaceAll(line[1:len(line)-1], `\"`, `"`)
		if strings.HasSuffix(line, " ") {
			line = line[:len(line)-1] + `\x20`
		}
		mark := "|"
		if !ended {
			mark = "/"
		}
		out.WriteString(strings.TrimRight(mark+" "+line, " ") + "\n")
	}
	return out.String()
}

// unquote is the reverse.
func (p *player) unquote(lines string) string {
	var out strings.Builder
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.TrimPrefix(line[1:], " "), `"`, `\"`) + `"`)
		if err != nil {
			p.t.Fatalf("line %q: %v", line, err)
		}
		out.WriteString(text)
		if line[0] == '|' {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// firstDifference shows where two transcripts part, with a little around it.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	around := func(lines []string) string {
		return strings.Join(lines[max(0, min(i, len(lines))-4):min(len(lines), i+8)], "\n")
	}
	return fmt.Sprintf("first different line: %d\n--- got\n%s\n--- want\n%s", i+1, around(g), around(w))
}
