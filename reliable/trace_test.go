package reliable

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// A witness keeps the events of all connections.
type witness struct {
	mu     sync.Mutex
	events map[uint64][]Event
}

func (w *witness) trace(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.events == nil {
		w.events = make(map[uint64][]Event)
	}
	w.events[e.Conn] = append(w.events[e.Conn], e)
}

func (w *witness) of(c *Conn) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events[uint64(c.m.local)]
}

// named returns the events of that name.
func named(all []Event, name EventName) []Event {
	return slices.DeleteFunc(slices.Clone(all), func(e Event) bool { return e.Name != name })
}

func states(all []Event) []string {
	var s []string
	for _, e := range named(all, EventState) {
		s = append(s, e.State)
	}
	return s
}

func TestTheTraceTellsWhatHappened(t *testing.T) {
	var seen witness
	var lines bytes.Buffer
	toLines := TraceTo(&lines)
	cfg := Config{Trace: func(e Event) { seen.trace(e); toLines(e) }}
	inWorld(t, lossy(0.2), cfg, func(w *world) {
		client, server := w.connect()
		for range 200 {
			if _, err := client.Write(make([]byte, 200)); err != nil {
				w.Fatal(err)
			}
			if _, err := io.ReadFull(server, make([]byte, 200)); err != nil {
				w.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		client.Close()
		if n, err := server.Read(make([]byte, 1)); err != io.EOF {
			w.Fatal(n, err)
		}
		<-client.wait(&client.ended)
		<-server.wait(&server.ended)
		ours, theirs := seen.of(client), seen.of(server)
		if got, want := states(ours), []string{"hello", "open", "linger", "closing", "ended"}; !isSubsequence(got, want) {
			w.Errorf("states of the client: %q, want those of %q that were seen between two turns", got, want)
		}
		if got, want := states(theirs), []string{"half", "open", "ended"}; !slices.Equal(got, want) {
			w.Errorf("states of the server: %q, want %q", got, want)
		}
		checkPackets(w.T, ours, theirs, client.Stats())
		checkCounts(w.T, ours, client.Stats())
		checkCounts(w.T, theirs, server.Stats())
		if c, s := client.Stats().Sent, server.Stats().Sent; c.Data == 0 || c.Repair == 0 || s.Acks == 0 || s.Data != 0 {
			w.Errorf("the client's bytes: %+v, the server's: %+v", c, s)
		}
		if len(named(ours, EventLost)) < 20 || len(named(theirs, EventRebuilt)) < 10 || len(named(ours, EventMetrics)) < 100 {
			w.Errorf("%d lost, %d rebuilt, %d metrics", len(named(ours, EventLost)), len(named(theirs, EventRebuilt)), len(named(ours, EventMetrics)))
		}
	})
	checkLines(t, lines.Bytes())
}

// isSubsequence reports whether got begins and ends as want does and has nothing out of want's order.
func isSubsequence(got, want []string) bool {
	at := 0
	for _, g := range got {
		i := slices.Index(want[at:], g)
		if i < 0 {
			return false
		}
		at += i + 1
	}
	return len(got) > 1 && got[0] == want[0] && got[len(got)-1] == want[len(want)-1]
}

// checkPackets checks that numbers rise and that nothing arrived that was not sent.
func checkPackets(t *testing.T, ours, theirs []Event, s ConnStats) {
	t.Helper()
	sent := make(map[uint64][]string)
	last := uint64(0)
	for _, e := range named(ours, EventSent) {
		if e.Packet <= last || e.Bytes == 0 {
			t.Fatalf("packet %d of %d bytes after %d", e.Packet, e.Bytes, last)
		}
		last = e.Packet
		sent[e.Packet] = e.Frames
	}
	for _, e := range named(theirs, EventReceived) {
		if !slices.Equal(sent[e.Packet], e.Frames) {
			t.Errorf("packet %d left with %q and arrived with %q", e.Packet, sent[e.Packet], e.Frames)
		}
	}
	if n := len(named(ours, EventSent)); uint64(n) > s.DatagramsSent || uint64(n)+20 < s.DatagramsSent {
		t.Errorf("%d packets in the trace, %d datagrams in the figures", n, s.DatagramsSent)
	}
}

// checkCounts checks the trace against the figures, and these against each other.
func checkCounts(t *testing.T, all []Event, s ConnStats) {
	t.Helper()
	rebuilt := uint64(0)
	for _, e := range named(all, EventRebuilt) {
		rebuilt += e.Count
	}
	if rebuilt != s.RecoveredByFEC {
		t.Errorf("%d symbols rebuilt in the trace, %d in the figures", rebuilt, s.RecoveredByFEC)
	}
	if k := s.Sent; k.Data+k.Repair+k.Acks+k.Control > s.BytesSent {
		t.Errorf("%+v of %d bytes sent", k, s.BytesSent)
	}
	if s.RepairUseless > s.RepairReceived {
		t.Errorf("%d of %d repair symbols were useless", s.RepairUseless, s.RepairReceived)
	}
}

// checkLines checks that each line is JSON and that no connection's time goes back.
func checkLines(t *testing.T, b []byte) {
	t.Helper()
	last := make(map[string]float64)
	n := 0
	for line := range bytes.Lines(b) {
		var e struct {
			Time float64        `json:"time_ms"`
			Conn string         `json:"connection"`
			Name string         `json:"name"`
			Data map[string]any `json:"data"`
		}
		if err := json.Unmarshal(line, &e); err != nil || len(e.Conn) != 16 || e.Name == "" || e.Time < last[e.Conn] {
			t.Fatalf("%v: %s", err, line)
		}
		last[e.Conn] = e.Time
		n++
	}
	if n < 1000 {
		t.Errorf("only %d lines", n)
	}
}

func TestATraceEndsWithItsWriter(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	trace := TraceTo(w)
	trace(Event{Name: EventSleep})
	trace(Event{Name: EventWake})
}
