package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// What two files beside each other do to a queue.
type crowding struct {
	dropped, marked uint64
	mbits           float64
	queue           time.Duration // on average, as one of them sees it
}

func crowd(t *testing.T, there netem.Params, noECN bool) (f crowding) {
	const begin, end = 5 * time.Second, 20 * time.Second
	contest(t, func(t *testing.T) {
		c := NewContest(1, there, back(there))
		u := c.NewUpload(reliable.Config{NoECN: noECN}, reliable.Bulk, 1<<30)
		v := c.NewUpload(reliable.Config{NoECN: noECN}, reliable.Bulk, 1<<30)
		n, early := time.Duration(0), uint64(0) // What nothing is known of yet overruns the queue.
		for at := begin; at < end; at += 50 * time.Millisecond {
			c.RunUntil(at)
			f.queue += u.Machine(Client).Stats().QueueDelay
			if n++; n == 1 {
				counts := c.lines[Client].Link().Counts()
				early = counts.Dropped()
			}
		}
		f.queue /= n
		counts := c.lines[Client].Link().Counts()
		f.dropped, f.marked, f.mbits = counts.Dropped()-early, counts.Marked, mbits(u.Delivered+v.Delivered, end)
		u.Stop()
		v.Stop()
	})
	return f
}

// A queue that marks stays short, and hardly anything is dropped there.
func TestFilesKeepAMarkingQueueShort(t *testing.T) {
	var table strings.Builder
	for _, c := range []struct {
		rate         int64
		buffer, mark time.Duration
	}{
		{2e6, 100 * time.Millisecond, 20 * time.Millisecond},
		{20e6, 20 * time.Millisecond, 8 * time.Millisecond},
		{20e6, 100 * time.Millisecond, 8 * time.Millisecond},
	} {
		there := line(c.rate, 60*time.Millisecond, c.buffer, 0)
		there.Mark = c.mark
		without, with := crowd(t, there, true), crowd(t, there, false)
		for i, f := range []crowding{without, with} {
			fmt.Fprintf(&table, "%2d Mbit/s, buffer %v, marks from %v, heeded %-5v: %6.2f Mbit/s, %5d dropped, %5d marked, queue %v\n", c.rate/1e6,
				c.buffer, c.mark, i == 1, f.mbits, f.dropped, f.marked, f.queue.Round(100*time.Microsecond))
		}
		if with.marked == 0 || with.dropped > without.dropped/20 || with.queue > without.queue*3/4 || with.mbits < 0.85*without.mbits {
			t.Errorf("%d bit/s, %v: %+v, with marks %+v", c.rate, c.buffer, without, with)
		}
	}
	report(t, table.String())
}

// Beside a file the rate of the line is known, and copies of messages get a share of it and no more.
func TestCopiesBesideAFileStayWithinAShareOfTheLine(t *testing.T) {
	for _, c := range []struct {
		rate   int64
		every  time.Duration
		fewest float64 // copies of a message
		most   float64 // share of the line for copies
	}{
		{rate: 20_000, every: time.Second, most: 0.2},
		{rate: 1e6, every: 100 * time.Millisecond, fewest: 0.5, most: 0.2},
	} {
		contest(t, func(t *testing.T) {
			const span = 60 * time.Second
			there := line(c.rate, 60*time.Millisecond, 500*time.Millisecond, 0.05)
			k := NewContest(1, there, back(there))
			u := k.NewUpload(reliable.Config{}, reliable.Bulk, 1<<30)
			said := 0
			for at := 5 * time.Second; at < span; at += c.every {
				k.RunUntil(at)
				u.Say()
				said++
			}
			s := u.Machine(Client).Stats()
			copies, share := float64(s.RepairSent)/float64(said), mbits(int(s.Sent.Repair), span)*1e6/float64(c.rate)
			t.Logf("%d bit/s: %.2f copies of a message, %.3f of the line, rate known as %.0f bit/s, %d of %d heard", c.rate, copies, share, 8*s.DeliveryRate, len(u.Latencies), said)
			if copies < c.fewest || share > c.most {
				t.Errorf("%d bit/s: %.2f copies of a message, %.3f of the line", c.rate, copies, share)
			}
			u.Stop()
		})
	}
}
