package netem

import (
	"testing"
	"time"
)

// Every packet meets what the recorded packet met that was nearest, and the recording begins again at its end.
func TestReplayRepeatsTheNearestRecordedPacket(t *testing.T) {
	const ms = time.Millisecond
	r := Replay{Span: 100 * ms, Moments: []Moment{{At: 0, Delay: 10 * ms}, {At: 50 * ms, Lost: true}, {At: 90 * ms, Delay: 30 * ms}}}
	s := newReplayStage(r, 1)
	for at, want := range map[time.Duration]Moment{
		0: r.Moments[0], 20 * ms: r.Moments[0], 30 * ms: r.Moments[1], 50 * ms: r.Moments[1], 69 * ms: r.Moments[1], 71 * ms: r.Moments[2],
		99 * ms: r.Moments[2], 100 * ms: r.Moments[0], 150 * ms: r.Moments[1],
	} {
		if got := s.meet(at + r.Span - s.start); got != want {
			t.Errorf("at %v: %+v, want %+v", at, got, want)
		}
	}
	l := NewLink(Params{Replay: r}, 1, Up)
	lost := 0
	for i := range 1000 {
		l.Push(time.Duration(i)*ms, []byte("x"))
	}
	for _, n := range l.Counts().DroppedFor {
		lost += int(n)
	}
	if got := int(l.Counts().DroppedFor[DroppedReplay]); got != lost || got < 430 || got > 470 {
		t.Errorf("%d of 1,000 lost, %d by replay, want about 450 of both", lost, got)
	}
}

func TestReplayRefusesMomentsOutOfOrder(t *testing.T) {
	for name, r := range map[string]Replay{
		"order": {Span: 10, Moments: []Moment{{At: 5}, {At: 4}}}, "span": {Span: 10, Moments: []Moment{{At: 11}}},
		"delay": {Span: 10, Moments: []Moment{{At: 1, Delay: -1}}}, "empty": {Span: 10}, "no span": {Moments: []Moment{{}}},
	} {
		if (Params{Replay: r}).Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := (Params{}).Validate(); err != nil {
		t.Error(err)
	}
}
