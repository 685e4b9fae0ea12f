package lane

import (
	"testing"
	"time"
)

// A queue of others that stays is no reason to leave the line to them; when it is gone ours is short again.
func TestModelCompetesWithAQueueThatStays(t *testing.T) {
	p := newPipe(20, 50*ms, 300*ms, 0)
	p.run(5 * time.Second)
	p.foreign = p.rate * 0.12
	p.run(20 * time.Second)
	if got := p.share(20 * time.Second); !p.m.rival.present || got < 0.7 {
		t.Errorf("used %.2f of the line beside a queue that stays; %+v", got, p.m.rival)
	}
	p.foreign = 0
	p.run(20 * time.Second)
	p.queueMax = 0
	if got := p.share(10 * time.Second); p.m.rival.present || got < 0.9 || p.queueMax > 60*ms {
		t.Errorf("used %.2f of the line with a queue of %v after the other was gone; %+v", got, p.queueMax, p.m.rival)
	}
}

// Nobody else is there if the line has become slower: the queue is our own, and goes.
func TestSlowerLineIsNoRival(t *testing.T) {
	for _, slower := range []float64{2, 5, 20} {
		p := newPipe(20, 25*ms, 400*ms, 0)
		p.run(5 * time.Second)
		p.rate /= slower
		p.queue /= slower
		for range 200 {
			p.run(50 * ms)
			if p.m.rival.present {
				t.Errorf("%v times slower: %+v", slower, p.m.rival)
				break
			}
		}
	}
}

// Nor if round trips differ from packet to packet.
func TestJitterIsNoRival(t *testing.T) {
	for _, tt := range []struct {
		rtts []time.Duration
		want bool
	}{
		{[]time.Duration{120 * ms, 121 * ms, 119 * ms, 122 * ms}, true},
		{[]time.Duration{120 * ms, 70 * ms, 95 * ms, 150 * ms}, false},
		{[]time.Duration{52 * ms, 55 * ms, 51 * ms, 53 * ms}, false},
		{nil, false},
	} {
		p := newPipe(20, 25*ms, 100*ms, 0)
		p.run(2 * time.Second)
		p.m.enter(p.now, modeProbeRTT)
		for _, rtt := range tt.rtts {
			p.m.rival.rest(rtt)
		}
		if p.m.judgeRival(p.now); p.m.rival.present != tt.want {
			t.Errorf("%v, %v at least: a rival: %v", tt.rtts, p.m.rttMin, p.m.rival.present)
		}
	}
}

func TestRivalsWindowFallsOnceForAllLossesOfARoundTrip(t *testing.T) {
	p := newPipe(20, 25*ms, 100*ms, 0)
	p.run(2 * time.Second)
	const window = 100 * packetBytes
	p.m.rival.met(p.now, window)
	p.m.rival.low, p.m.rival.lowAt = 50*ms, p.now
	p.run(100 * ms)
	old := Stamp{at: p.now}
	p.run(time.Millisecond)
	before := p.m.rival.window
	for range 10 {
		p.m.Lost(old)
		p.m.Update(p.now, 0)
	}
	if got := p.m.rival.window; got != before*cubicBeta {
		t.Errorf("a window of %.0f after losses, %.0f before", got, before)
	}
	p.run(300 * ms)
	before = p.m.rival.window
	for range 10 {
		p.m.CE(p.now)
	}
	if got := p.m.rival.window; got != before*cubicBeta {
		t.Errorf("a window of %.0f after marks, %.0f before", got, before)
	}
}
