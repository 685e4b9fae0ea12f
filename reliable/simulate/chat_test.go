package simulate

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/netem"
)

var messagesFlag = flag.Int("messages", 500, "how many messages TestSimulationOfChat sends at each loss")

// How long small messages take on links of 50 ms that lose more and more, with every kind of redundancy. The figures are
// for people: the test looks only for what cannot be.
func TestSimulationOfChat(t *testing.T) {
	slow(t)
	var table strings.Builder
	fmt.Fprintf(&table, "one-way latency in ms, %d messages each; bytes in IP packets, both ways, for one byte of message\n", *messagesFlag)
	fmt.Fprintf(&table, "link       redundancy   p50   p90   p99 p99.9   max  bytes  repair symbols\n")
	for i, link := range chatLinks() {
		for mode, name := range []string{"latency", "economy", "off"} {
			c := ChatOf(uint64(i), *messagesFlag, link.params)
			c.Redundancy = reliable.Redundancy(mode)
			r := simulate(t, c.Scenario(), planted.None)
			if r.Violation != nil {
				t.Fatalf("%s, %s: %v\n%v", link.name, name, r.Violation, r)
			}
			l := NewLatency(r.Latencies[Client])
			up, down := r.Stats[Client], r.Stats[Server]
			bytes := up.BytesSent + down.BytesSent + 28*(up.DatagramsSent+down.DatagramsSent)
			fmt.Fprintf(&table, "%-10s %-10s %5d %5d %5d %5d %5d %6.2f %6.2f\n", link.name, name, l.P50.Milliseconds(), l.P90.Milliseconds(),
				l.P99.Milliseconds(), l.P999.Milliseconds(), l.Max.Milliseconds(),
				float64(bytes)/float64(l.Messages*c.Bytes), float64(up.RepairSent)/float64(l.Messages))
			if l.Messages != c.Messages || l.P50 < link.params.Delay || l.P50 > 100*time.Millisecond || l.Max > 10*time.Second {
				t.Errorf("%s, %s: %+v", link.name, name, l)
			}
		}
	}
	report(t, table.String())
}

type chatLink struct {
	name   string
	params netem.Params
}

func chatLinks() (links []chatLink) {
	for _, percent := range []int{0, 1, 5, 10, 20, 25, 30} {
		links = append(links, chatLink{fmt.Sprintf("lossy-%d", percent), netem.Params{Loss: float64(percent) / 100}})
	}
	for _, b := range []struct{ percent, ms int }{{5, 10}, {5, 20}, {5, 30}, {5, 50}, {10, 30}} {
		burst := netem.Burst{Share: float64(b.percent) / 100, Mean: time.Duration(b.ms) * time.Millisecond}
		links = append(links, chatLink{fmt.Sprintf("burst-%d-%d", b.percent, b.ms), netem.Params{Burst: burst}})
	}
	return links
}
