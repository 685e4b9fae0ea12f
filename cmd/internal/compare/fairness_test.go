package compare

import "testing"

func TestFairnessCountsWhatCameAfterTheBeginning(t *testing.T) {
	file := func(perSecond ...uint64) Result {
		return Result{Transport: "x", Workload: "file", FileSeconds: float64(len(perSecond)), FileByTime: perSecond}
	}
	const mbit = 1e6 / 8
	run := file(9*mbit, 9*mbit, 9*mbit, 9*mbit, 9*mbit, 6*mbit, 6*mbit)
	run.Beside = new(file(0, 0, 0, 0, 0, 2*mbit, 2*mbit))
	failed := run
	failed.Error = "cut off"
	alone := file(0, 0, 0, 0, 0, 8*mbit, 8*mbit)
	got := FairnessOf([]Result{run, failed}, []Result{alone})
	want := Fairness{Transport: "x", Workload: "file", Runs: 1, OwnMbit: 6, TCPMbit: 2, TCPAloneMbit: 8, TCPShare: 0.25, TCPKept: 0.25, Failed: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFairnessOfNothingIsNothing(t *testing.T) {
	if got := FairnessOf(nil, []Result{{FileSeconds: 2}}); got != (Fairness{}) {
		t.Errorf("got %+v", got)
	}
}
