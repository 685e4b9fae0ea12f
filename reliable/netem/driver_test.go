package netem

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestDriverRunsEventsInOrder(t *testing.T) {
	var d Driver
	var got []string
	note := func(what string) func() {
		return func() { got = append(got, fmt.Sprint(what, "@", d.Now())) }
	}
	d.At(2*time.Second, note("c"))
	d.At(time.Second, func() {
		note("a")()
		d.At(time.Second, note("b")) // At the same time, but asked for later.
		d.At(0, note("late"))        // The past is now.
	})
	d.At(time.Second, note("a2"))
	d.RunUntil(1500 * time.Millisecond)
	if d.Now() != 1500*time.Millisecond {
		t.Errorf("now %v", d.Now())
	}
	for d.Step() {
	}
	want := []string{"a@1s", "a2@1s", "b@1s", "late@1s", "c@2s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Two ends bounce a packet over two bad links, with timers: the same seed must give the same transcript.
func TestDriverSameSeedSameTranscript(t *testing.T) {
	transcript := func(seed uint64) []string {
		var d Driver
		var lines []string
		var up, down *Pipe
		p := everything()
		p.Grain = time.Millisecond
		p.Then = []Params{{Delay: 10 * time.Millisecond, Grain: time.Millisecond}}
		up = d.Attach(NewLink(p, seed, Up), func(pkt Packet) {
			lines = append(lines, fmt.Sprint("server ", d.Now(), pkt))
			down.Send(pkt.Data)
		})
		down = d.Attach(NewLink(p, seed, Down), func(pkt Packet) {
			lines = append(lines, fmt.Sprint("client ", d.Now(), pkt))
			up.SendTagged(pkt.Data, pkt.Tag+1)
		})
		var tick func()
		tick = func() {
			up.Send([]byte("tick"))
			d.At(d.Now()+250*time.Millisecond, tick)
		}
		d.At(0, tick)
		d.RunUntil(20 * time.Second)
		return lines
	}
	a, b := transcript(3), transcript(3)
	if len(a) < 100 || !slices.Equal(a, b) {
		t.Errorf("%d and %d lines, equal %v", len(a), len(b), slices.Equal(a, b))
	}
	if slices.Equal(a, transcript(4)) {
		t.Error("another seed, same transcript")
	}
}

func TestPipeStartsWhenAttached(t *testing.T) {
	var d Driver
	d.RunUntil(time.Hour)
	var at time.Duration
	p := d.Attach(NewLink(Params{Delay: time.Second}, 1, Up), func(Packet) { at = d.Now() })
	p.Send(nil)
	for d.Step() {
	}
	if at != time.Hour+time.Second || p.Now() != time.Second {
		t.Errorf("delivered at %v, link time %v", at, p.Now())
	}
}

// A packet that overtakes (reordering) must be delivered on time although a later one was planned first.
func TestPipeDeliversOvertakersOnTime(t *testing.T) {
	var d Driver
	late := 0
	p := d.Attach(NewLink(Params{Delay: time.Millisecond, Reorder: 0.5, ReorderBy: time.Second}, 1, Up), func(pkt Packet) {
		if d.Now() != pkt.At {
			late++
		}
	})
	for i := range 1000 {
		d.At(time.Duration(i)*10*time.Millisecond, func() { p.Send([]byte{1}) })
	}
	for d.Step() {
	}
	if c := p.Link().Counts(); late > 0 || c.Delivered != 1000 || c.Reordered < 400 {
		t.Errorf("%d late, counts %+v", late, c)
	}
}
