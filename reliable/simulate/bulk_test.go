package simulate

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

var uploadFlag = flag.Duration("upload", 10*time.Second, "how long the uploads of TestSimulationOfBulk take")

// line is a link with a rate in bits a second, half the round trip, and a buffer.
func line(rate int64, rtt, buffer time.Duration, loss float64) netem.Params {
	return netem.Params{Rate: rate, Delay: rtt / 2, Queue: buffer, Loss: loss, Grain: time.Millisecond}
}

// back is the way back: as bad, but never the bottleneck.
func back(p netem.Params) netem.Params {
	p.Rate, p.Queue = 0, 0
	return p
}

// contest plays a contest in a bubble.
func contest(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func mbits(bytes int, d time.Duration) float64 { return float64(bytes) * 8 / d.Seconds() / 1e6 }

// What one file gets of a line that loses packets. The figures are for people.
func TestSimulationOfBulk(t *testing.T) {
	if *seedFlag >= 0 {
		t.Skip("one seed alone")
	}
	var table strings.Builder
	fmt.Fprintf(&table, "20 Mbit/s, 100 ms, buffer of 100 ms; Mbit/s over %v from the start\n", *uploadFlag)
	fmt.Fprintf(&table, "lane    loss  goodput  offered  ratio  both ways  packets/useful  queue p50 p90 ms  held\n")
	for _, lane := range []reliable.Lane{reliable.Bulk, reliable.Express} {
		for _, percent := range []float64{0, 1, 5, 10, 20, 30} {
			contest(t, func(t *testing.T) {
				there := line(20e6, 100*time.Millisecond, 100*time.Millisecond, percent/100)
				c := NewContest(1, there, back(there))
				u := c.NewUpload(reliable.Config{}, lane, 1<<30)
				c.RunUntil(*uploadFlag)
				good := mbits(u.Delivered, *uploadFlag)
				up, down := mbits(u.Offered[Client], *uploadFlag), mbits(u.Offered[Server], *uploadFlag)
				s := u.Machine(Client).Stats()
				fmt.Fprintf(&table, "%-8v %3.0f %%  %6.2f  %6.2f   %5.3f  %5.3f  %5.3f  %v  %d held, window %d, rate %.1f, %d back-offs, %d resent, drops %v\n", lane, percent, good, up, up/good,
					(up+down)/good, float64(u.Packets[Client])*1109/float64(u.Delivered), s.QueueDelay, s.ResendsHeld, s.WindowBytes, s.DeliveryRate*8/1e6, s.BackOffs, s.Retransmits,
					c.lines[Client].Link().Counts().DroppedFor)
				u.Stop()
			})
		}
	}
	report(t, table.String())
}
