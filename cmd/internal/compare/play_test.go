package compare

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/netem"
)

// playInMemory runs a spec on a link in memory, in a bubble.
func playInMemory(t *testing.T, tr Transport, spec Spec) (r Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r = Play(t.Context(), tr, newMemoryField(spec.Link, spec.Seed), spec)
	})
	if r.Error != "" {
		t.Fatalf("%s, seed %d: %s", spec.Transport, spec.Seed, r.Error)
	}
	return r
}

// lossy is a link of 50 ms that loses a share of the datagrams, the same each way.
func lossy(share float64) Link {
	p := netem.Params{Delay: 50 * time.Millisecond, Loss: share}
	return Link{Name: "test", Up: p, Down: p}
}

// The ruler itself: bare datagrams take exactly as long as the link.
func TestPlainTakesTheDelayOfTheLink(t *testing.T) {
	r := playInMemory(t, plainTransport{}, Spec{Transport: "plain", Workload: "chat", Link: lossy(0), Seed: 1, Messages: 200})
	for i, ms := range r.LatencyMs {
		if ms != 50 {
			t.Fatalf("message %d took %v ms, want 50", i, ms)
		}
	}
	want := Traffic{Packets: 200, Bytes: 200 * (200 + 28)}
	if r.Delivered != 200 || r.Wire.Up != want || r.Wire.Down != (Traffic{}) {
		t.Errorf("got %d delivered, wire %+v, want 200 and %+v up", r.Delivered, r.Wire, want)
	}
}

func TestPlainLosesWhatTheLinkLoses(t *testing.T) {
	const n = 20_000
	r := playInMemory(t, plainTransport{}, Spec{Transport: "plain", Workload: "chat", Link: lossy(0.1), Seed: 2, Messages: n})
	lost := float64(r.Sent-r.Delivered) / n
	if math.Abs(lost-0.1) > 0.01 || int(r.Wire.Up.Dropped) != r.Sent-r.Delivered {
		t.Errorf("%.3f of the messages lost, %d datagrams dropped; want 0.1 of both", lost, r.Wire.Up.Dropped)
	}
}

func TestPlanIsTheSameForTheSameSeed(t *testing.T) {
	for _, w := range Workloads() {
		a, b := w.Plan(7, 100), w.Plan(7, 100)
		for i := range a {
			if a[i] != b[i] || i > 0 && a[i] < a[i-1] || a[i]%time.Millisecond != 0 {
				t.Fatalf("%s: message %d at %v and %v", w.Name, i, a[i], b[i])
			}
		}
	}
}
