package compare

import (
	"testing"
	"time"

	"udpchat/reliable/netem"
)

// kcp-go's sessions run on virtual time as they do on the clock of the wall: the same protocol, minutes in a moment.
func TestKCPSessionRunsOnVirtualTime(t *testing.T) {
	if !kcpSchedKnown() {
		t.Fatal("kcp-go's scheduler has changed: look at kcpSched")
	}
	p := netem.Params{Delay: 50 * time.Millisecond}
	spec := Spec{
		Transport: "kcp-fec", Lane: LaneVirtual, Workload: "chat", Seed: 8, Messages: 600,
		Link: Link{Name: "test", Up: p, Down: p},
	}
	r := NewVirtualRunner()
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	start := time.Now()
	res := r.Run(t.Context(), spec)
	if res.Error != "" || res.Delivered != res.Sent {
		t.Fatalf("%d of %d delivered: %s", res.Delivered, res.Sent, res.Error)
	}
	if median := percentile(res.LatencyMs, 0.5); median != 50 {
		t.Errorf("median %v ms on a link of 50 ms without loss", median)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("a minute of virtual time took %v", took)
	}
}
