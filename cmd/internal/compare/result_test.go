package compare

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"
)

// A run that was cut off has delivered nothing, and its messages are missing from no percentile; nor do the figures of the
// others get lost with it.
func TestMessagesOfARunThatWasCutOffHaveNotArrived(t *testing.T) {
	for workload, back := range map[string]int{"chat": 0, "talk": 500} {
		whole := unplayed(Spec{Transport: "kcp", Workload: workload, Messages: 500}, errors.New("none"))
		whole.Error, whole.Delivered = "", 500
		for i := range whole.LatencyMs {
			whole.LatencyMs[i] = 50
		}
		cut := unplayed(Spec{Transport: "kcp", Workload: workload, Messages: 500}, context.DeadlineExceeded)
		f := NewFile(Matrix{Transports: []string{"kcp"}, Workloads: []string{workload}}, nil, []Result{whole, cut}, false, time.Unix(0, 0))
		s := f.Summary[0]
		if s.Sent != 1000 || s.Undelivered() != 500 || s.Failed != 1 || s.P50 != 50 || !(s.P90 > 1e9) || cut.BackSent != back {
			t.Errorf("%s: %+v", workload, s)
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(&b); err != nil {
			t.Error(err)
		}
	}
}
