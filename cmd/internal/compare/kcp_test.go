package compare

import "testing"

// To kcp-go a client that moves is a new one, whose session nobody asked for: messages are lost, but the run ends whole.
func TestKCPSessionsOfAClientThatMovesEndWithTheRun(t *testing.T) {
	if !kcpSchedKnown() {
		t.Skip("kcp-go does not run on virtual time here")
	}
	t.Parallel()
	link, err := LinkNamed("roam")
	if err != nil {
		t.Fatal(err)
	}
	r := NewVirtualRunner()
	res := r.Run(t.Context(), Spec{Transport: "kcp-fec", Lane: LaneVirtual, Workload: "chat", Link: link, Seed: 1, Messages: 350})
	if err := r.Close(); err != nil || res.Error != "" {
		t.Errorf("%v, %s", err, res.Error)
	}
	if res.Delivered < 100 || res.Delivered > 349 {
		t.Errorf("%d of 350 delivered: the client did not move", res.Delivered)
	}
}
