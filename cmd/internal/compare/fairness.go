package compare

import (
	"slices"
	"time"

	"udpchat/reliable/netem"
)

// FairnessLink is the link that shows how two flows share a bottleneck: 10 Mbit/s, a round trip of 100 ms, a buffer of 100 ms.
func FairnessLink() Link {
	p := netem.Params{Delay: 50 * time.Millisecond, Rate: 10_000_000, Queue: 100 * time.Millisecond}
	return Link{Name: "shared-10mbit", Text: "10 Mbit/s, 50 ms one way, 100 ms of buffer, no loss but its own", Up: p, Down: p}
}

// settle is how long flows have to find their rates before it counts.
const settle = 5 * time.Second

// FairnessSpec is a run of the transport beside one kernel CUBIC flow on that link. Workload is file, or chat.
func FairnessSpec(transport, workload string, seed uint64, run int) Spec {
	const lasts = 30 * time.Second
	return Spec{
		Transport: transport, Workload: workload, Beside: "tcp-cubic", Link: FairnessLink(), Seed: seed, Run: run,
		Duration: lasts, Messages: int(lasts / (100 * time.Millisecond)), Wait: time.Second,
	}
}

// AloneSpec is a kernel CUBIC flow alone on the same link, to compare with.
func AloneSpec(seed uint64, run int) Spec {
	s := FairnessSpec("tcp-cubic", "file", seed, run)
	s.Beside = ""
	return s
}

// Fairness is how a transport and a kernel CUBIC flow shared a bottleneck, in Mbit/s of payload after the first seconds.
// Figures are medians over the runs.
type Fairness struct {
	Transport string `json:"transport"`
	Workload  string `json:"workload"`
	Runs      int    `json:"runs"`
	// OwnMbit is what the transport's file got, 0 if it sent messages only.
	OwnMbit      float64 `json:"own_mbit_per_s"`
	TCPMbit      float64 `json:"tcp_mbit_per_s"`
	TCPAloneMbit float64 `json:"tcp_alone_mbit_per_s"`
	// TCPShare is the TCP flow's share of what both files got: a fair one is 0.5. TCPKept is how much it has of what it
	// would have alone.
	TCPShare float64 `json:"tcp_share"`
	TCPKept  float64 `json:"tcp_kept"`
	Failed   int     `json:"failed"` // Runs that ended with an error; they do not count.
}

// FairnessOf sums up runs of one FairnessSpec, and runs of AloneSpec.
func FairnessOf(beside, alone []Result) Fairness {
	var f Fairness
	var own, tcp, share, single []float64
	for i := range beside {
		r := &beside[i]
		f.Transport, f.Workload = r.Transport, r.Workload
		if r.Error != "" || r.Beside == nil || r.Beside.Error != "" {
			f.Failed++
			continue
		}
		o, c := r.goodput(settle), r.Beside.goodput(settle)
		own, tcp = append(own, o), append(tcp, c)
		if o+c > 0 {
			share = append(share, c/(o+c))
		}
	}
	for i := range alone {
		if alone[i].Error == "" {
			single = append(single, alone[i].goodput(settle))
		}
	}
	f.Runs = len(own)
	f.OwnMbit, f.TCPMbit, f.TCPAloneMbit, f.TCPShare = median(own), median(tcp), median(single), median(share)
	if f.TCPAloneMbit > 0 {
		f.TCPKept = f.TCPMbit / f.TCPAloneMbit
	}
	return f
}

// goodput is what a file got from a time after its beginning on, in Mbit/s.
func (r *Result) goodput(from time.Duration) float64 {
	skip := min(int(from/time.Second), len(r.FileByTime))
	seconds := r.FileSeconds - float64(skip)
	if seconds <= 0 {
		return 0
	}
	sum := uint64(0)
	for _, n := range r.FileByTime[skip:] {
		sum += n
	}
	return float64(sum) * 8 / seconds / 1e6
}

// median returns the middle value, 0 of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
