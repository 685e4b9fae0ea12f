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

var uploadFlag = flag.Duration("upload", 2*time.Second, "how long the uploads of TestSimulationOfBulk take; other tests of files take some times that")

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
	slow(t)
	var table strings.Builder
	fmt.Fprintf(&table, "20 Mbit/s, round trip 100 ms, buffer of 100 ms; over %v from the first hello; Mbit/s of useful bytes, of IP packets\n", *uploadFlag)
	fmt.Fprintf(&table, "lane     loss  goodput  offered  ratio  with acks  resent  held back  back-offs\n")
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
				fmt.Fprintf(&table, "%-8v %3.0f %%  %6.2f  %6.2f   %5.3f  %5.3f    %6d  %6d     %4d\n", lane, percent, good, up, up/good,
					(up+down)/good, s.Retransmits, s.ResendsHeld, s.BackOffs)
				u.Stop()
			})
		}
	}
	report(t, table.String())
}

// How long messages take beside a file on the same connection, on lines with long queues.
func TestSimulationOfChatBesideAFile(t *testing.T) {
	slow(t)
	var table strings.Builder
	fmt.Fprintf(&table, "a message of 200 bytes every 100 ms beside a file on a bulk stream; ms one way, 50 of them propagation\n")
	fmt.Fprintf(&table, "line                loss   p50   p90   p99 p99.9   max  file Mbit/s of goodput, share of the line\n")
	for _, l := range []struct {
		name   string
		rate   int64
		buffer time.Duration
		loss   float64
	}{
		{"1 Mbit/s, 1 s", 1e6, time.Second, 0}, {"1 Mbit/s, 1 s", 1e6, time.Second, 0.02},
		{"256 kbit/s, 2 s", 256e3, 2 * time.Second, 0}, {"20 Mbit/s, 100 ms", 20e6, 100 * time.Millisecond, 0},
		{"20 Mbit/s, 100 ms", 20e6, 100 * time.Millisecond, 0.05},
	} {
		contest(t, func(t *testing.T) {
			there := line(l.rate, 100*time.Millisecond, l.buffer, l.loss)
			c := NewContest(2, there, back(there))
			u := c.NewUpload(reliable.Config{}, reliable.Bulk, 1<<30)
			span := min(400*time.Second, 12**uploadFlag)
			for at := time.Second; at < span; at += 100 * time.Millisecond {
				c.At(at+time.Duration(at/(100*time.Millisecond)%7)*time.Millisecond, u.Say)
			}
			c.RunUntil(span)
			lat := NewLatency(u.Latencies)
			good := mbits(u.Delivered, span)
			fmt.Fprintf(&table, "%-18s %4.0f %% %5d %5d %5d %5d %5d  %6.2f  %3.0f %%\n", l.name, 100*l.loss, lat.P50.Milliseconds(),
				lat.P90.Milliseconds(), lat.P99.Milliseconds(), lat.P999.Milliseconds(), lat.Max.Milliseconds(), good,
				100*float64(u.Offered[Client])*8/span.Seconds()/float64(l.rate))
			u.Stop()
		})
	}
	report(t, table.String())
}

// How two files share a line: Jain's index is 1 when both get the same, 1/2 when one gets all.
func TestSimulationOfTwoFilesThatShare(t *testing.T) {
	slow(t)
	var table strings.Builder
	fmt.Fprintf(&table, "two connections with a file each, the second 5 s later; Mbit/s in the last half, Jain's index\n")
	for _, l := range []struct {
		rate   int64
		buffer time.Duration
		loss   float64
	}{{20e6, 100 * time.Millisecond, 0}, {20e6, 100 * time.Millisecond, 0.02}, {10e6, 100 * time.Millisecond, 0}, {2e6, 500 * time.Millisecond, 0}} {
		contest(t, func(t *testing.T) {
			there := line(l.rate, 100*time.Millisecond, l.buffer, l.loss)
			c := NewContest(3, there, back(there))
			first := c.NewUpload(reliable.Config{}, reliable.Bulk, 1<<30)
			var second *Upload
			c.At(5*time.Second, func() { second = c.NewUpload(reliable.Config{}, reliable.Bulk, 1<<30) })
			half := 6 * *uploadFlag
			c.RunUntil(half)
			a, b := first.Delivered, second.Delivered
			c.RunUntil(2 * half)
			x, y := mbits(first.Delivered-a, half), mbits(second.Delivered-b, half)
			fmt.Fprintf(&table, "%3d Mbit/s, %v, loss %.0f %%: %.2f and %.2f, %.3f\n", l.rate/1e6, l.buffer, 100*l.loss, x, y,
				(x+y)*(x+y)/(2*(x*x+y*y)))
			first.Stop()
			second.Stop()
		})
	}
	report(t, table.String())
}

// How a file shares a line with a flow that does as TCP CUBIC does.
func TestSimulationOfAFileBesideCUBIC(t *testing.T) {
	slow(t)
	var table strings.Builder
	fmt.Fprintf(&table, "10 Mbit/s, a file beside a flow like CUBIC; Mbit/s of IP packets over a minute, CUBIC's share\n")
	for _, rtt := range []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond} {
		for _, l := range []struct {
			buffer time.Duration
			late   bool
		}{{100 * time.Millisecond, false}, {100 * time.Millisecond, true}, {25 * time.Millisecond, false}} {
			contest(t, func(t *testing.T) {
				there := line(10e6, rtt, l.buffer, 0)
				c := NewContest(4, there, back(there))
				tcp := c.NewCubic()
				var u *Upload
				begin := func() { u = c.NewUpload(reliable.Config{}, reliable.Bulk, 1<<30) }
				if l.late {
					c.At(10*time.Second, begin)
				} else {
					begin()
				}
				c.RunUntil(20 * time.Second)
				a, b := tcp.Delivered, u.Delivered
				c.RunUntil(80 * time.Second)
				x, y := mbits(tcp.Delivered-a, time.Minute), mbits(u.Delivered-b, time.Minute)
				fmt.Fprintf(&table, "round trip %v, buffer %v, ours later %-5v: CUBIC %.2f, ours %.2f, CUBIC's share %.0f %%\n", rtt, l.buffer, l.late, x, y, 100*x/(x+y))
				u.Stop()
			})
		}
	}
	report(t, table.String())
}
