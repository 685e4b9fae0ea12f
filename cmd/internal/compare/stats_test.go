package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestPercentileCountsWhatNeverArrived(t *testing.T) {
	all := []float64{3, 1, -1, 2}
	for share, want := range map[float64]float64{0.25: 1, 0.5: 2, 0.75: 3, 0.76: math.Inf(1), 1: math.Inf(1)} {
		if got := percentile(all, share); got != want {
			t.Errorf("percentile %v of %v is %v, want %v", share, all, got, want)
		}
	}
	if !math.IsNaN(percentile(nil, 0.5)) {
		t.Error("the median of nothing is not NaN")
	}
}

// 95 % intervals hold the truth in about 95 of 100 experiments: with ten runs a bootstrap is known to be a bit too sure.
func TestIntervalHoldsTheTruth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	held := 0
	for range 100 {
		runs := make([][]float64, 20)
		for i := range runs {
			shift := random.NormFloat64() * 5 // What a run has in common.
			for range 100 {
				runs[i] = append(runs[i], math.Round(100+shift+random.NormFloat64()*5))
			}
		}
		if low, high := interval(runs, 0.5); low <= 100 && 100 <= high {
			held++
		}
	}
	if held < 85 || held == 100 {
		t.Errorf("the interval held the truth in %d of 100 experiments", held)
	}
}
