package compare

import (
	"slices"
	"testing"
	"time"
)

// On a link without loss the protocol adds nothing to it: the FORWARD comes after one way, the SENT after both. The gap
// that the front-end keeps between two messages to one connection is over by the next message.
func TestRelayTakesTheDelayOfTheLink(t *testing.T) {
	for workload, want := range map[string]float64{"relay": 50, "relay-sent": 100} {
		tr, err := TransportNamed("udpchat")
		if err != nil {
			t.Fatal(err)
		}
		r := playInMemory(t, tr, Spec{Transport: "udpchat", Workload: workload, Link: lossy(0), Seed: 1, Messages: 20})
		for i, ms := range r.LatencyMs {
			if ms < want || ms > want+2 { // Our transport may wait for a millisecond.
				t.Errorf("%s: message %d took %v ms, want %v", workload, i, ms, want)
			}
		}
		// The registrations are said once, and echoed with two letters more. A run ends when all it counts has come.
		bytes := 20*(200+len("SENT carol\n\n")) + 4*len("REGISTER TOSEND alice\n\n") + 2*len("ED")
		if workload == "relay" {
			bytes -= len("SENT carol\n\n")
		}
		if r.Delivered != 20 || r.PayloadBytes != uint64(bytes) {
			t.Errorf("%s: %d of 20 delivered, %d bytes; want %d", workload, r.Delivered, r.PayloadBytes, bytes)
		}
		if gap := r.PlannedMs[1] - r.PlannedMs[0]; gap < 900 || gap > 1100 {
			t.Errorf("%s: the plan has %v ms between messages, want about 1000", workload, gap)
		}
	}
}

// The sender waits for SENT, and what had to wait counts from its planned time. On a link of 700 ms every message is late
// for the next one.
func TestRelayCountsFromThePlan(t *testing.T) {
	tr, err := TransportNamed("udpchat")
	if err != nil {
		t.Fatal(err)
	}
	link := lossy(0)
	link.Up.Delay, link.Down.Delay = 700*time.Millisecond, 700*time.Millisecond
	r := playInMemory(t, tr, Spec{Transport: "udpchat", Workload: "relay", Link: link, Seed: 1, Messages: 10})
	if !slices.IsSorted(r.LatencyMs) || r.Delivered != 10 {
		t.Fatalf("%d of 10 delivered, after %v ms", r.Delivered, r.LatencyMs)
	}
	for i, ms := range r.LatencyMs {
		if want := float64(i)*1400 + 700 - (r.PlannedMs[i] - r.PlannedMs[0]); ms < want || ms > want+20 {
			t.Errorf("message %d took %v ms, want %v", i, ms, want)
		}
	}
}

// Nothing is lost on a link that loses, and nothing comes before its time.
func TestRelaySurvivesLoss(t *testing.T) {
	tr, err := TransportNamed("udpchat")
	if err != nil {
		t.Fatal(err)
	}
	r := playInMemory(t, tr, Spec{Transport: "udpchat", Workload: "relay-sent", Link: lossy(0.2), Seed: 3, Messages: 100})
	if quickest := slices.Min(r.LatencyMs); r.Delivered != 100 || quickest < 100 {
		t.Errorf("%d of 100 delivered, the quickest in %v ms on a round trip of 100", r.Delivered, quickest)
	}
}
