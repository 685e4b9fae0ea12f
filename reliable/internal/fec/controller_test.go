package fec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// learned returns an estimator that has seen n packets, each 10 ms after the one before, lost by lose.
func learned(n int, lose func(i int) bool) *LossEstimator {
	e := new(LossEstimator)
	for i := range n {
		e.Judge(time.Duration(i)*10*time.Millisecond, lose(i))
	}
	return e
}

// every loses one packet in n.
func every(n int) func(int) bool { return func(i int) bool { return i%n == n/2 } }

func plan(m Mode, k int, resent bool, loss *LossEstimator, rtt, rttMin time.Duration) string {
	p := m.PlanFor(k, resent, Path{Loss: loss, RTT: rtt, RTTMin: rttMin})
	var gaps []time.Duration
	for i := range p.R {
		gaps = append(gaps, p.Gap(i))
	}
	return fmt.Sprint(gaps)
}

func TestPlanFollowsLoss(t *testing.T) {
	const rtt = 100 * time.Millisecond
	for _, c := range []struct {
		name string
		got  string
		want string
	}{
		{"no loss", plan(Latency, 1, false, learned(2000, every(1e6)), rtt, rtt), "[110ms]"},
		{"0.1 %", plan(Latency, 1, false, learned(2300, every(1000)), rtt, rtt), "[110ms]"},
		{"1 %", plan(Latency, 1, false, learned(2000, every(100)), rtt, rtt), "[5ms 110ms]"},
		{"5 %", plan(Latency, 1, false, learned(2000, every(20)), rtt, rtt), "[5ms 15ms 110ms]"},
		{"10 %", plan(Latency, 1, false, learned(2000, every(10)), rtt, rtt), "[5ms 15ms 35ms 110ms 150ms 190ms]"},
		{"20 %", plan(Latency, 1, false, learned(2000, every(5)), rtt, rtt), "[5ms 15ms 35ms 70ms 110ms 150ms 190ms]"},
		{"sent before", plan(Latency, 1, true, learned(2000, every(20)), rtt, rtt), "[5ms 110ms]"},
		{"two symbols", plan(Latency, 2, false, learned(2000, every(20)), rtt, rtt), "[5ms 15ms 20ms 110ms]"},
		{"a queue builds up", plan(Latency, 1, false, learned(2000, every(5)), 3*rtt, rtt), "[5ms 310ms]"},
		{"a long queue", plan(Latency, 1, false, learned(2000, every(5)), 5*rtt, rtt), "[]"},
		{"a queue on a far path", plan(Latency, 1, false, learned(2000, every(20)), 17*rtt, 13*rtt), "[5ms 1.71s]"},
		{"a mark", fmt.Sprint(Latency.PlanFor(1, true, Path{Loss: learned(2000, every(5)), RTT: rtt, RTTMin: rtt, CE: true}).R), "0"},
		{"a LAN is not a queue", plan(Latency, 1, false, learned(2000, every(20)), 4*time.Millisecond, time.Millisecond), "[5ms 15ms 20ms]"},
		{"economy, no loss", plan(Economy, 1, false, learned(2000, every(1e6)), rtt, rtt), "[110ms]"},
		{"economy, 5 %", plan(Economy, 1, false, learned(2000, every(20)), rtt, rtt), "[5ms 110ms]"},
		{"off", plan(Off, 1, true, learned(2000, every(5)), rtt, rtt), "[]"},
		{"bulk, no loss", plan(Latency, 32, false, learned(2000, every(1e6)), rtt, rtt), "[]"},
		{"bulk, 10 %", plan(Latency, 20, false, learned(2000, every(10)), rtt, rtt), "[5ms 15ms 15ms]"},
		{"bulk, a queue", plan(Latency, 32, false, learned(2000, every(10)), 3*rtt, rtt), "[]"},
		{"nothing known", plan(Latency, 1, false, new(LossEstimator), 0, 0), "[5ms 15ms 20ms]"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestPlanNeverFallsAndNeverOverflows(t *testing.T) {
	for _, share := range []int{2, 3, 5, 10, 20, 100, 1e6} {
		loss := learned(500, every(share))
		for k := 1; k <= SourceMax; k++ {
			for _, rtt := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond, 2 * time.Second} {
				p := Latency.PlanFor(k, true, Path{Loss: loss, RTT: rtt, RTTMin: rtt})
				if p.R > RepairMax {
					t.Fatalf("k %d: %d repair symbols", k, p.R)
				}
				for i := 1; i < p.R; i++ {
					if p.Gap(i) < p.Gap(i-1) {
						t.Fatalf("k %d, rtt %v: gap %d is %v after %v", k, rtt, i, p.Gap(i), p.Gap(i-1))
					}
				}
			}
		}
	}
}

// Where the mean number of copies is not whole, the last is left out of the right share of groups, evenly.
func TestCopiesAreAsManyAsItTakes(t *testing.T) {
	for _, c := range []struct {
		mode        Mode
		every       int
		low, high   float64
		allowedMiss float64
	}{
		{Latency, 50, 1, 1.1, 0.0006},
		{Latency, 20, 1.75, 1.95, 0.0006},
		{Latency, 10, 2.4, 2.7, 0.0006},
		{Economy, 100, 0.1, 0.4, 0.009},
		{Economy, 20, 0.8, 0.95, 0.009},
		{Economy, 10, 0.1, 0.4, 0.09},
	} {
		loss, copies, miss, longest, last := learned(2000, every(c.every)), 0, 0.0, 0, 0
		const groups = 1000
		for i := range uint32(groups) {
			p := c.mode.PlanFor(1, false, Path{Loss: loss, RTT: 100 * ms, RTTMin: 100 * ms, Group: i})
			n := 0
			for n < p.R && p.Gap(n) < 100*ms {
				n++
			}
			copies += n
			miss += math.Pow(1/float64(c.every), float64(n+1)) / groups
			if last++; n > copies/int(i+1) {
				longest, last = max(longest, last), 0
			}
		}
		if mean := float64(copies) / groups; mean < c.low || mean > c.high || miss > c.allowedMiss {
			t.Errorf("%v, one in %d lost: %.2f copies, of which %.5f miss all; want %.2f…%.2f and %.5f", c.mode, c.every, mean, miss, c.low, c.high, c.allowedMiss)
		}
		if longest > 150 {
			t.Errorf("%v, one in %d lost: %d groups in a row with the fewer copies", c.mode, c.every, longest)
		}
	}
}

// A chat says something every 100 ms, and each message is some packets by then: within two seconds of a change the level
// is right, and a link that is good again is believed after cleanSamples.
func TestEstimatorFollowsALinkThatTurnsBadAndGood(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	const runs = 200
	var late, stuck, unsure int
	for range runs {
		e := learned(2000, func(int) bool { return false })
		if e.Share() != 0 {
			t.Fatalf("share %v without loss", e.Share())
		}
		now := 20 * time.Second
		chat := func(messages int, loss float64) {
			for i := range messages {
				p := Latency.PlanFor(1, false, Path{Loss: e, RTT: 100 * ms, RTTMin: 100 * ms, Group: uint32(i)})
				for n := -1; n < p.R && (n < 0 || p.Gap(n) < 100*ms); n++ {
					at := now
					if n >= 0 {
						at += p.Gap(n)
					}
					e.Judge(at, rng.Float64() < loss)
				}
				now += 100 * ms
			}
		}
		copies := func() int {
			p := Latency.PlanFor(1, false, Path{Loss: e, RTT: 100 * ms, RTTMin: 100 * ms})
			n := 0
			for n < p.R && p.Gap(n) < 100*ms {
				n++
			}
			return n
		}
		if chat(20, 0.2); copies() < 3 {
			late++
		}
		if chat(200, 0.2); copies() < 3 {
			unsure++
		}
		if chat(20, 0); copies() > 2 {
			stuck++
		}
		if chat(400, 0); copies() != 0 {
			t.Errorf("seed %d: %d copies 40 s after the last loss", seed, copies())
		}
	}
	if late > runs/5 || unsure > runs/50 || stuck > runs/10 {
		t.Errorf("seed %d: of %d, 2 s after the link turned bad %d make fewer than 3 copies, later %d; 2 s after it turned good %d make more than 2",
			seed, runs, late, unsure, stuck)
	}
}

// lossyTime is a link that loses in bursts by the clock.
type lossyTime struct {
	rng         *rand.Rand
	share, mean float64 // mean in ms
	bad         bool
	until       float64
}

func (l *lossyTime) lost(at time.Duration) bool {
	for l.until <= at.Seconds()*1000 {
		l.bad = !l.bad
		mean := l.mean
		if !l.bad {
			mean *= (1 - l.share) / l.share
		}
		l.until += l.rng.ExpFloat64() * mean
	}
	return l.bad
}

// Bursts are told from independent losses, their length is measured whatever times packets leave at, and copies are
// placed so that the percentiles hold: 1 in 100 messages may miss what leaves until a burst has gone on for T·ln(share/0.01),
// 1 in 1,000 until T·ln(share/0.001), both with a little patience.
func TestBurstsAreMeasuredAndOutlasted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for _, c := range []struct{ share, mean float64 }{{0.05, 10}, {0.05, 20}, {0.05, 50}, {0.1, 30}} {
		l := &lossyTime{rng: rand.New(rand.NewPCG(seed, 0)), share: c.share, mean: c.mean}
		var e LossEstimator
		var lengths, packets float64
		late, later, bursty := 0, 0, 0
		const messages = 20_000
		limit, limit999 := c.mean*math.Log(c.share/0.01)*1.3+12, c.mean*math.Log(c.share/0.001)*1.15+c.mean/2+12
		for i := range messages {
			now := time.Duration(i) * 100 * ms
			p := Latency.PlanFor(1, false, Path{Loss: &e, RTT: 100 * ms, RTTMin: 100 * ms, Group: uint32(i)})
			arrived := time.Hour
			for n := -1; n < p.R; n++ {
				at := time.Duration(0)
				if n >= 0 {
					at = p.Gap(n)
				}
				if at > arrived+100*ms { // It is acknowledged by then.
					break
				}
				lost := l.lost(now + at)
				if e.Judge(now+at, lost); !lost {
					arrived = min(arrived, at)
				}
			}
			if i < messages/20 {
				continue
			}
			if e.Bursty() {
				bursty++
			}
			mean, n := e.Burst()
			lengths += mean.Seconds() * 1000
			packets += n
			if arrived.Seconds()*1000 > limit {
				late++
			}
			if arrived.Seconds()*1000 > limit999 {
				later++
			}
		}
		const counted = messages - messages/20
		if got := lengths / counted; got < c.mean*0.8 || got > c.mean*1.25 || packets < counted {
			t.Errorf("seed %d: bursts of %v ms measured as %.1f ms, %.1f packets", seed, c.mean, got, packets/counted)
		}
		if bursty < counted*9/10 || late > counted/70 || later > counted/500 {
			t.Errorf("seed %d: %v %% in bursts of %v ms: taken for bursts %d times of %d; %d messages missed the copies of %.0f ms, %d those of %.0f ms",
				seed, c.share*100, c.mean, bursty, counted, late, limit, later, limit999)
		}
	}
}

func TestEstimatorMeasures(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, share := range []float64{0.01, 0.1, 0.3} {
		e := new(LossEstimator)
		sum, n, bursty := 0.0, 0, 0
		for i := range 20_000 {
			e.Judge(time.Duration(i)*8*time.Millisecond, rng.Float64() < share)
			sum += e.Share()
			n++
			if e.Bursty() {
				bursty++
			}
		}
		if mean := sum / float64(n); mean < share*0.8 || mean > share*1.2+0.002 {
			t.Errorf("seed %d: share %.3f measured as %.3f", seed, share, mean)
		}
		if bursty > n/10 {
			t.Errorf("seed %d: independent loss of %.2f taken for bursts %d times of %d", seed, share, bursty, n)
		}
	}
}

// Of a slow link, repair symbols take no more than a share, and save up no more than it carries in a moment.
func TestBudgetOfASlowLink(t *testing.T) {
	var b Budget
	b.SetRate(2500) // 20 kbit/s
	now, spent := time.Second, 0
	for end := now + 20*time.Second; now < end; now += 10 * time.Millisecond {
		b.Earn(now, 1000)
		for b.Spend(now, 250) {
			spent += 250
		}
	}
	if most := 20*2500/budgetShare + budgetRepairMin; spent > most || spent < most/2 {
		t.Errorf("spent %d bytes in 20 s of 20 kbit/s, want up to %d", spent, most)
	}
	b.SetRate(0) // Not known.
	if now += 10 * time.Second; !b.Spend(now, 5000) {
		t.Error("an unknown rate is taken for a slow one")
	}
}

// Queues that build up again and again leave a message with few copies, and time brings them back.
func TestPressureHalvesCopiesAndLetsGo(t *testing.T) {
	var p Pressure
	path := Path{RTT: 100 * ms, RTTMin: 100 * ms}
	full := path
	full.RTT = 400 * ms
	if got := p.Share(0, path); got != 1 {
		t.Errorf("share %v without a queue", got)
	}
	now := time.Second
	if got := p.Share(now, full); got != 0.5 {
		t.Errorf("share %v at the first queue", got)
	}
	if got := p.Share(now+50*ms, full); got < 0.5 || got > 0.51 {
		t.Errorf("share %v: the same queue counts twice", got)
	}
	for range 20 {
		now += time.Second
		p.Share(now, full)
	}
	if got := p.Share(now, path); got > 0.1 || got <= 0 {
		t.Errorf("share %v after many queues", got)
	}
	if got := p.Share(now+pressureRecovery, path); got != 1 {
		t.Errorf("share %v long after", got)
	}
}

func TestBudget(t *testing.T) {
	var b Budget
	now := time.Second
	if b.Spend(now, 1) {
		t.Error("spent before anything was earned")
	}
	b.Earn(now, 1000)
	spent := 0
	for b.Spend(now, 100) {
		spent += 100
	}
	if spent != budgetFactor*1000 {
		t.Errorf("spent %d bytes for 1000, want %d", spent, budgetFactor*1000)
	}
	// Bulk: the rate is the limit, however much is earned.
	spent = 0
	for end := now + 10*time.Second; now < end; now += time.Millisecond {
		b.Earn(now, 10_000)
		for b.Spend(now, 1000) {
			spent += 1000
		}
	}
	if want := 10*budgetRate + budgetBurst; spent < want*9/10 || spent > want {
		t.Errorf("spent %d bytes in 10 s of bulk, want nearly %d", spent, want)
	}
}
