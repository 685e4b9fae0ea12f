package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// A Number is a figure that may be missing: NaN is written as null (too few messages to say), +Inf as "never" (so many did not
// arrive).
type Number float64

// written is f as it is written to a file. What a header says is rounded to that at once, so that a report of the file says the same
// as one of the runs, to the last digit.
func written(f float64) Number {
	if math.IsInf(f, 0) {
		return Number(f)
	}
	return Number(math.Round(f*1000) / 1000)
}

// MarshalJSON writes n with at most three decimals.
func (n Number) MarshalJSON() ([]byte, error) {
	switch f := float64(n); {
	case math.IsNaN(f):
		return []byte("null"), nil
	case math.IsInf(f, 0):
		return []byte(`"never"`), nil
	default:
		return json.Marshal(float64(written(f)))
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		*n = Number(math.NaN())
	case `"never"`:
		*n = Number(math.Inf(1))
	default:
		var f float64
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("a figure: %w", err)
		}
		*n = Number(f)
	}
	return nil
}

// Missing reports whether there is no figure.
func (n Number) Missing() bool { return math.IsNaN(float64(n)) }

// A Range is the two ends of a 95 % interval.
type Range [2]Number

// A Summary is all runs of one transport with one workload on one link in one lane. Latencies are in ms, one way (for
// echo there and back), from the planned time; a message that did not arrive counts as one that took for ever.
type Summary struct {
	Transport string `json:"transport"`
	Profile   string `json:"profile"`
	Workload  string `json:"workload"`
	Lane      Lane   `json:"lane"`
	Runs      int    `json:"runs"`
	Failed    int    `json:"failed_runs"` // of Runs; what they had is in the figures
	Sent      int    `json:"sent"`
	Delivered int    `json:"delivered"`

	P50  Number `json:"p50_ms"`
	P90  Number `json:"p90_ms"`
	P99  Number `json:"p99_ms"`  // null if fewer than 1,000 messages were sent
	P999 Number `json:"p999_ms"` // null if fewer than 10,000
	Max  Number `json:"max_ms"`
	CI50 Range  `json:"ci95_p50_ms"`
	CI99 Range  `json:"ci95_p99_ms"`

	Connect Number `json:"connect_p50_ms"` // time until the client may send

	// WirePerUseful is what both directions carried, handshakes and IP headers included, for a byte that was delivered.
	WirePerUseful     Number `json:"wire_bytes_per_useful_byte"`
	PacketsPerMessage Number `json:"packets_per_message"`
	Goodput           Number `json:"goodput_mbit_per_s"` // files; null without
	CIGoodput         Range  `json:"ci95_goodput_mbit_per_s"`
	Dropped           Number `json:"link_loss_percent"` // of the packets given to the link, both directions
	// Beside is what the file beside got, and BesideShare its share of what both files did, 50 being fair; medians of the
	// runs, without the first seconds. Null: there was none.
	Beside      Number `json:"beside_mbit_per_s"`
	BesideShare Number `json:"beside_share_percent"`
	Split       *Split `json:"split,omitempty"` // sum of all runs
}

// Undelivered is how many did not arrive.
func (s *Summary) Undelivered() int { return s.Sent - s.Delivered }

// Summarise sums up results by transport, profile, workload and lane, in the order of their first run. Runs of
// calibration are left out.
func Summarise(results []Result) []Summary {
	type key struct {
		transport, profile, workload string
		lane                         Lane
	}
	groups := map[key][]*Result{}
	var order []key
	for i := range results {
		r := &results[i]
		if isCalibration(r.Profile) {
			continue
		}
		k := key{r.Transport, r.Profile, r.Workload, r.Lane}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	var all []Summary
	for _, k := range order {
		all = append(all, summarise(groups[k]))
	}
	return all
}

func summarise(runs []*Result) Summary {
	nan := Number(math.NaN())
	s := Summary{
		Transport: runs[0].Transport, Profile: runs[0].Profile, Workload: runs[0].Workload, Lane: runs[0].Lane, Runs: len(runs),
		P99: nan, P999: nan, WirePerUseful: nan, PacketsPerMessage: nan, Goodput: nan, Dropped: nan,
		Beside: nan, BesideShare: nan,
		CI50: Range{nan, nan}, CI99: Range{nan, nan}, CIGoodput: Range{nan, nan},
	}
	w, _ := WorkloadNamed(s.Workload) // An unknown one has no figures of its own.
	var latencies, connects []float64
	var byRun [][]float64
	var wire Wire
	var fileBytes uint64
	var backSent, backDelivered int
	var seconds float64
	var goodputs []float64
	for _, r := range runs {
		if r.Error != "" {
			s.Failed++
		}
		s.Sent += r.Sent
		s.Delivered += r.Delivered
		backSent += r.BackSent
		backDelivered += r.BackDelivered
		latencies = append(latencies, r.LatencyMs...)
		byRun = append(byRun, r.LatencyMs)
		connects = append(connects, r.ConnectMs)
		wire.Up.add(r.Wire.Up)
		wire.Down.add(r.Wire.Down)
		fileBytes += r.FileBytes
		seconds += r.FileSeconds
		if r.FileSeconds > 0 {
			goodputs = append(goodputs, float64(r.FileBytes)*8/1e6/r.FileSeconds)
		}
		if r.Split != nil {
			if s.Split == nil {
				s.Split = new(Split)
			}
			s.Split.add(*r.Split)
		}
	}
	inOrder := sorted(latencies)
	s.P50, s.P90, s.Max = Number(quantile(inOrder, 0.5)), Number(quantile(inOrder, 0.9)), Number(quantile(inOrder, 1))
	s.CI50 = rangeOf(byRun, 0.5)
	if s.Sent >= messagesForP99 {
		s.P99, s.CI99 = Number(quantile(inOrder, 0.99)), rangeOf(byRun, 0.99)
	}
	if s.Sent >= messagesForP999 {
		s.P999 = Number(quantile(inOrder, 0.999))
	}
	s.Connect = Number(percentile(connects, 0.5))
	useful := uint64((s.Delivered+backDelivered)*w.Bytes) + fileBytes
	if w.Echo && !w.Relay { // A SENT repeats nothing of the message.
		useful += uint64(s.Delivered * w.Bytes)
	}
	if useful > 0 && w.Beside == "" { // Otherwise the wire's bytes are not all the transport's.
		s.WirePerUseful = Number(float64(wire.Bytes()) / float64(useful))
	}
	if s.Sent > 0 && !w.File && w.Beside == "" {
		s.PacketsPerMessage = Number(float64(wire.Packets()) / float64(s.Sent+backSent))
	}
	if w.File && seconds > 0 {
		s.Goodput = Number(float64(fileBytes) * 8 / 1e6 / seconds)
		low, high := meanInterval(goodputs)
		s.CIGoodput = Range{Number(low), Number(high)}
	}
	s.Beside, s.BesideShare = sharing(runs)
	if p := wire.Packets(); p > 0 {
		s.Dropped = Number(100 * float64(wire.Up.Dropped+wire.Down.Dropped) / float64(p))
	}
	return s
}

func rangeOf(runs [][]float64, share float64) Range {
	low, high := interval(runs, share)
	return Range{Number(low), Number(high)}
}

// Find returns the summary of that kind, nil if there is none.
func Find(all []Summary, transport, profile, workload string) *Summary {
	i := slices.IndexFunc(all, func(s Summary) bool {
		return s.Transport == transport && s.Profile == profile && s.Workload == workload
	})
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Differ reports whether two 95 % intervals leave a gap; if they overlap, or one is missing, no difference was shown.
func (r Range) Differ(o Range) bool {
	for _, n := range []Number{r[0], r[1], o[0], o[1]} {
		if n.Missing() {
			return false
		}
	}
	return r[1] < o[0] || o[1] < r[0]
}
