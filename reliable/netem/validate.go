package netem

import (
	"fmt"
	"time"
)

// Validate reports the first thing in p that a link cannot do, nil if there is none.
func (p Params) Validate() error {
	for i, then := range p.Then {
		if len(then.Then) > 0 || hasMove(then.Events) {
			return fmt.Errorf("netem: params: Then[%d] must neither move nor have a Then", i)
		}
		if err := then.Validate(); err != nil {
			return fmt.Errorf("netem: Then[%d]: %w", i, err)
		}
	}
	for _, check := range []func() error{p.validateShares, p.validateTimes, p.validateRate, p.validateEvents} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func hasMove(events []Event) bool {
	for _, e := range events {
		if e.Kind == Move || e.Else == Move {
			return true
		}
	}
	return false
}

func (p *Params) validateShares() error {
	for _, s := range []struct {
		name  string
		value float64
	}{
		{"Loss", p.Loss}, {"Burst.Share", p.Burst.Share}, {"Burst.Loss", p.Burst.Loss},
		{"Chain.Share", p.Chain.Share}, {"Chain.Loss", p.Chain.Loss}, {"Corrupt", p.Corrupt},
		{"Truncate", p.Truncate}, {"Duplicate", p.Duplicate}, {"Reorder", p.Reorder},
	} {
		if !isShare(s.value) {
			return fmt.Errorf("netem: params: %s is %v, want 0 to 1", s.name, s.value)
		}
	}
	if b := p.Burst; b.Share > 0 && (b.Share == 1 || b.Mean < BurstMeanMin) {
		return fmt.Errorf("netem: params: Burst wants a Share below 1 and a Mean of at least %v", BurstMeanMin)
	}
	if c := p.Chain; c.Share > 0 && (c.Mean < 1 || c.Share > c.Mean/(c.Mean+1)) {
		return fmt.Errorf("netem: params: Chain wants a Mean of at least 1 and a Share up to Mean/(Mean+1)")
	}
	return nil
}

// isShare is false for NaN as well.
func isShare(v float64) bool { return v >= 0 && v <= 1 }

func (p *Params) validateTimes() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"Queue", p.Queue}, {"Mark", p.Mark}, {"Delay", p.Delay}, {"Jitter", p.Jitter}, {"ReorderBy", p.ReorderBy},
		{"Grain", p.Grain}, {"Cross.On", p.Cross.On}, {"Cross.Off", p.Cross.Off}, {"Redraw.Low", p.Redraw.Low},
	} {
		if d.value < 0 {
			return fmt.Errorf("netem: params: %s is negative", d.name)
		}
	}
	if r := p.Redraw; r != (Redraw{}) && (p.Delay != 0 || r.Every < stepMin || r.High < r.Low) {
		return fmt.Errorf("netem: params: Redraw wants Delay 0, Every at least %v, and Low up to High", stepMin)
	}
	return nil
}

func (p *Params) validateRate() error {
	if p.MTU < 0 || p.Rate < 0 || p.Rate > 0 && p.Rate < rateMin {
		return fmt.Errorf("netem: params: MTU must not be negative, Rate 0 or at least %d bit/s", rateMin)
	}
	if w := p.Walk; w != (Walk{}) &&
		(p.Rate != 0 || w.Low < rateMin || w.High < w.Low || w.Every < stepMin || !(w.Step > 0 && w.Step <= 100)) {
		return fmt.Errorf("netem: params: Walk wants Rate 0, Low at least %d bit/s and up to High, Every at least %v, Step above 0 and up to 100",
			rateMin, stepMin)
	}
	if p.Marks > MarksDropped {
		return fmt.Errorf("netem: params: no such Marks: %d", p.Marks)
	}
	if p.Cross.On > 0 && p.Rate == 0 {
		return fmt.Errorf("netem: params: Cross wants a Rate")
	}
	return nil
}

func (p *Params) validateEvents() error {
	if !p.Replay.valid() {
		return fmt.Errorf("netem: params: Replay wants moments in order from 0 to Span, up to %d", momentsMax)
	}
	if len(p.Events) > eventsMax {
		return fmt.Errorf("netem: params: %d events, want up to %d", len(p.Events), eventsMax)
	}
	for i, e := range p.Events {
		switch {
		case e.Kind > BlackHole || e.Else > BlackHole || e.Else == Move:
			return fmt.Errorf("netem: params: Events[%d]: kind %d else %d cannot be", i, e.Kind, e.Else)
		case e.First < 0 || e.For < 0 || e.Extra < 0:
			return fmt.Errorf("netem: params: Events[%d]: negative time", i)
		case e.Every != 0 && (e.Every < stepMin || e.Every < e.For):
			return fmt.Errorf("netem: params: Events[%d]: Every is %v, want 0, or at least For and %v", i, e.Every, stepMin)
		case (e.Kind == BlackHole || e.Else == BlackHole) && e.MTU < headerBytes:
			return fmt.Errorf("netem: params: Events[%d]: a black hole of %d bytes", i, e.MTU)
		case !isShare(e.Chance) || !isShare(e.Loss):
			return fmt.Errorf("netem: params: Events[%d]: Chance and Loss want 0 to 1", i)
		case e.Kind == Move && (e.Chance != 0 || e.Else != Nothing):
			return fmt.Errorf("netem: params: Events[%d]: a Move always happens: it has no Chance and no Else", i)
		}
	}
	return nil
}
