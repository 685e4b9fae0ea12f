package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/reliable/netem"
)

// output is what a command has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // Guarded by mu.
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// within waits for what another goroutine or the kernel brings about.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(scriptWait); !ok(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, scriptWait)
		}
	}
}

func TestLinkListsTheProfiles(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"link", "--list"}, nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	profiles := netem.Profiles()
	if lines := strings.Split(strings.TrimSpace(stdout.String()), "\n"); len(lines) != len(profiles) {
		t.Errorf("%d lines for %d profiles", len(lines), len(profiles))
	}
	for _, p := range profiles {
		if !strings.Contains(stdout.String(), p.Name+" ") || !strings.Contains(stdout.String(), p.Text) {
			t.Errorf("%s is missing", p.Name)
		}
	}
}

func TestLinkExplainsMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--profile", "lossy-21"}, "lossy-20"},
		{[]string{"--to", "nowhere"}, "HOST:PORT"},
		{[]string{"--listen", "127.0.0.1:nope"}, "--listen"},
		{[]string{"--record", filepath.Join(t.TempDir(), "no", "such", "directory")}, "--record"},
		{[]string{"--seed", "x"}, "--seed"},
		{[]string{"surplus"}, "takes no arguments"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"link"}, c.args...), nil, &stdout, &stderr)
		if code != exitUsage || !strings.Contains(stderr.String(), c.want) || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, stderr %q, stdout %q; want 2 and %q", c.args, code, &stderr, &stdout, c.want)
		}
	}
}

// A client sends text and bytes through a link that loses a part, and the link says and records which.
func TestLinkForwardsReportsAndRecords(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	file := filepath.Join(t.TempDir(), "verdicts.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() { // Ends with ctx.
		code <- run(ctx, []string{"link", "--listen", "127.0.0.1:0", "--to", server.LocalAddr().String(),
			"--profile", "lossy-20", "--seed", "3", "--record", file}, nil, &stdout, &stderr)
	}()
	listening := regexp.MustCompile(`link listening on (\S+), forwarding to (\S+)\n`)
	within(t, "listening", func() bool { return listening.MatchString(stdout.String()) })
	where := listening.FindStringSubmatch(stdout.String())
	if where[2] != server.LocalAddr().String() || !strings.Contains(stdout.String(), " chat --server "+where[1]) {
		t.Errorf("the greeting is %q", stdout.String())
	}

	conn, err := net.Dial("udp", where[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const datagrams = 100
	sent := map[string]bool{}
	for i := range datagrams {
		text := "CHAT: " + string(rune('a'+i%26)) + "\n"
		if i%2 == 0 {
			text = string([]byte{0x80, 0, 0xff, byte(i)})
		}
		sent[text] = true
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	wantKept, wantLost := linkVerdicts(t, "lossy-20", 3, datagrams)
	b := make([]byte, 100)
	for range wantKept {
		server.SetReadDeadline(time.Now().Add(scriptWait))
		n, from, err := server.ReadFromUDP(b)
		if err != nil {
			t.Fatal(err)
		}
		if !sent[string(b[:n])] {
			t.Errorf("%q arrived, and was never sent", b[:n])
		}
		if _, err := server.WriteToUDP(b[:n], from); err != nil {
			t.Fatal(err)
		}
	}
	// Some answers come back; how many is the down link's business.
	conn.SetReadDeadline(time.Now().Add(scriptWait))
	if n, err := conn.Read(b); err != nil || !sent[string(b[:n])] {
		t.Errorf("answer %q, %v", b[:n], err)
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Fatalf("exit code %d: %s", got, stderr.String())
	}
	report := regexp.MustCompile(`(?m)^up +100 datagrams came, (\d+) \(\d+\.0 %\) forwarded, (\d+) \(\d+\.0 %\) dropped: loss (\d+) \(\d+\.0 %\)$`)
	if m := report.FindStringSubmatch(stdout.String()); m == nil || m[2] != m[3] ||
		m[2] != strconv.Itoa(wantLost) || m[1] != strconv.Itoa(wantKept) {
		t.Errorf("want %d kept and %d lost in the report, got %q", wantKept, wantLost, stdout.String())
	}
	checkRecord(t, file, wantKept, wantLost)
}

// linkVerdicts asks a link directly what it does to the first n datagrams.
func linkVerdicts(t *testing.T, profile string, seed uint64, n int) (kept, lost int) {
	t.Helper()
	p, err := netem.ProfileNamed(profile)
	if err != nil {
		t.Fatal(err)
	}
	l := netem.NewLink(p.Up, seed, netem.Up)
	for range n {
		l.Push(0, nil)
	}
	c := l.Counts()
	return int(c.Kept), int(c.Dropped())
}

func checkRecord(t *testing.T, file string, wantKept, wantLost int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept, lost := 0, 0
	for line := range strings.Lines(string(b)) {
		var r netem.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch {
		case r.Direction != "up":
		case r.Verdict == "kept" && r.DeliverMs != nil && math.Abs(*r.DeliverMs-r.AtMs-50) < 1e-6:
			kept++
		case r.Verdict == "loss" && r.DeliverMs == nil:
			lost++
		default:
			t.Errorf("strange record %s", line)
		}
	}
	if kept != wantKept || lost != wantLost {
		t.Errorf("recorded %d kept and %d lost, want %d and %d", kept, lost, wantKept, wantLost)
	}
}
