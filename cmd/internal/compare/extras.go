package compare

import (
	"fmt"
	"slices"
	"time"

	"udpchat/reliable/netem"
)

// Beside what was asked for, a report shows three things that need runs of their own, on virtual time: how the tail grows with
// loss and round trip, how long a first message takes, and how soon somebody is back after an outage.

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

// ColdName and OutageName are the profiles of the extra runs with those subjects.
const (
	ColdName   = "extra-cold"
	OutageName = "extra-outage"
)

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

// extraSpecs returns the runs of the extras, for the transports that come in virtual time and promise delivery.
func (m Matrix) extraSpecs(lanes map[Lane]Runner) (specs []Spec) {
	if !m.Extras || lanes[LaneVirtual] == nil {
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
