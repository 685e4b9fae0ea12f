package netem

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// published is the list of profiles as it is promised: what a sparse sender must see.
var published = []struct {
	name       string
	down, up   int64 // Bits per second, 0 without a bottleneck.
	delay      time.Duration
	delayUp    time.Duration // If different.
	jitter     time.Duration
	queue      time.Duration // 0 without one, or one bandwidth-delay product.
	queueUp    time.Duration // If different.
	loss       float64       // What the loss stage and events lose together over a long time.
	eventsOnly float64       // The part of it that events lose.
}{
	{name: "clean", delay: 20 * time.Millisecond},
	{name: "lossy-1", delay: 50 * time.Millisecond, loss: 0.01},
	{name: "lossy-5", delay: 50 * time.Millisecond, loss: 0.05},
	{name: "lossy-10", delay: 50 * time.Millisecond, loss: 0.10},
	{name: "lossy-20", delay: 50 * time.Millisecond, loss: 0.20},
	{name: "lossy-30", delay: 50 * time.Millisecond, loss: 0.30},
	{name: "bursty-5", delay: 50 * time.Millisecond, loss: 0.05},
	{name: "bursty-10", delay: 50 * time.Millisecond, loss: 0.10},
	{name: "bottleneck", down: 1 * mbit, up: 1 * mbit, delay: 50 * time.Millisecond},
	{name: "lan", down: 1000 * mbit, up: 1000 * mbit, delay: 200 * time.Microsecond, jitter: 50 * time.Microsecond, queue: 20 * time.Millisecond},
	{name: "wifi-good", down: 40 * mbit, up: 33 * mbit, delay: 15 * time.Millisecond, jitter: 2 * time.Millisecond, queue: 50 * time.Millisecond, loss: 0.001},
	{name: "wifi-bad", down: 5 * mbit, up: 2 * mbit, delay: 25 * time.Millisecond, jitter: 8 * time.Millisecond, queue: 200 * time.Millisecond, loss: 0.0496},
	{name: "conference-hall", down: 1 * mbit, up: 1 * mbit, delay: 20 * time.Millisecond, jitter: 30 * time.Millisecond, queue: 500 * time.Millisecond, loss: 0.0835, eventsOnly: 0.025},
	{name: "dsl-congested-up", down: 2 * mbit, up: 256 * kbit, delay: 10 * time.Millisecond, jitter: time.Millisecond, queue: 1500 * time.Millisecond, queueUp: 6 * time.Second},
	{name: "4g-average", down: 12 * mbit, up: 5 * mbit, delay: 45 * time.Millisecond, jitter: 10 * time.Millisecond, queue: 150 * time.Millisecond, loss: 0.002},
	{name: "4g-train", delay: 50 * time.Millisecond, jitter: 30 * time.Millisecond, queue: time.Second, loss: 0.0216, eventsOnly: 0.0167},
	{name: "edge-lossy", down: 240 * kbit, up: 200 * kbit, delay: 400 * time.Millisecond, delayUp: 440 * time.Millisecond, jitter: 100 * time.Millisecond, queue: 2 * time.Second, loss: 0.01},
	{name: "2g-rural", down: 20 * kbit, up: 18 * kbit, delay: 650 * time.Millisecond, jitter: 100 * time.Millisecond, queue: 4 * time.Second, loss: 0.02},
	{name: "starlink", down: 100 * mbit, up: 12 * mbit, jitter: 6700 * time.Microsecond, queue: 150 * time.Millisecond, loss: 0.0166, eventsOnly: 0.0017},
	{name: "geo-satellite", down: 20 * mbit, up: 2 * mbit, delay: 310 * time.Millisecond, jitter: 8 * time.Millisecond, queue: time.Second, loss: 0.005},
	{name: "transcontinental", down: 50 * mbit, up: 50 * mbit, delay: 85 * time.Millisecond, jitter: 2 * time.Millisecond, queue: 100 * time.Millisecond, loss: 0.005},
	{name: "border-evening", down: 20 * mbit, up: 20 * mbit, delay: 85 * time.Millisecond, jitter: 12 * time.Millisecond, queue: 200 * time.Millisecond, loss: 0.12, eventsOnly: 0.0222},
	{name: "very-bad", down: 1 * mbit, up: 1 * mbit, delay: 500 * time.Millisecond, jitter: 50 * time.Millisecond, queue: 500 * time.Millisecond, loss: 0.10},
	{name: "roam", down: 40 * mbit, up: 33 * mbit, delay: 15 * time.Millisecond, jitter: 2 * time.Millisecond, queue: 50 * time.Millisecond, loss: 0.103, eventsOnly: 0.101},
	{name: "outage", delay: 50 * time.Millisecond, loss: 0.25, eventsOnly: 0.25},
}

func TestProfilesHaveThePublishedNumbers(t *testing.T) {
	var names []string
	for _, want := range published {
		names = append(names, want.name)
		p, err := ProfileNamed(want.name)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Text == "" {
			t.Errorf("%s has no description", p.Name)
		}
		if want.delayUp == 0 {
			want.delayUp = want.delay
		}
		if want.queueUp == 0 {
			want.queueUp = want.queue
		}
		d, u := p.Down, p.Up
		if d.Rate != want.down || u.Rate != want.up || d.Delay != want.delay || u.Delay != want.delayUp ||
			d.Jitter != want.jitter || u.Jitter != want.jitter || d.Queue != want.queue || u.Queue != want.queueUp {
			t.Errorf("%s: %+v, want %+v", p.Name, p, want)
		}
	}
	var got []string
	for _, p := range Profiles() {
		got = append(got, p.Name)
	}
	if !slices.Equal(got, names) {
		t.Errorf("profiles %v, want %v", got, names)
	}
}

// Over a long time a sparse sender must see the loss the list says, in both directions.
func TestProfilesLoseWhatTheyPromise(t *testing.T) {
	for _, want := range published {
		p, err := ProfileNamed(want.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []Direction{Up, Down} {
			l := NewLink(p.Params(dir), 1, dir)
			// 17 hours, at times that fall differently into every event.
			verdicts := run(l, 60_000, 1_037_311*time.Microsecond, 100)
			c := l.Counts()
			loss := float64(c.Dropped()) / float64(c.Pushed)
			events := float64(c.DroppedFor[DroppedPartition]+c.DroppedFor[DroppedHandover]+c.DroppedFor[DroppedEvent]) / float64(c.Pushed)
			t.Logf("%-16s %-4v loss %6.3f %%, of that by events %6.3f %%", want.name, dir, 100*loss, 100*events)
			if tolerance := max(0.001, 0.06*want.loss); loss < want.loss-tolerance || loss > want.loss+tolerance {
				t.Errorf("%s %v: loss %g, want %g", want.name, dir, loss, want.loss)
			}
			if tolerance := max(0.0005, 0.06*want.eventsOnly); events < want.eventsOnly-tolerance || events > want.eventsOnly+tolerance {
				t.Errorf("%s %v: events lose %g, want %g", want.name, dir, events, want.eventsOnly)
			}
			inOrder(t, want.name, verdicts)
		}
	}
}

// inOrder checks that no profile reorders: none of them asks for it.
func inOrder(t *testing.T, name string, verdicts []Verdict) {
	t.Helper()
	last := time.Duration(0)
	for _, v := range verdicts {
		if v.Fate != Kept {
			continue
		}
		if v.Deliver < last {
			t.Errorf("%s: packet %d overtakes", name, v.Ordinal)
			return
		}
		last = v.Deliver
	}
}

func TestRoamMovesTwentyTimesInTenMinutes(t *testing.T) {
	p := roam()
	l := NewLink(p.Up, 1, Up)
	if got := l.Address(10 * time.Minute); got != 20 {
		t.Errorf("%d moves in 10 minutes, want 20", got)
	}
	for at, want := range map[time.Duration]Fate{
		29 * time.Second: Kept, 30 * time.Second: DroppedHandover, 32999 * time.Millisecond: DroppedHandover, 33 * time.Second: Kept,
	} {
		if got := fateAt(p.Up, at).Fate; got != want {
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
}

func TestProfileNamedListsTheNames(t *testing.T) {
	_, err := ProfileNamed("lossy-21")
	if _, ok := errors.AsType[*UnknownProfileError](err); !ok {
		t.Fatalf("got %v", err)
	}
	for _, want := range published {
		if !strings.Contains(err.Error(), want.name) {
			t.Errorf("%q does not name %s", err, want.name)
		}
	}
}
