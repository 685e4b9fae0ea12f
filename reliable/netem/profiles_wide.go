package netem

import "time"

// mobileProfiles are networks without a wire.
func mobileProfiles() []Profile {
	// edge-lossy: 2.5G as phones fall back to it indoors. The queue is ours.
	edge := both("edge-lossy", "EDGE: 400/440 ms, 240/200 kbit/s, 1 % loss", Params{
		Loss: 0.01, Rate: 240 * kbit, Queue: 2 * time.Second,
		Delay: 400 * time.Millisecond, Jitter: 100 * time.Millisecond,
	})
	edge.Up.Rate, edge.Up.Delay = 200*kbit, 440*time.Millisecond

	// 2g-rural: GPRS far from the mast. So slow that greedy redundancy chokes on itself. The queue is ours.
	gprs := both("2g-rural", "GPRS: 650 ms, 20/18 kbit/s, 2 % loss; greedy redundancy chokes here", Params{
		Loss: 0.02, Rate: 20 * kbit, Queue: 4 * time.Second,
		Delay: 650 * time.Millisecond, Jitter: 100 * time.Millisecond,
	})
	gprs.Up.Rate = 18 * kbit

	return []Profile{mobile4G(), mobile4GTrain(), edge, gprs}
}

// mobile4G is LTE standing still. The rates are ours.
func mobile4G() Profile {
	p := both("4g-average", "LTE standing still: 45 ms, 12/5 Mbit/s, 0.2 % loss", Params{
		Loss: 0.002, Rate: 12 * mbit, Queue: 150 * time.Millisecond,
		Delay: 45 * time.Millisecond, Jitter: 10 * time.Millisecond,
	})
	p.Up.Rate = 5 * mbit
	return p
}

// mobile4GTrain is LTE at 200 km/h: a handover every 12 s, after which the old mast forwards what it has
// (80 %: packets wait) or not (they are lost), and a tunnel of 4.5 s every 300 s. The rate is redrawn
// twice a second from half to double; the walk and the jitter are ours.
func mobile4GTrain() Profile {
	return both("4g-train", "LTE at speed: 50 ms, 0.2-20 Mbit/s, handovers every 12 s, 4.5 s outages", Params{
		Events: []Event{
			{Kind: Hold, Chance: 0.8, Else: Partition, First: 12 * time.Second, Every: 12 * time.Second, For: 100 * time.Millisecond},
			{Kind: Partition, First: 150 * time.Second, Every: 300 * time.Second, For: 4500 * time.Millisecond},
		},
		Loss:  0.005,
		Walk:  Walk{Low: 200 * kbit, High: 20 * mbit, Every: 500 * time.Millisecond, Step: 1},
		Queue: 1 * time.Second,
		Delay: 50 * time.Millisecond, Jitter: 30 * time.Millisecond,
	})
}

// farProfiles are networks across the world and above it.
func farProfiles() []Profile {
	// geo-satellite: 36,000 km up and down. Jitter and loss are ours.
	geo := both("geo-satellite", "geostationary satellite: 310 ms, 20/2 Mbit/s, 0.5 % loss", Params{
		Loss: 0.005, Rate: 20 * mbit, Queue: 1 * time.Second,
		Delay: 310 * time.Millisecond, Jitter: 8 * time.Millisecond,
	})
	geo.Up.Rate = 2 * mbit

	// transcontinental: a good line across an ocean. All but delay and queue is ours.
	ocean := both("transcontinental", "across an ocean: 85 ms, 50 Mbit/s, 0.5 % loss in bursts of 20 ms", Params{
		Burst: Burst{Share: 0.005, Mean: 20 * time.Millisecond},
		Rate:  50 * mbit, Queue: 100 * time.Millisecond,
		Delay: 85 * time.Millisecond, Jitter: 2 * time.Millisecond,
	})

	// border-evening: a crowded international gateway in the evening: 10 % loss, 20 % for a minute in
	// every five. 1-(1-1/9)(1-0.1) is 20 %. All but delay and queue is ours.
	border := both("border-evening", "crowded border in the evening: 85 ms, 20 Mbit/s, 10 % loss, 20 % for 60 s of 5 min", Params{
		Events: []Event{{Kind: Lossy, Loss: 1.0 / 9, First: 120 * time.Second, Every: 300 * time.Second, For: 60 * time.Second}},
		Loss:   0.1, Rate: 20 * mbit, Queue: 200 * time.Millisecond,
		Delay: 85 * time.Millisecond, Jitter: 12 * time.Millisecond,
	})

	// very-bad: everything at once, after Apple's Network Link Conditioner. Jitter and queue are ours.
	veryBad := both("very-bad", "everything at once: 500 ms, 1 Mbit/s, 10 % loss", Params{
		Loss: 0.1, Rate: 1 * mbit, Queue: 500 * time.Millisecond,
		Delay: 500 * time.Millisecond, Jitter: 50 * time.Millisecond,
	})

	return []Profile{starlink(), geo, ocean, border, veryBad}
}

// starlink changes its satellite every 15 s: the delay is redrawn, packets are 40 ms later for 300 ms,
// and with chance one half, half of them are lost for 100 ms. Rate, queue and what a change costs are ours.
func starlink() Profile {
	const change = 15 * time.Second
	p := both("starlink", "low satellites: 20-30 ms redrawn every 15 s, 100/12 Mbit/s, 1.5 % loss", Params{
		Events: []Event{
			{Kind: Slow, Extra: 40 * time.Millisecond, First: change, Every: change, For: 300 * time.Millisecond},
			{Kind: Lossy, Loss: 0.5, Chance: 0.5, First: change, Every: change, For: 100 * time.Millisecond},
		},
		Loss: 0.015, Rate: 100 * mbit, Queue: 150 * time.Millisecond,
		Redraw: Redraw{Every: change, Low: 20 * time.Millisecond, High: 30 * time.Millisecond},
		Jitter: 6700 * time.Microsecond,
	})
	p.Up.Rate = 12 * mbit
	return p
}

// faultProfiles break on a schedule.
func faultProfiles() []Profile {
	// outage: dead for 5 s of every 20 s, the first time after 10 s.
	outage := both("outage", "50 ms, dead for 5 s of every 20 s", Params{
		Events: []Event{{Kind: Partition, First: 10 * time.Second, Every: 20 * time.Second, For: 5 * time.Second}},
		Delay:  50 * time.Millisecond,
	})
	return []Profile{roam(), outage}
}

// roam walks out of the house and back in, 20 times in 10 minutes: from wifi-good to 4g-average, each
// time with the old path dead at once, nothing for 3 s, and a new source address afterwards.
func roam() Profile {
	wifi, mobile := wifiGood(), mobile4G()
	move := []Event{{Kind: Move, First: 30 * time.Second, Every: 30 * time.Second, For: 3 * time.Second}}
	wifi.Name, wifi.Text = "roam", "wifi-good and 4g-average by turns: every 30 s a 3 s gap and a new address"
	wifi.Up.Events, wifi.Up.Then = move, []Params{mobile.Up}
	wifi.Down.Events, wifi.Down.Then = move, []Params{mobile.Down}
	return wifi
}
