package lane

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A pipe is a line with a rate, a delay each way, a queue and loss, in steps of a millisecond, and a sender that always
// has something to say.
type pipe struct {
	m       Model
	now     time.Duration
	rate    float64 // bytes/s
	delay   time.Duration
	queue   float64 // bytes it holds
	foreign float64 // bytes of others that stand in it
	loss    float64
	rng     *rand.Rand
	thirst  float64 // bytes per second the sender has to say; 0: any number

	waiting  float64
	onWay    []event
	said     float64
	arrived  int
	dropped  int
	queueMax time.Duration
}

type event struct {
	at, left time.Duration
	stamp    Stamp
	lost     bool
}

const ms = time.Millisecond

func newPipe(mbits float64, delay, queue time.Duration, loss float64) *pipe {
	return &pipe{
		rate: mbits * 1e6 / 8, delay: delay, queue: mbits * 1e6 / 8 * queue.Seconds(), loss: loss,
		rng: rand.New(rand.NewPCG(1, 2)),
	}
}

func (p *pipe) run(d time.Duration) {
	for end := p.now + d; p.now < end; p.now += ms {
		p.step()
	}
}

func (p *pipe) step() {
	p.waiting = max(0, p.waiting-p.rate*ms.Seconds())
	rtt := time.Duration(0)
	for len(p.onWay) > 0 && p.onWay[0].at <= p.now {
		e := p.onWay[0]
		p.onWay = p.onWay[1:]
		if e.lost {
			p.m.Lost(e.stamp)
			continue
		}
		p.m.Acked(e.stamp)
		p.arrived += packetBytes
		rtt = p.now - e.left
	}
	p.m.Update(p.now, rtt)
	p.said += p.thirst * ms.Seconds()
	for p.m.Allowance(p.now) > 0 {
		if p.thirst > 0 && p.said < packetBytes {
			p.m.Limited()
			break
		}
		p.said -= packetBytes
		p.send()
	}
}

func (p *pipe) send() {
	e := event{left: p.now, stamp: p.m.Sent(p.now, packetBytes)}
	e.lost = p.rng.Float64() < p.loss
	if !e.lost && p.waiting+p.foreign+packetBytes > p.queue {
		e.lost = true
		p.dropped++
	}
	if !e.lost {
		p.waiting += packetBytes
	}
	wait := time.Duration((p.waiting + p.foreign) / p.rate * float64(time.Second))
	p.queueMax = max(p.queueMax, wait)
	e.at = (p.now + 2*p.delay + wait).Truncate(ms)
	p.onWay = append(p.onWay, e)
}

// share is which part of the line arrived over d.
func (p *pipe) share(d time.Duration) float64 {
	before := p.arrived
	p.run(d)
	return float64(p.arrived-before) / (p.rate * d.Seconds())
}

func TestModelFillsALineAndKeepsItsQueueShort(t *testing.T) {
	for _, line := range []struct {
		mbits float64
		delay time.Duration
		loss  float64
		want  float64 // share
	}{
		{20, 50 * ms, 0, 0.95}, {20, 50 * ms, 0.01, 0.92}, {20, 50 * ms, 0.05, 0.85}, {20, 50 * ms, 0.10, 0.75},
		{1, 50 * ms, 0, 0.9}, {100, 5 * ms, 0, 0.9}, {5, 200 * ms, 0.02, 0.8},
	} {
		p := newPipe(line.mbits, line.delay, 200*ms, line.loss)
		p.run(3*time.Second + 40*line.delay)
		p.queueMax = 0
		got := p.share(20 * time.Second)
		if got < line.want {
			t.Errorf("%v Mbit/s, %v, loss %v: used %.2f of it, want %.2f; %+v", line.mbits, line.delay, line.loss, got, line.want, p.m.Stats())
		}
		if limit := max(60*ms, time.Duration(5*packetBytes/p.rate*float64(time.Second))); p.queueMax > limit {
			t.Errorf("%v Mbit/s, %v, loss %v: a queue of %v, want at most %v", line.mbits, line.delay, line.loss, p.queueMax, limit)
		}
	}
}

func TestModelBacksOffFromAQueueThatOthersBuild(t *testing.T) {
	p := newPipe(20, 50*ms, 300*ms, 0)
	p.run(5 * time.Second)
	before := p.m.Stats().Rate
	p.foreign = p.rate * 0.12 // A queue of 120 ms, and nothing of it is ours.
	p.run(2 * time.Second)
	if after := p.m.Stats(); after.Rate > before*0.6 || after.BackOffs < 2 {
		t.Errorf("%.0f bytes/s before, %+v with a long queue", before, after)
	}
	p.foreign = 0
	p.run(8 * time.Second)
	if got := p.share(5 * time.Second); got < 0.8 {
		t.Errorf("used %.2f of the line after the queue was gone; %+v", got, p.m.Stats())
	}
}

func TestModelBacksOffFromAMarkOnceInARoundTrip(t *testing.T) {
	p := newPipe(20, 50*ms, 100*ms, 0)
	p.run(5 * time.Second)
	before := p.m.Stats()
	for range 20 {
		p.m.CE(p.now)
	}
	after := p.m.Stats()
	if after.BackOffs != before.BackOffs+1 || after.Rate > before.Rate*0.95 || after.Rate < before.Rate*0.8 {
		t.Errorf("%+v, after marks %+v", before, after)
	}
}

func TestModelDoesNotForgetTheLineWhileThereIsLittleToSay(t *testing.T) {
	p := newPipe(20, 50*ms, 100*ms, 0)
	p.run(5 * time.Second)
	before := p.m.Stats().Rate
	p.thirst = 5000
	p.run(60 * time.Second)
	if after := p.m.Stats().Rate; after < before*0.99 {
		t.Errorf("%.0f bytes/s before, %.0f after a minute of chat", before, after)
	}
	p.thirst = 0
	if got := p.share(time.Second); got < 0.8 {
		t.Errorf("used %.2f of the line in the second after", got)
	}
}

func TestModelFollowsALineThatGetsSlower(t *testing.T) {
	p := newPipe(20, 25*ms, 200*ms, 0)
	p.run(5 * time.Second)
	p.rate /= 10
	p.queue /= 10
	p.run(5 * time.Second)
	p.queueMax = 0
	if got := p.share(10 * time.Second); got < 0.8 || p.queueMax > 100*ms {
		t.Errorf("used %.2f of the slow line with a queue of %v", got, p.queueMax)
	}
}

func TestModelStartsWithAWindowAndAfterSilenceAnew(t *testing.T) {
	var m Model
	if n := m.Allowance(0); n != windowInitial {
		t.Errorf("%d bytes may leave at first, want %d", n, windowInitial)
	}
	p := newPipe(20, 50*ms, 100*ms, 0)
	p.run(5 * time.Second)
	before := p.m.Stats().Rate
	for _, e := range p.onWay {
		p.m.Lost(e.stamp)
	}
	p.onWay = nil
	p.m.Silent(p.now)
	if s := p.m.Stats(); s.Rate > before/2 || s.InFlight != 0 || s.Window < windowInitial {
		t.Errorf("after silence %+v, %.0f bytes/s before", s, before)
	}
	p.run(2 * time.Second)
	if got := p.share(5 * time.Second); got < 0.9 {
		t.Errorf("used %.2f of the line afterwards", got)
	}
}

func TestEveryFateIsToldOnceAndNothingStaysInFlight(t *testing.T) {
	p := newPipe(5, 30*ms, 50*ms, 0.2)
	p.run(10 * time.Second)
	p.thirst = 1e-9
	p.run(time.Second)
	if s := p.m.Stats(); s.InFlight != 0 {
		t.Errorf("%d bytes in flight for ever", s.InFlight)
	}
}

func TestCapacityIsKnownOnlyWhileThereIsMuchToSay(t *testing.T) {
	p := newPipe(1, 50*ms, 100*ms, 0)
	p.thirst = 3000
	p.run(20 * time.Second)
	if got := p.m.Capacity(); got != 0 {
		t.Errorf("%.0f bytes/s after a chat, want unknown", got)
	}
	p.thirst = 0
	p.run(20 * time.Second)
	if got := p.m.Capacity(); got < 100_000 || got > 150_000 {
		t.Errorf("%.0f bytes/s on a line of 125,000", got)
	}
	p.thirst, p.said = 3000, 0
	p.run(5 * time.Second)
	if got := p.m.Capacity(); got != 0 {
		t.Errorf("%.0f bytes/s in a chat, want unknown", got)
	}
}

func TestMarkBeforeTheWayIsKnownLeavesStartup(t *testing.T) {
	p := newPipe(20, 50*ms, 100*ms, 0)
	p.thirst = 3000
	p.run(2 * time.Second)
	p.m.CE(p.now)
	if p.m.mode != modeStartup {
		t.Error("a chat's small rate is taken for that of the way")
	}
	p.thirst = 0
	p.run(60 * ms)
	p.m.limitedTo = 0
	p.m.CE(p.now)
	if p.m.mode == modeStartup {
		t.Error("startup goes on although a router has marked")
	}
}
