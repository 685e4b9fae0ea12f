package compare

import (
	"math"
	"testing"
)

func TestSharingCountsWhatCameAfterTheBeginning(t *testing.T) {
	const mbit = 1e6 / 8
	file := func(perSecond ...uint64) *Result {
		return &Result{FileSeconds: float64(len(perSecond)), FileByTime: perSecond}
	}
	run := file(9*mbit, 9*mbit, 9*mbit, 9*mbit, 9*mbit, 6*mbit, 6*mbit)
	run.Beside = file(0, 0, 0, 0, 0, 2*mbit, 2*mbit)
	failed, chat := *run, Result{Beside: run.Beside}
	failed.Error = "cut off"
	for name, tt := range map[string]struct {
		runs        []*Result
		mbit, share float64
	}{
		"files":           {[]*Result{run, &failed}, 2, 25},
		"chat and a file": {[]*Result{&chat}, 2, math.NaN()},
		"alone":           {[]*Result{file(mbit)}, math.NaN(), math.NaN()},
		"shorter":         {[]*Result{{Beside: file(mbit)}}, 0, math.NaN()},
	} {
		mbit, share := sharing(tt.runs)
		if !same(mbit, tt.mbit) || !same(share, tt.share) {
			t.Errorf("%s: %v Mbit/s, %v %%, want %v and %v", name, mbit, share, tt.mbit, tt.share)
		}
	}
}

func same(n Number, f float64) bool { return float64(n) == f || n.Missing() && math.IsNaN(f) }
