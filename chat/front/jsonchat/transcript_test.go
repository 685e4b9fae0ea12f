package jsonchat

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/jsonchat"
)

// TestTranscripts plays testdata/*.txt: conversations, with all that clients send and all that the server sends to each of
// them. With -update the server's half is rewritten, to be reviewed as a diff. Lines are:
//
//	# …                       a comment
//	config KEY=VALUE …        before all else: rate, burst, file (the largest, in bytes)
//	open NAME                 a client connects
//	send NAME JSON            a frame, in the long form
//	send NAME JSON + "FILE"   one with a payload
//	short NAME JSON [+ …]     the same in the short form
//	raw NAME "BYTES"          any bytes
//	eof NAME                  the client has nothing more to send, and still reads
//	lose NAME                 the connection breaks
//	native NAME PEER TEXT     an account says something by another protocol
//	nativefile NAME PEER FILE TEXT   and shows a file
//	heard NAME                what an account has heard by another protocol
//	block NAME PEER           an account blocks another
//	wait DURATION             nobody sends anything
//	shutdown                  the server is told to end
//	=> …                      what came of it: "=> NAME JSON", "=> NAME JSON + "FILE"", "=> NAME closed", …
//
// Numbers of tokens, which are random, are written $1, $2 … in the order in which they were given away.
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
			if stage.Update() {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s (run with -update and look at the diff):\n%s", file, stage.FirstDifference(string(got), string(want)))
		})
	}
}

// A player plays one transcript and writes it down as it really goes.
type player struct {
	t      *testing.T
	w      *world
	out    strings.Builder
	tokens []string // Numbers given away, $1 first.
	ended  int      // How many ends of sessions were shown.
	shown  map[string]bool
}

func play(t *testing.T, script string) []byte {
	p := &player{t: t, shown: make(map[string]bool)}
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "=> ") {
			continue // The server's half is written anew.
		}
		p.out.WriteString(line + "\n")
		word, rest, _ := strings.Cut(line, " ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if p.w == nil {
			p.w = newWorld(t, p.config(word, rest), memory.New(memory.Config{}))
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

func (p *player) config(word, args string) Config {
	var cfg Config
	if word != "config" {
		return cfg
	}
	for _, arg := range strings.Fields(args) {
		key, value, _ := strings.Cut(arg, "=")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
			p.t.Fatalf("%s: %v", arg, err)
		case key == "rate":
			cfg.RequestsPerSecond = float64(n)
		case key == "burst":
			cfg.RequestsBurst = n
		case key == "file":
			cfg.FileBytesMax = int64(n)
		default:
			p.t.Fatalf("no such setting: %s", key)
		}
	}
	return cfg
}

// step does what one line of the script says.
func (p *player) step(word, rest string) {
	args := strings.SplitN(rest, " ", 4)
	text := func(i int) string { return strings.Join(args[min(i, len(args)):], " ") }
	switch w := p.w; word {
	case "config":
	case "open":
		w.open(rest)
	case "send":
		w.conn(args[0]).Send(p.frame(wire.Long, text(1)))
	case "short":
		w.conn(args[0]).Send(p.frame(wire.Short, text(1)))
	case "raw":
		w.conn(args[0]).Send(p.unquote(text(1)))
	case "eof":
		w.conn(rest).EOF()
	case "lose":
		w.conn(rest).Lose()
	case "native":
		w.native(args[0]).say(w, args[1], chat.Content{Text: text(2)})
	case "nativefile":
		w.native(args[0]).say(w, args[1], chat.Content{File: w.file(args[2], text(3))})
	case "heard":
		for _, line := range w.native(args[0]).took() {
			fmt.Fprintf(&p.out, "=> %s was told: %s\n", args[0], line)
		}
	case "follow":
		w.native(args[0]).follow(w, args[1])
	case "block":
		if err := w.accounts.Block(w.ctx, args[0], args[1]); err != nil {
			p.t.Fatal(err)
		}
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(d)
	case "shutdown":
		w.stop()
	default:
		p.t.Fatalf("no such step: %s %s", word, rest)
	}
}

// frame returns a frame with JSON and perhaps a payload behind a plus sign.
func (p *player) frame(form wire.Form, text string) string {
	text, file, has := strings.Cut(text, ` + "`)
	payload := ""
	if has {
		payload = p.unquote(`"` + file)
	}
	for i, number := range slices.Backward(p.tokens) {
		text = strings.ReplaceAll(text, fmt.Sprintf("$%d", i+1), number)
	}
	return string(wire.AppendFrame(nil, form, []byte(text), int64(len(payload)))) + payload
}

func (p *player) unquote(text string) string {
	s, err := strconv.Unquote(text)
	if err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
	return s
}

// tokenIs finds the number that TOKEN gives away.
var tokenIs = regexp.MustCompile(`"tokenid":(\d+)`)

// show writes down everything that has happened since the last time.
func (p *player) show() {
	w := p.w
	w.mu.Lock()
	conns, ended := w.conns, w.ended
	w.mu.Unlock()
	for _, c := range conns {
		for _, text := range c.heard() {
			for _, m := range tokenIs.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(p.tokens, m[1]) {
					p.tokens = append(p.tokens, m[1])
				}
			}
			for i, number := range p.tokens {
				text = strings.ReplaceAll(text, number, fmt.Sprintf("$%d", i+1))
			}
			fmt.Fprintf(&p.out, "=> %s %s\n", c.Name, text)
		}
		if c.closed && !p.shown[c.Name] {
			p.shown[c.Name] = true
			fmt.Fprintf(&p.out, "=> %s closed\n", c.Name)
		}
	}
	for _, end := range slices.Sorted(slices.Values(ended[p.ended:])) { // They end at the same moment, in any order.
		fmt.Fprintf(&p.out, "=> served %s\n", end)
	}
	p.ended = len(ended)
}
