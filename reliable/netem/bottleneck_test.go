package netem

import (
	"slices"
	"testing"
	"time"
)

func TestBottleneckRateIsAsAsked(t *testing.T) {
	for rate, packets := range map[int64]int{256_000: 50_000, 1_000_000: manyPackets, 1_000_000_000: 200_000} {
		const size = 1000
		every := time.Duration(float64(size*8) / float64(rate) * 1e9 / 2) // Twice as much as fits.
		verdicts := run(NewLink(Params{Rate: rate, Delay: 20 * time.Millisecond}, 1, Up), packets, every, size)
		kept, last := 0, time.Duration(0)
		for _, v := range verdicts {
			if v.Fate == Kept {
				kept++
				last = v.Deliver
			}
		}
		got := float64(kept*(size+headerBytes)*8) / (last - 20*time.Millisecond).Seconds()
		wantWithin(t, "bit/s", got, float64(rate), 0.01*float64(rate))
	}
}

func TestBottleneckQueueIsOneBandwidthDelayProduct(t *testing.T) {
	// 1 Mbit/s and a round trip of 100 ms: 12,500 bytes, so 12 packets of 1,000, the one on the line among them.
	l := NewLink(Params{Rate: 1_000_000, Delay: 50 * time.Millisecond}, 1, Up)
	for range 20 {
		l.Push(0, make([]byte, 1000-headerBytes))
	}
	if c := l.Counts(); c.Kept != 12 || c.DroppedFor[DroppedQueue] != 8 {
		t.Errorf("kept %d, want 12", c.Kept)
	}
	for i := range 12 {
		want := time.Duration(i+1)*8*time.Millisecond + 50*time.Millisecond
		if p, ok := l.PopPacket(want); !ok || p.At != want {
			t.Errorf("packet %d: at %v, %v, want %v", i, p.At, ok, want)
		}
	}
	// After one has left there is room for one more.
	l.Push(96*time.Millisecond, make([]byte, 100))
	if l.Counts().Kept != 13 {
		t.Error("the queue did not drain")
	}
}

func TestBottleneckIdleLineTakesAnyPacket(t *testing.T) {
	l := NewLink(Params{Rate: rateMin, Queue: time.Millisecond}, 1, Up)
	l.Push(0, make([]byte, 60_000))
	if l.Counts().Kept != 1 {
		t.Error("an empty queue refused a packet")
	}
}

func TestBottleneckCopiesTakeTheirTime(t *testing.T) {
	l := NewLink(Params{Rate: 1_000_000, Duplicate: 1}, 1, Up)
	l.Push(0, make([]byte, 1000-headerBytes))
	for _, want := range []time.Duration{8 * time.Millisecond, 16 * time.Millisecond} {
		if at, ok := l.NextAt(); !ok || at != want {
			t.Errorf("NextAt %v, %v, want %v", at, ok, want)
		}
		l.Pop(want)
	}
}

func TestWalkWandersBetweenItsWalls(t *testing.T) {
	w := Walk{Low: 200_000, High: 20_000_000, Every: 500 * time.Millisecond, Step: 1}
	r := newLineRate(Params{Walk: w}, newStream(1, Up, 0, stageRate))
	var slow, fast, sum float64
	const steps = 100_000
	last := float64(r.at(0))
	for i := range steps {
		now := time.Duration(i) * w.Every
		r.forget(now)
		rate := float64(r.at(now))
		if rate < 200_000 || rate > 20_000_000 {
			t.Fatalf("step %d: %v bit/s", i, rate)
		}
		if f := rate / last; f > 2.01 || f < 0.49 {
			t.Fatalf("step %d: from %v to %v", i, last, rate)
		}
		last = rate
		if rate < 632_000 { // The lowest quarter on a logarithmic scale.
			slow++
		} else if rate > 6_325_000 {
			fast++
		}
		sum += rate
	}
	wantWithin(t, "time in the slowest quarter", slow/steps, 0.25, 0.05)
	wantWithin(t, "time in the fastest quarter", fast/steps, 0.25, 0.05)
	t.Logf("mean %.1f Mbit/s, %d rates kept", sum/steps/1e6, len(r.rates))
}

// The rates must be a function of time, however often somebody looks.
func TestWalkDoesNotDependOnTraffic(t *testing.T) {
	p := mobile4GTrain().Up
	p.Events, p.Loss, p.Jitter = nil, 0, 0
	dense, sparse := newLineRate(p, newStream(1, Up, 0, stageRate)), newLineRate(p, newStream(1, Up, 0, stageRate))
	var want []int64
	for i := range 1000 {
		want = append(want, dense.at(time.Duration(i)*time.Second))
	}
	var got []int64
	for i := range 1000 {
		now := time.Duration(i) * time.Second
		sparse.forget(now)
		got = append(got, sparse.at(now))
	}
	if !slices.Equal(got, want) {
		t.Error("the rates depend on who looks")
	}
}

// A packet that spans several rates takes as long as its bits take at each of them.
func TestWalkPacketSpansSteps(t *testing.T) {
	r := lineRate{walk: Walk{Low: 8000, High: 80_000, Every: time.Second, Step: 1}, rates: []int64{8000, 80_000, 8000, 8000}}
	// 12,000 bytes: half a second at 1,000 bytes/s, a second at 10,000, then 1.5 s at 1,000.
	if got, want := r.sent(500*time.Millisecond, 12_000), 3500*time.Millisecond; got != want {
		t.Errorf("sent at %v, want %v", got, want)
	}
}

func TestCrossTrafficFillsTheQueueOnAndOff(t *testing.T) {
	verdicts := run(NewLink(dslCongestedUp().Up, 1, Up), 6000, 100*time.Millisecond, 200)
	var onMax, offLate time.Duration
	on, dropped := 0, 0
	for _, v := range verdicts {
		phase := v.At % time.Minute
		wait := v.Deliver - v.At
		switch {
		case v.Fate != Kept:
			dropped++
		case phase > 10*time.Second && phase < 30*time.Second:
			on++
			onMax = max(onMax, wait)
			if wait < 3*time.Second {
				t.Errorf("at %v only %v although the upload is on", v.At, wait)
			}
		case phase > 40*time.Second:
			offLate = max(offLate, wait)
		}
	}
	t.Logf("%d packets during uploads, slowest %v; %d dropped; otherwise at most %v", on, onMax, dropped, offLate)
	if onMax > 6100*time.Millisecond || offLate > 50*time.Millisecond {
		t.Errorf("slowest %v during uploads, %v otherwise", onMax, offLate)
	}
	if on == 0 {
		t.Error("nothing came through during uploads")
	}
}

func TestRedrawChangesTheDelayOnTime(t *testing.T) {
	p := Params{Redraw: Redraw{Every: 15 * time.Second, Low: 20 * time.Millisecond, High: 30 * time.Millisecond}}
	seen := make(map[time.Duration]time.Duration) // By period.
	different := make(map[time.Duration]bool)
	for _, v := range run(NewLink(p, 1, Up), 150_000, 10*time.Millisecond, 10) {
		d := v.Deliver - v.At
		if d < 20*time.Millisecond || d > 30*time.Millisecond {
			t.Fatalf("took %v", d)
		}
		period := v.At / (15 * time.Second)
		if was, ok := seen[period]; ok && v.At%(15*time.Second) > 100*time.Millisecond && was != d {
			t.Fatalf("at %v the delay changed from %v to %v", v.At, was, d)
		}
		seen[period] = d
		different[d] = true
	}
	if len(different) < 90 {
		t.Errorf("%d delays in 100 periods", len(different))
	}
}

// Whole IP packets bring their headers: neither the line nor the MTU counts 28 bytes more.
func TestBottleneckCountsIPPacketsAsTheyAre(t *testing.T) {
	l := NewLink(Params{Rate: 1_000_000, MTU: 1000}, 1, Up)
	l.PushIP(0, make([]byte, 1000))
	l.PushIP(0, make([]byte, 1001))
	if at, ok := l.NextAt(); !ok || at != 8*time.Millisecond {
		t.Errorf("1,000 bytes leave at %v, %v, want 8ms", at, ok)
	}
	if c := l.Counts(); c.DroppedFor[DroppedMTU] != 1 || c.PushedBytes != 2001 {
		t.Errorf("counts are %+v, want one drop for its size and 2,001 bytes", c)
	}
}
