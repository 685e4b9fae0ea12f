package simulate

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// dice draw scenarios.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x5eed))} }

func (d dice) chance(p float64) bool { return d.Float64() < p }

// upTo draws evenly from 0 to limit.
func (d dice) upTo(limit float64) float64 { return d.Float64() * limit }

// between draws whole milliseconds evenly.
func (d dice) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(d.Float64()*float64(high-low))).Truncate(time.Millisecond)
}

// log draws so that every order of magnitude is as likely.
func (d dice) log(low, high int) int {
	return int(float64(low) * math.Pow(float64(high)/float64(low), d.Float64()))
}

// NewScenario draws a scenario.
func NewScenario(seed uint64) *Scenario {
	d := newDice(seed)
	s := &Scenario{
		Seed:   seed,
		HealAt: d.between(5*time.Second, 30*time.Second),
		Config: reliable.Config{
			HandshakeTimeout: 2 * time.Minute,
			IdleTimeout:      d.between(16*time.Second, time.Minute),
			Linger:           d.between(3*time.Second, 20*time.Second),
			Redundancy:       d.redundancy(),
		},
		Pause: d.between(0, 3*time.Second),
	}
	s.Links[Client] = d.link(s.HealAt)
	s.Links[Server] = s.Links[Client]
	if d.chance(0.5) {
		s.Links[Server] = d.link(s.HealAt)
	}
	d.drawPlans(s)
	newDice(seed ^ 1<<63).drawStreams(s) // Other numbers, so that streams do not change what else happens.
	d.drawEnding(s)
	d.drawPaths(s)
	newDice(seed ^ 1<<62).drawMarks(s)
	return s
}

func (d dice) redundancy() reliable.Redundancy {
	switch u := d.Float64(); {
	case u < 0.2:
		return reliable.RedundancyOff
	case u < 0.4:
		return reliable.RedundancyEconomy
	}
	return reliable.RedundancyLatency
}

// drawEnding decides how it ends.
func (d dice) drawEnding(s *Scenario) {
	s.Closer = Side(d.IntN(2))
	switch u := d.Float64(); {
	case u < 0.40:
		s.Ending = EndQuiet
	case u < 0.65:
		s.Ending = EndAbrupt
		if d.chance(0.4) { // Nobody reads just then.
			from := max(0, s.Plans[s.Closer].lastWrite()-d.between(0, time.Second))
			p := &s.Plans[s.Closer.other()]
			stall := d.between(time.Second, s.Config.Linger+3*time.Second)
			if d.chance(0.4) { // For long, and much is left to deliver.
				stall = 2 * s.Config.Linger
				closer := &s.Plans[s.Closer]
				closer.Writes = append(closer.Writes, d.stream(closer.lastWrite(), lingerBytes)...)
			}
			p.Stalls = append(p.Stalls, Span{from, from + stall})
		}
	case u < 0.75:
		s.Ending = EndBoth
		d.meet(s)
	case u < 0.83:
		s.Ending = EndAbort
	default:
		s.Ending = EndDead
		at := max(time.Millisecond, d.between(0, s.HealAt))
		if d.chance(0.15) {
			at = d.between(time.Millisecond, 300*time.Millisecond) // Perhaps before there is a connection.
		}
		ways := d.IntN(3) // One direction, the other, both.
		if ways != 0 {
			s.DeadAt[Client] = at
		}
		if ways != 1 {
			s.DeadAt[Server] = at
		}
	}
	if d.chance(0.6) {
		s.Code, s.Text = reliable.CodeApplication+uint32(d.IntN(1000)), "so long"
	}
}

// meet makes both sides write their last at about the same time, so that their ends cross.
func (d dice) meet(s *Scenario) {
	at := min(s.Plans[Client].lastWrite(), s.Plans[Server].lastWrite())
	for side := range s.Plans {
		p := &s.Plans[side]
		i := slices.IndexFunc(p.Writes, func(w Write) bool { return w.At > at })
		if i >= 0 {
			p.Writes = p.Writes[:i]
		}
		p.Writes = append(p.Writes, Write{at + d.between(0, 200*time.Millisecond), d.log(1, 600)})
	}
}

// link draws what one direction does to datagrams until healAt.
func (d dice) link(healAt time.Duration) netem.Params {
	p := netem.Params{Delay: time.Duration(d.log(1, 200)) * time.Millisecond, Grain: time.Millisecond}
	switch u := d.Float64(); {
	case u < 0.05: // Clean.
	case u < 0.45:
		p.Loss = d.upTo(0.3)
	case u < 0.60: // A far peer behind a link like this would look dead.
		p.Loss = 0.3 + d.upTo(0.3)
		p.Delay = min(p.Delay, 60*time.Millisecond)
	case u < 0.75:
		p.Burst = netem.Burst{
			Share: 0.02 + d.upTo(0.3), Mean: d.between(5*time.Millisecond, 200*time.Millisecond), HeavyTail: d.chance(0.3),
		}
	case u < 0.80:
		p.Chain = netem.Chain{Share: 0.02 + d.upTo(0.3), Mean: 1 + d.upTo(20)}
	default:
		p.Rate = int64(d.log(1_000_000, 20_000_000))
		p.Queue = d.between(20*time.Millisecond, time.Second)
		p.Loss = d.upTo(0.1)
	}
	if d.chance(0.4) {
		p.Jitter = d.between(0, p.Delay)
	}
	if d.chance(0.5) {
		p.Reorder, p.ReorderBy = d.upTo(0.3), d.between(time.Millisecond, 200*time.Millisecond)
	}
	if d.chance(0.5) {
		p.Duplicate = d.upTo(0.2)
	}
	if d.chance(0.4) {
		p.Corrupt = d.upTo(0.1)
	}
	if d.chance(0.3) {
		p.Truncate = d.upTo(0.05)
	}
	p.Events = d.events(healAt)
	return p
}

// events draws interruptions. They belong to one direction; when both links are the same they are two-way.
func (d dice) events(healAt time.Duration) []netem.Event {
	var events []netem.Event
	if d.chance(0.3) {
		events = append(events, netem.Event{
			Kind: netem.Partition, First: d.between(0, healAt), For: d.between(100*time.Millisecond, 8*time.Second),
		})
	}
	if d.chance(0.15) {
		events = append(events, netem.Event{
			Kind: netem.Hold, First: d.between(0, healAt), For: d.between(100*time.Millisecond, 3*time.Second),
		})
	}
	if d.chance(0.1) {
		events = append(events, netem.Event{
			Kind: netem.Handover, First: d.between(0, healAt), For: d.between(0, time.Second),
		})
	}
	return events
}
