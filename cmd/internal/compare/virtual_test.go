package compare

import (
	"context"
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// playVirtual runs a spec as state machines, in a bubble.
func playVirtual(t *testing.T, spec Spec) (r Result) {
	t.Helper()
	tr, err := TransportNamed(spec.Transport)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(*testing.T) { r = playMachines(tr.(machinist), spec) })
	return r
}

// Our machines on one goroutine and our endpoints with all of theirs are the same protocol on the same link.
func TestMachinesAndEndpointsAgree(t *testing.T) {
	for _, name := range []string{"plain", "udpchat", "udpchat-economy"} {
		spec := Spec{Transport: name, Workload: "chat", Link: lossy(0.1), Seed: 4, Messages: 500}
		machines := playVirtual(t, spec)
		tr, err := TransportNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		endpoints := playInMemory(t, tr, spec)
		a, b := percentile(machines.LatencyMs, 0.5), percentile(endpoints.LatencyMs, 0.5)
		bytes := float64(machines.Wire.Bytes()) / float64(endpoints.Wire.Bytes())
		if math.Abs(a-b) > 1 || bytes < 0.9 || bytes > 1.1 {
			t.Errorf("%s: median %v and %v ms, %.2f times the bytes", name, a, b, bytes)
		}
	}
}

// A file has a stream of its own in both, so that chat does not wait behind it.
func TestChatDoesNotWaitBehindOurFile(t *testing.T) {
	link, err := LinkNamed("upload")
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Transport: "udpchat", Workload: "file+chat", Link: link, Seed: 4, Messages: 50, Duration: 5 * time.Second}
	tr, err := TransportNamed(spec.Transport)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Result{"machines": playVirtual(t, spec), "endpoints": playInMemory(t, tr, spec)} {
		if slow := percentile(r.LatencyMs, 0.99); slow > 200 || r.FileBytes < 300_000 || r.Error != "" {
			t.Errorf("%s: messages took up to %v ms on a way of 50, %d bytes of the file arrived: %s", name, slow, r.FileBytes, r.Error)
		}
	}
}

// Every byte on the wire has a purpose, and one only.
func TestSplitAddsUpToTheWire(t *testing.T) {
	t.Parallel()
	runner := NewVirtualRunner()
	defer func() {
		if err := runner.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, tr := range Transports() {
		i := tr.Info()
		if !i.In(LaneVirtual) {
			continue
		}
		for _, workload := range []string{"chat", "echo", "file+chat"} {
			if i.Bare && workload != "chat" {
				continue
			}
			spec := Spec{
				Transport: i.Name, Lane: LaneVirtual, Workload: workload, Link: lossy(0.1), Seed: 5, Messages: 100, Duration: 2 * time.Second,
			}
			r := runner.Run(t.Context(), spec)
			if r.Split == nil {
				t.Fatalf("%s, %s: no split (%s)", i.Name, workload, r.Error)
			}
			if r.Error != "" || r.Split.Total() != r.Wire.Bytes() {
				t.Errorf("%s, %s: split %+v is %d bytes, the link saw %d (%s)", i.Name, workload, r.Split, r.Split.Total(), r.Wire.Bytes(), r.Error)
			}
			if r.Split.Payload < r.FileBytes+uint64(r.Delivered*200) {
				t.Errorf("%s, %s: %d bytes of payload in the split, %d of a file arrived", i.Name, workload, r.Split.Payload, r.FileBytes)
			}
			// Nor is payload guessed.
			if workload == "chat" && r.Split.Payload != 100*200 {
				t.Errorf("%s: %d bytes of payload in the split, want %d", i.Name, r.Split.Payload, 100*200)
			}
		}
	}
}

// A transport that adds 10 ms is seen to do so.
func TestPlantedDelayShows(t *testing.T) {
	spec := Spec{Transport: "plain", Workload: "chat", Link: lossy(0), Seed: 6, Messages: 100}
	r := playInMemory(t, slowTransport{plainTransport{}}, spec)
	for i, ms := range r.LatencyMs {
		if ms != 60 {
			t.Fatalf("message %d took %v ms, want 50 of the link and 10 of the transport", i, ms)
		}
	}
}

// slowTransport is plain, but its Write holds everything up for 10 ms.
type slowTransport struct{ plainTransport }

func (t slowTransport) Connect(ctx context.Context, f Field) (*Pair, error) {
	p, err := t.plainTransport.Connect(ctx, f)
	if err == nil {
		p.Client = slowConn{p.Client}
	}
	return p, err
}

type slowConn struct{ net.Conn }

func (c slowConn) Write(b []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	return c.Conn.Write(b)
}

// A message that the transport takes late still counts from its plan: the sender is not slowed down by what it measures.
func TestLatencyCountsFromThePlan(t *testing.T) {
	// Messages every 100 ms over a line that carries one in 200 ms: the last of 50 is late by nearly 5 s.
	link := lossy(0)
	link.Up.Rate, link.Up.Queue = 9_000, time.Minute
	r := playVirtual(t, Spec{Transport: "plain", Workload: "chat", Link: link, Seed: 7, Messages: 50})
	if last := r.LatencyMs[49]; last < 4500 || last > 6000 {
		t.Errorf("the last message took %v ms, want about 5 s", last)
	}
}

// The server's half of a conversation is sent and counted, and only the client's is timed.
func TestInAConversationBothEndsSend(t *testing.T) {
	const n = 50
	spec := Spec{Workload: "talk", Link: lossy(0), Seed: 3, Messages: n}
	for _, name := range []string{"plain", "udpchat"} { // Both ways; kcp-go's own sessions cannot live in a bubble.
		spec.Transport = name
		tr, err := TransportNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		for how, r := range map[string]Result{"machines": playVirtual(t, spec), "endpoints": playInMemory(t, tr, spec)} {
			// The run is over when the client's last message has arrived, and the server's may be on the way.
			if r.Sent != n || r.Delivered != n || len(r.LatencyMs) != n || r.BackSent != n || r.BackDelivered < n-3 {
				t.Errorf("%s, %s: %d of %d arrived and %d of %d back, %d timed", name, how, r.Delivered, r.Sent, r.BackDelivered, r.BackSent, len(r.LatencyMs))
			}
			if down := r.Wire.Down.Bytes; down < (n-3)*200 {
				t.Errorf("%s, %s: %d bytes came back", name, how, down)
			}
		}
	}
}
