package netem

import (
	"fmt"
	"time"
)

// Rates in bits per second.
const (
	kbit = 1000
	mbit = 1000 * kbit
)

// The numbers are published ones where there are any: rates, delays and losses from the measurements
// and link emulators of the networks named. Those marked "ours" are our choice where nobody published one.

// laboratoryProfiles isolate one thing each.
func laboratoryProfiles() []Profile {
	// clean: a good line across the country, to see what a protocol costs when nothing goes wrong.
	all := []Profile{both("clean", "20 ms, nothing goes wrong", Params{Delay: 20 * time.Millisecond})}

	// lossy-P: P % of the datagrams lost independently, 50 ms one way, as many as one likes.
	for _, percent := range []int{1, 5, 10, 20, 30} {
		all = append(all, both(fmt.Sprintf("lossy-%d", percent),
			fmt.Sprintf("50 ms, %d %% independent loss", percent),
			Params{Delay: 50 * time.Millisecond, Loss: float64(percent) / 100}))
	}

	// bursty-P: P % of the time nothing arrives, for 30 ms on average, whoever sends how much.
	for _, percent := range []int{5, 10} {
		all = append(all, both(fmt.Sprintf("bursty-%d", percent),
			fmt.Sprintf("50 ms, %d %% loss in bursts of 30 ms", percent),
			Params{
				Delay: 50 * time.Millisecond,
				Burst: Burst{Share: float64(percent) / 100, Mean: 30 * time.Millisecond},
			}))
	}

	// bottleneck: a slow line with a short queue, to see who overfills it.
	return append(all, both("bottleneck", "50 ms, 1 Mbit/s with a queue of one bandwidth-delay product",
		Params{Delay: 50 * time.Millisecond, Rate: 1 * mbit}))
}

// homeProfiles are networks at home, at work and in halls.
func homeProfiles() []Profile {
	// lan: gigabit Ethernet. The queue is ours.
	lan := both("lan", "gigabit Ethernet: 0.2 ms", Params{
		Rate: 1000 * mbit, Queue: 20 * time.Millisecond,
		Delay: 200 * time.Microsecond, Jitter: 50 * time.Microsecond,
	})
	return []Profile{lan, wifiGood(), wifiBad(), conferenceHall(), dslCongestedUp()}
}

// wifiGood is Wi-Fi in the same room. Delay, jitter, loss and queue are ours.
func wifiGood() Profile {
	p := both("wifi-good", "Wi-Fi in the same room: 15 ms, 40/33 Mbit/s, 0.1 % loss", Params{
		Loss: 0.001, Rate: 40 * mbit, Queue: 50 * time.Millisecond,
		Delay: 15 * time.Millisecond, Jitter: 2 * time.Millisecond,
	})
	p.Up.Rate = 33 * mbit
	return p
}

// wifiBad is Wi-Fi two walls away: a stall of 800 ms every 90 s, when the card looks for a better
// access point (frames wait). The published part is the loss; the rest is ours.
func wifiBad() Profile {
	p := both("wifi-bad", "Wi-Fi two walls away: 25 ms, 5/2 Mbit/s, 5 % loss mostly in bursts, 0.8 s stalls", Params{
		Events: []Event{{Kind: Hold, First: 45 * time.Second, Every: 90 * time.Second, For: 800 * time.Millisecond}},
		Loss:   0.01,
		Burst:  Burst{Share: 0.04, Mean: 40 * time.Millisecond, HeavyTail: true},
		Rate:   5 * mbit, Queue: 200 * time.Millisecond,
		Delay: 25 * time.Millisecond, Jitter: 8 * time.Millisecond,
	})
	p.Up.Rate = 2 * mbit
	return p
}

// conferenceHall is a thousand people on ten access points: a re-association of 1.5 s every 60 s, in
// which everything is lost. Rate, jitter and the re-associations are ours.
func conferenceHall() Profile {
	return both("conference-hall", "crowded Wi-Fi: 20 ms, 1 Mbit/s, 6 % loss in bursts of 100 ms, 1.5 s re-associations", Params{
		Events: []Event{{Kind: Handover, First: 30 * time.Second, Every: 60 * time.Second, For: 1500 * time.Millisecond}},
		Burst:  Burst{Share: 0.06, Mean: 100 * time.Millisecond, HeavyTail: true},
		Rate:   1 * mbit, Queue: 500 * time.Millisecond,
		Delay: 20 * time.Millisecond, Jitter: 30 * time.Millisecond,
	})
}

// dslCongestedUp is an old DSL line on which somebody uploads photographs for 30 s of every minute into a
// queue of six seconds.
func dslCongestedUp() Profile {
	return Profile{
		Name: "dsl-congested-up",
		Text: "DSL with an upload on, 30 s on and 30 s off: 10 ms, 2 M/256 kbit/s, queue 1.5/6 s",
		Up: Params{
			Rate: 256 * kbit, Queue: 6 * time.Second,
			Cross: Cross{On: 30 * time.Second, Off: 30 * time.Second},
			Delay: 10 * time.Millisecond, Jitter: 1 * time.Millisecond,
		},
		Down: Params{
			Rate: 2 * mbit, Queue: 1500 * time.Millisecond,
			Delay: 10 * time.Millisecond, Jitter: 1 * time.Millisecond,
		},
	}
}
