package simulate

import (
	"slices"
	"testing"
	"time"

	"udpchat/reliable"
)

// Files share a line with a flow that fills its queue until packets are lost: neither starves the other. When it has gone,
// they are soon good neighbours again, to each other and to chat, although meanwhile each took the others for such a flow.
func TestSimulationOfFilesBesideCUBICThatLeaves(t *testing.T) {
	slow(t)
	for _, tt := range []struct {
		files       int
		rtt, buffer time.Duration
		first       bool // CUBIC begins, 5 s before the files; otherwise 5 s after the first
	}{
		{1, 100 * time.Millisecond, 100 * time.Millisecond, false},
		{1, 100 * time.Millisecond, 100 * time.Millisecond, true},
		{1, 20 * time.Millisecond, 500 * time.Millisecond, false},
		{3, 100 * time.Millisecond, 100 * time.Millisecond, false},
	} {
		contest(t, func(t *testing.T) {
			there := line(10e6, tt.rtt, tt.buffer, 0)
			c := NewContest(5, there, back(there))
			var tcp *Cubic
			var files []*Upload
			for i := range tt.files {
				at := time.Duration(i) * time.Second
				if tt.first {
					at += 5 * time.Second
				}
				c.At(at, func() { files = append(files, c.NewUpload(reliable.Config{}, reliable.Bulk, 1<<30)) })
			}
			at := 5 * time.Second
			if tt.first {
				at = 0
			}
			c.At(at, func() { tcp = c.NewCubic() })
			got := func() (all []int) {
				for _, u := range files {
					all = append(all, u.Delivered)
				}
				return append(all, tcp.Delivered)
			}
			const settled, together, gone = 20 * time.Second, 100 * time.Second, 145 * time.Second
			c.RunUntil(settled)
			before := got()
			c.RunUntil(together)
			after, sum := got(), 0
			for i := range after {
				after[i] -= before[i]
				sum += after[i]
			}
			fair := float64(sum) / float64(len(after))
			for i, n := range after {
				least := 0.35 // Of its fair share.
				if i == tt.files {
					least = 0.8
				}
				if share := float64(n) / fair; share < least {
					t.Errorf("%+v: flow %d of %d got %.2f of its fair share, want %.2f", tt, i+1, len(after), share, least)
				}
			}
			tcp.Stop()
			c.RunUntil(gone)
			for at := gone; at < gone+20*time.Second; at += 100 * time.Millisecond {
				c.At(at, files[0].Say)
			}
			c.RunUntil(gone + 21*time.Second)
			if extra := slices.Max(files[0].Latencies) - tt.rtt/2; extra > 75*time.Millisecond {
				t.Errorf("%+v: messages take %v longer, %v after CUBIC has gone", tt, extra, gone-together)
			}
			for _, u := range files {
				u.Stop()
			}
		})
	}
}
