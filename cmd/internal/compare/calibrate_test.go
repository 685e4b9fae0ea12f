package compare

import (
	"context"
	"strings"
	"testing"
	"time"
)

// An instrument that lies must say so: a lane that adds time, a lane that loses, a link that loses more than it was told to.
func TestCalibrationNoticesAnInstrumentThatLies(t *testing.T) {
	good := playVirtual(t, calibrationSpec(LaneVirtual, 1))
	if lanes, _ := Calibrate([]Result{good}, nil); len(lanes) != 1 || !lanes[0].OK || lanes[0].Max != 0 {
		t.Fatalf("virtual time is off: %+v", lanes)
	}
	slow, real, deaf := good, good, good
	slow.LatencyMs = later(good.LatencyMs, 1)
	real.LatencyMs, real.Lane = later(good.LatencyMs, harnessRealMax+1), LaneWire
	deaf.Delivered--
	for name, r := range map[string]Result{"1 ms on virtual time": slow, "11 ms on a wire": real, "a message lost": deaf} {
		if lanes, _ := Calibrate([]Result{r}, nil); lanes[0].OK || !strings.Contains(lanes[0].String(), "BROKEN") {
			t.Errorf("%s: %v", name, lanes[0])
		}
	}
	link, err := LinkNamed("lossy-10")
	if err != nil {
		t.Fatal(err)
	}
	told := playVirtual(t, Spec{Transport: "kcp", Workload: "chat", Link: link, Seed: 1, Messages: 2000})
	told.Profile = link.Name
	lying := told
	lying.Wire.Up.Dropped = told.Wire.Up.Dropped * 3 / 2
	for r, want := range map[*Result]bool{&told: true, &lying: false} {
		if _, losses := Calibrate([]Result{*r}, []Link{link}); len(losses) != 1 || losses[0].OK != want {
			t.Errorf("%+v, want OK %v", losses, want)
		}
	}
}

func later(all []float64, by float64) (more []float64) {
	for _, ms := range all {
		more = append(more, ms+by)
	}
	return more
}

// A run that takes too long is cut off and named, and its runner goes on.
func TestRunnerCutsOffWhatHangs(t *testing.T) {
	r := NewVirtualRunner()
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	spec := Spec{Transport: "udpchat", Lane: LaneVirtual, Workload: "chat", Link: lossy(0.3), Seed: 1, Messages: 10_000_000}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if res := r.Run(ctx, spec); !strings.Contains(res.Error, "cut off") || res.Transport != "udpchat" {
		t.Errorf("got %q of %q", res.Error, res.Transport)
	}
	spec.Messages = 10
	if res := r.Run(t.Context(), spec); res.Error != "" || res.Delivered != 10 {
		t.Errorf("after that: %d delivered, %s", res.Delivered, res.Error)
	}
}

// A child that dies takes its run with it, which says why.
func TestRunnerNamesARunWhoseProcessDied(t *testing.T) {
	r := NewVirtualRunner()
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	bad := lossy(0)
	bad.Up.Loss = 2 // netem panics.
	res := r.Run(t.Context(), Spec{Transport: "udpchat", Lane: LaneVirtual, Workload: "chat", Link: bad, Messages: 10})
	if !strings.Contains(res.Error, "Loss is 2") {
		t.Errorf("got %q", res.Error)
	}
}
