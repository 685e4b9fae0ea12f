package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/netem"
)

// A chat on a line of 20 kbit/s, that loses besides, must not be choked by its own copies: the queue in front of the line
// does not grow without end, and a message is sent hardly more than twice.
func TestSimulationOfChatOnANarrowLine(t *testing.T) {
	slow(t)
	gprs, err := netem.ProfileNamed("2g-rural")
	if err != nil {
		t.Fatal(err)
	}
	gprs.Up.Grain = time.Millisecond
	narrow := netem.Params{Rate: 20_000, Queue: 4 * time.Second, Delay: 50 * time.Millisecond, Loss: 0.1, Grain: time.Millisecond}
	var table strings.Builder
	for i, c := range []struct {
		name  string
		link  netem.Params
		every time.Duration
		most  time.Duration // that 99 of 100 messages may take
	}{
		{"20 kbit/s, 10 % loss", narrow, 400 * time.Millisecond, 3000 * time.Millisecond},
		{"20 kbit/s, 10 % loss, fast", narrow, 200 * time.Millisecond, 4000 * time.Millisecond},
		{"2g-rural", gprs.Up, 400 * time.Millisecond, 4 * time.Second},
	} {
		chat := Chat{Seed: uint64(i), Messages: 1000, Bytes: 200, Every: c.every, Link: c.link}
		r := simulate(t, chat.Scenario(), planted.None)
		if r.Violation != nil {
			t.Fatalf("%s: %v\n%v", c.name, r.Violation, r)
		}
		all := r.Latencies[Client]
		first, last := NewLatency(all[:len(all)/2]), NewLatency(all[len(all)/2:])
		s := r.Stats[Client]
		copies := float64(s.RepairSent) / float64(len(all))
		fmt.Fprintf(&table, "%-28s p50 %5d p99 %5d, in the second half %5d %5d ms; %.2f copies a message, %d resent\n", c.name, first.P50.Milliseconds(),
			first.P99.Milliseconds(), last.P50.Milliseconds(), last.P99.Milliseconds(), copies, s.Retransmits)
		if last.P50 > 2*first.P50+100*time.Millisecond || last.P99 > c.most {
			t.Errorf("%s: the queue grows: %+v, then %+v", c.name, first, last)
		}
		if copies > 2 {
			t.Errorf("%s: %.2f copies of a message on so narrow a line", c.name, copies)
		}
	}
	report(t, table.String())
}
