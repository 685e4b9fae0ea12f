package main

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"udpchat/chat/front"
	nativefront "udpchat/chat/front/native"
	"udpchat/chat/session"
	"udpchat/chat/wire/carrier"
	"udpchat/config"
)

// TestFirstBytesFindTheirProtocol takes what clients say first in the transcripts of all front-ends, cuts it at every length,
// and has all front-ends of the server asked whose it is. What the protocol's own front-end recognises must reach it, and
// no other may claim it.
func TestFirstBytesFindTheirProtocol(t *testing.T) {
	n := startNode(t, nil, config.Listener{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.Auto})
	dirs, err := filepath.Glob("../../chat/front/*/testdata")
	if err != nil || len(dirs) < 3 {
		t.Fatalf("got directories %q, %v", dirs, err)
	}
	firsts := map[string][]string{ // Those whose tests are no transcripts.
		n.native.Name(): {nativefront.Greeting + "\x00\x00\x00\x05hello", nativefront.Greeting + "{{{{{{{{{{{{"},
		"carrier":       {carrier.Prefix + " x\n"},
	}
	for _, dir := range dirs {
		proto := filepath.Base(filepath.Dir(dir))
		firsts[proto] = append(firsts[proto], firstBytes(t, dir)...)
	}
	for proto, all := range firsts {
		i := slices.IndexFunc(n.fronts, func(f front.Front) bool { return f.Name() == proto })
		if i < 0 {
			t.Errorf("the server does not speak %s", proto)
			continue
		}
		own, tried := n.fronts[i], 0
		for _, first := range all {
			if own.Match([]byte(first[:min(len(first), 64)])) != front.Yes {
				continue // No beginning of this protocol: its listener was pinned.
			}
			tried++
			pieces := [][]string{strings.Split(first, "")} // Byte by byte, and then in two.
			for cut := 1; cut <= min(len(first), 70); cut++ {
				pieces = append(pieces, []string{first[:cut], first[cut:]})
			}
			for _, p := range pieces {
				s := session.New(&pieceConn{pieces: slices.Clone(p)}, session.Config{})
				got, err := front.Sniff(s, n.fronts, time.Minute)
				if err != nil {
					t.Fatalf("%.40q in pieces %.60q: %v", first, p, err)
				}
				if got != own {
					t.Errorf("%.40q in pieces %.60q: got %s, want %s", first, p, got.Name(), proto)
				}
				s.Abort(nil)
				_ = s.Close(nil) // In memory: nothing can be lost.
			}
		}
		if tried == 0 {
			t.Errorf("%s: no transcript begins as the protocol does", proto)
		}
		t.Logf("%s: %d beginnings", proto, tried)
	}
}

// firstBytes returns what each connection of each transcript in dir sends first.
func firstBytes(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		seen := map[string]bool{}
		for i, line := range lines {
			word, rest, _ := strings.Cut(line, " ")
			name, frame, inline := strings.Cut(rest, " ")
			if word != "send" && word != "short" || seen[name] {
				continue
			}
			seen[name] = true
			first := block(t, lines[i+1:])
			if inline && frame != "" {
				first = jsonFrame(frame, word == "short")
			}
			if first != "" && !slices.Contains(all, first) {
				all = append(all, first)
			}
		}
	}
	return all
}

// block returns the bytes of lines marked by | and /.
func block(t *testing.T, lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if line == "" || line[0] != '|' && !strings.HasPrefix(line, "/ ") {
			break
		}
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.TrimPrefix(line[1:], " "), `"`, `\"`) + `"`)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		b.WriteString(text)
		if line[0] == '|' {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// jsonFrame returns the frame of the length-prefixed JSON protocol that holds text, without a payload.
func jsonFrame(text string, short bool) string {
	text, _, _ = strings.Cut(text, ` + "`)
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	if short {
		return string(binary.LittleEndian.AppendUint32(head, 0)) + text
	}
	return string(binary.LittleEndian.AppendUint64(head, 0)) + text
}

// A pieceConn is a connection from which pieces are read one by one, and then its end.
type pieceConn struct {
	net.Conn
	pieces []string
}

func (c *pieceConn) Read(b []byte) (int, error) {
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; c.pieces[0] == "" {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

func (c *pieceConn) Close() error                     { return nil }
func (c *pieceConn) SetDeadline(time.Time) error      { return nil }
func (c *pieceConn) SetReadDeadline(time.Time) error  { return nil }
func (c *pieceConn) SetWriteDeadline(time.Time) error { return nil }
