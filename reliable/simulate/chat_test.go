package simulate

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"udpchat/reliable/internal/planted"
)

var messagesFlag = flag.Int("messages", 500, "how many messages TestSimulationOfChat sends at each loss")

// How long small messages take on links of 50 ms that lose more and more. The figures are for people: the test looks
// only for what cannot be.
func TestSimulationOfChat(t *testing.T) {
	if *seedFlag >= 0 {
		t.Skip("one seed alone")
	}
	var table strings.Builder
	fmt.Fprintf(&table, "one-way latency in ms, %d messages each\nloss   p50   p90   p99 p99.9   max  bytes sent for one\n", *messagesFlag)
	for _, percent := range []int{0, 1, 5, 10, 20, 25, 30} {
		c := ChatOf(uint64(percent), *messagesFlag, float64(percent)/100)
		r := simulate(t, c.Scenario(), planted.None)
		if r.Violation != nil {
			t.Fatalf("loss %d %%: %v\n%v", percent, r.Violation, r)
		}
		l := NewLatency(r.Latencies[Client])
		fmt.Fprintf(&table, "%3d %% %5d %5d %5d %5d %5d %6d\n", percent, l.P50.Milliseconds(), l.P90.Milliseconds(),
			l.P99.Milliseconds(), l.P999.Milliseconds(), l.Max.Milliseconds(), r.Stats[Client].BytesSent/uint64(l.Messages))
		if l.Messages != c.Messages || l.P50 < c.Delay || l.P50 > 2*c.Delay || l.Max > 10*time.Second {
			t.Errorf("loss %d %%: %+v", percent, l)
		}
	}
	report(t, table.String())
}
