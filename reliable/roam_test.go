package reliable

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/reliable/netem"
)

// Ten minutes in and out of the house: twenty times the old way is dead at once, nothing passes for three seconds, and the
// client has another address.
func TestRoamProfileNeedsNoReconnect(t *testing.T) {
	profile, err := netem.ProfileNamed("roam")
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, netem.Params{}, Config{KeepAlive: 10 * time.Second}, func(w *world) {
		w.net.Connect(clientAddr, serverAddr, profile, 3)
		client, server := w.connect()
		const gap, span = 3 * time.Second, 10*time.Minute + 10*time.Second
		var wg sync.WaitGroup
		var longest [2]time.Duration
		for i, dir := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
			wg.Go(func() {
				for start := time.Now(); time.Since(start) < span; time.Sleep(100 * time.Millisecond) {
					dir.from.Write(make([]byte, 8))
				}
			})
			wg.Go(func() {
				last, b := time.Now(), make([]byte, 8)
				for n := range int(span / (100 * time.Millisecond)) {
					if _, err := io.ReadFull(dir.to, b); err != nil {
						t.Errorf("message %d: %v", n, err)
						return
					}
					longest[i] = max(longest[i], time.Since(last))
					last = time.Now()
				}
			})
		}
		wg.Wait()
		s := server.Stats()
		if s.Roams != 20 {
			t.Errorf("%d moves, want 20; %+v", s.Roams, s)
		}
		for i, d := range longest {
			if d > gap+100*time.Millisecond+350*time.Millisecond+100*time.Millisecond {
				t.Errorf("direction %d: nothing came for %v", i, d)
			}
		}
		t.Logf("longest silence %v up, %v down, of which the gap is %v; %d bytes to unproven addresses", longest[0], longest[1], gap, s.UnprovenBytes)
	})
}

// Real sockets, through a bad link that talks to the server from another port every 150 ms, and later every 2 s.
func TestConnectionSurvivesPortChangesOnLoopback(t *testing.T) {
	var log strings.Builder
	var mu sync.Mutex
	server, err := Listen("127.0.0.1:0", Config{Logger: slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	link := netem.Params{Delay: 2 * time.Millisecond}
	profile := netem.Profile{Up: link, Down: link}
	// A slow machine needs longer, but the server checks no more than so many addresses in a row and one a second.
	profile.Up.Events = []netem.Event{{Kind: netem.Move, First: 2 * time.Second, Every: 2 * time.Second}}
	for i := range pathChecksMax - 2 {
		profile.Up.Events = append(profile.Up.Events, netem.Event{Kind: netem.Move, First: time.Duration(i+1) * 150 * time.Millisecond})
	}
	proxy, err := netem.NewProxy(netem.ProxyConfig{Listen: "127.0.0.1:0", To: server.Addr().String(), Profile: profile, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { proxy.Run(t.Context()) })
	defer wg.Wait()
	defer proxy.Close()
	// A client that has everything acknowledged and only waits for more says nothing by itself, and then nobody can find it.
	client, err := Dial(t.Context(), proxy.Addr().String(), Config{KeepAlive: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn := c.(*Conn)
	moved, seen := conn.Moved(), client.Moved()
	before := conn.RemoteAddr().String()
	wg.Go(func() { io.Copy(conn, conn) })
	data := randomBytes(1<<20, 9)
	wg.Go(func() {
		for piece := range 64 { // Half a second.
			client.Write(data[piece<<14:][:1<<14])
			time.Sleep(8 * time.Millisecond)
		}
	})
	got := make([]byte, len(data))
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("the echo of %d bytes: %v, the same: %v", len(data), err, bytes.Equal(got, data))
	}
	<-moved
	<-seen
	if after := conn.RemoteAddr().String(); after == before {
		t.Errorf("the server still believes the client at %v", after)
	}
	// A machine that stood still saw only the last of the first ports; one more comes every 2 s, and is not missed.
	logged := func() int {
		mu.Lock()
		defer mu.Unlock()
		return strings.Count(log.String(), "connection moved")
	}
	for end := time.Now().Add(time.Minute); logged() < 2 && time.Now().Before(end); {
		if _, err := client.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	n := logged() // Before the figures: it goes on to move.
	if s := conn.Stats(); n < 2 || uint64(n) > s.Roams {
		t.Errorf("%d moves, %d lines of log: %+v", s.Roams, n, s)
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
