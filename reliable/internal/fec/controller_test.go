package fec

import (
	"fmt"
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
	burst := learned(4000, func(i int) bool { return i%50 < 3 })
	for _, c := range []struct {
		name string
		got  string
		want string
	}{
		{"no loss", plan(Latency, 1, false, learned(1000, every(1e6)), rtt, rtt), "[110ms]"},
		{"1 %", plan(Latency, 1, false, learned(1000, every(100)), rtt, rtt), "[5ms 110ms]"},
		{"5 %", plan(Latency, 1, false, learned(1000, every(20)), rtt, rtt), "[5ms 15ms 110ms]"},
		{"10 %", plan(Latency, 1, false, learned(1000, every(10)), rtt, rtt), "[5ms 15ms 35ms 110ms 150ms 190ms]"},
		{"20 %", plan(Latency, 1, false, learned(1000, every(5)), rtt, rtt), "[5ms 15ms 35ms 70ms 110ms 150ms 190ms]"},
		{"sent before", plan(Latency, 1, true, learned(1000, every(20)), rtt, rtt), "[5ms 15ms 35ms 110ms]"},
		{"two symbols", plan(Latency, 2, false, learned(1000, every(20)), rtt, rtt), "[5ms 15ms 35ms 110ms]"},
		{"bursts", plan(Latency, 1, false, burst, rtt, rtt), "[10ms 30ms 60ms 110ms]"},
		{"a queue builds up", plan(Latency, 1, false, learned(1000, every(5)), 3*rtt, rtt), "[5ms 310ms 350ms 390ms]"},
		{"a long queue", plan(Latency, 1, false, learned(1000, every(5)), 5*rtt, rtt), "[510ms 550ms 590ms]"},
		{"a LAN is not a queue", plan(Latency, 1, false, learned(1000, every(20)), 4*time.Millisecond, time.Millisecond), "[5ms 15ms 20ms]"},
		{"economy, no loss", plan(Economy, 1, false, learned(1000, every(1e6)), rtt, rtt), "[110ms]"},
		{"economy, 10 %", plan(Economy, 1, false, learned(1000, every(10)), rtt, rtt), "[5ms 110ms]"},
		{"off", plan(Off, 1, true, learned(1000, every(5)), rtt, rtt), "[]"},
		{"bulk, no loss", plan(Latency, 32, false, learned(1000, every(1e6)), rtt, rtt), "[]"},
		{"bulk, 10 %", plan(Latency, 20, false, learned(1000, every(10)), rtt, rtt), "[5ms 15ms 15ms]"},
		{"bulk, a queue", plan(Latency, 32, false, learned(1000, every(10)), 3*rtt, rtt), "[]"},
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

// Chat makes some 30 packets a second while there is loss: 60 of them must be enough to notice.
func TestEstimatorAdaptsWithinTwoSecondsOfChat(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	slow := 0
	for range 200 {
		e := learned(2000, func(int) bool { return false })
		if e.Share() != 0 {
			t.Fatalf("share %v without loss", e.Share())
		}
		for i := range 60 {
			e.Judge(time.Duration(i)*time.Second, rng.IntN(5) == 0)
		}
		if e.Share() < 0.06 {
			slow++
		}
	}
	if slow > 10 {
		t.Errorf("seed %d: after 60 packets of 20 %% loss %d of 200 estimators believe in less than 6 %%", seed, slow)
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
			sum += e.slow
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
