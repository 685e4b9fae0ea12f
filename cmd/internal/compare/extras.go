package compare

import (
	"fmt"
	"slices"
	"time"

	"udpchat/reliable/netem"
)

// Beside what was asked for, a report shows things that need runs of their own. On virtual time: how the tail grows with
// loss and round trip, how long a first message takes, and how soon somebody is back after an outage. On the wire: what a
// transport leaves to kernel TCP that sends a file over the same link.

// An Extra is one of those links, with what it is run with.
type Extra struct {
	Link     Link
	Workload string
	Messages int
}

// The field of links that the heat map shows.
var (
	heatLosses = []int{0, 1, 5, 10, 20, 30}   // percent
	heatTrips  = []int{20, 50, 100, 200, 400} // round trip, ms
)

// ColdName, OutageName and FairName are the profiles of the extra runs with those subjects.
const (
	ColdName   = "extra-cold"
	OutageName = "extra-outage"
	FairName   = "extra-shared"
)

// fairRuns is how often each transport shares the link in a report: it takes half a minute of real time, and as few others as
// possible beside it.
const fairRuns = 2

// HeatName is the profile of a cell of the heat map.
func HeatName(lossPercent, tripMs int) string { return fmt.Sprintf("extra-%d-%d", lossPercent, tripMs) }

// HeatAxes returns loss in percent and round trips in ms.
func HeatAxes() (losses, trips []int) { return slices.Clone(heatLosses), slices.Clone(heatTrips) }

// Outages returns when the link of OutageName is dead, within a time since its start.
func Outages(until time.Duration) (from, to []time.Duration) {
	e := outageParams().Events[0]
	for at := e.First; at < until; at += e.Every {
		from, to = append(from, at), append(to, at+e.For)
	}
	return from, to
}

func outageParams() netem.Params {
	return netem.Params{
		Delay:  50 * time.Millisecond,
		Events: []netem.Event{{Kind: netem.Partition, First: 10 * time.Second, Every: 20 * time.Second, For: 5 * time.Second}},
	}
}

// extras returns all of them.
func extras() (all []Extra) {
	for _, loss := range heatLosses {
		for _, trip := range heatTrips {
			p := netem.Params{Delay: time.Duration(trip) * time.Millisecond / 2, Loss: float64(loss) / 100}
			all = append(all, Extra{Link{Name: HeatName(loss, trip), Up: p, Down: p}, "chat", messagesVirtual})
		}
	}
	p := netem.Params{Delay: 50 * time.Millisecond, Loss: 0.1}
	dead := outageParams()
	return append(all,
		Extra{Link{Name: ColdName, Up: p, Down: p}, "connect", messagesCold},
		Extra{Link{Name: OutageName, Up: dead, Down: dead}, "chat", messagesVirtual})
}

// extraSpecs returns the runs of the extras, for the transports that promise delivery.
func (m Matrix) extraSpecs(lanes map[Lane]Runner) []Spec {
	if !m.Extras {
		return nil
	}
	return append(m.virtualExtras(lanes), m.fairExtras(lanes)...)
}

// fairExtras are files, and chat of ours, beside a file over kernel TCP.
func (m Matrix) fairExtras(lanes map[Lane]Runner) (specs []Spec) {
	if lanes[LaneWire] == nil {
		return nil
	}
	link, err := LinkNamed(SharedName)
	if err != nil {
		panic("BUG: compare: " + err.Error())
	}
	link.Name = FairName
	for run := range fairRuns {
		for _, name := range m.Transports {
			t, err := TransportNamed(name)
			if err != nil || !t.Info().In(LaneWire) || t.Info().Bare {
				continue
			}
			workloads := []string{"file-beside-tcp"}
			if name == "udpchat" {
				workloads = append(workloads, "chat-beside-tcp")
			}
			for _, workload := range workloads {
				specs = append(specs, Spec{
					Transport: name, Lane: LaneWire, Workload: workload, Link: link, Seed: m.Seed + uint64(run), Run: run, Messages: messagesWire,
				})
			}
		}
	}
	return specs
}

// virtualExtras are the other ones, for transports that come in virtual time.
func (m Matrix) virtualExtras(lanes map[Lane]Runner) (specs []Spec) {
	if lanes[LaneVirtual] == nil {
		return nil
	}
	for _, e := range extras() {
		for _, name := range m.Transports {
			t, err := TransportNamed(name)
			if err != nil || !t.Info().In(LaneVirtual) || t.Info().Bare {
				continue
			}
			specs = append(specs, Spec{
				Transport: name, Lane: LaneVirtual, Workload: e.Workload, Link: e.Link, Seed: m.Seed, Messages: e.Messages,
			})
		}
	}
	return specs
}
