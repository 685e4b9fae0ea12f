package simulate

import (
	"slices"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// Chat is a scenario of two people talking: the client writes a small message now and then over a link that is the same
// each way.
type Chat struct {
	Seed       uint64
	Messages   int
	Bytes      int           // of a message, with its header
	Every      time.Duration // between messages, ±10 %
	Link       netem.Params
	Redundancy reliable.Redundancy
}

// ChatOf returns the usual: messages of 200 bytes about every 100 ms, 50 ms one way on top of what link says.
func ChatOf(seed uint64, messages int, link netem.Params) Chat {
	link.Delay, link.Grain = 50*time.Millisecond, time.Millisecond
	return Chat{Seed: seed, Messages: messages, Bytes: 200, Every: 100 * time.Millisecond, Link: link}
}

// Scenario returns c as a scenario, with latencies.
func (c Chat) Scenario() *Scenario {
	s := &Scenario{
		Seed: c.Seed, Links: [2]netem.Params{c.Link, c.Link}, Latencies: true, Pause: time.Second,
		Config: reliable.Config{
			HandshakeTimeout: time.Minute, IdleTimeout: time.Minute, Linger: 5 * time.Second, Redundancy: c.Redundancy,
		},
	}
	d := newDice(c.Seed)
	at := time.Second // After the handshake, which is not what is measured.
	for range c.Messages {
		s.Plans[Client].Writes = append(s.Plans[Client].Writes, Write{at, c.Bytes - headerBytes})
		at += d.between(c.Every*9/10, c.Every*11/10)
	}
	s.HealAt = at + 10*time.Second
	return s
}

// A Latency sums up how long messages took, from when they were to be written to when they were read in order.
type Latency struct {
	Messages            int
	P50, P90, P99, P999 time.Duration
	Max                 time.Duration
}

// NewLatency sums up the latencies of a Result.
func NewLatency(all []time.Duration) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	all = slices.Sorted(slices.Values(all))
	at := func(share float64) time.Duration { return all[min(int(share*float64(len(all))), len(all)-1)] }
	return Latency{
		Messages: len(all), P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: all[len(all)-1],
	}
}
