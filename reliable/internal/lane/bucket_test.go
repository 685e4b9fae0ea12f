package lane

import (
	"testing"
	"time"
)

func TestBucketLetsABurstPassAndThenFourPacketsARoundTrip(t *testing.T) {
	var b Bucket
	const rtt = 100 * time.Millisecond
	take := func(now time.Duration) (n int) {
		for b.Level(now, rtt) >= packetBytes {
			b.Take(packetBytes)
			n++
		}
		return n
	}
	if n := take(time.Hour); n != 8 {
		t.Errorf("a burst of %d packets, want 8", n)
	}
	total := 0
	for now := time.Hour; now <= time.Hour+10*rtt; now += time.Millisecond {
		total += take(now)
	}
	if total < 39 || total > 40 {
		t.Errorf("%d packets in ten round trips, want 40", total)
	}
	if at := b.NextAt(2*time.Hour, rtt, packetBytes); at > 2*time.Hour+time.Millisecond {
		t.Errorf("a full bucket has to wait until %v", at)
	}
}

func TestBucketIsNeverSlowerThanItsFloor(t *testing.T) {
	var b Bucket
	const rtt = 10 * time.Second
	b.Take(bucketBytes)
	if n := b.Level(time.Second, rtt); n < floorRate {
		t.Errorf("%d bytes after a second, want %d", n, floorRate)
	}
	if at := b.NextAt(time.Second, rtt, bucketBytes); b.Level(at, rtt) < bucketBytes-1 {
		t.Errorf("at %v, which NextAt named, there are %d bytes", at, b.Level(at, rtt))
	}
}

func TestBucketKeepsHalfForMessages(t *testing.T) {
	var b Bucket
	n := 0
	for b.Spare(0, 0, packetBytes) {
		b.Take(packetBytes)
		n++
	}
	if n != 4 || b.Level(0, 0) != bucketBytes/2 {
		t.Errorf("%d repair symbols left, %d bytes remain", n, b.Level(0, 0))
	}
}

func TestSilenceCountsTimeoutsThatGrow(t *testing.T) {
	var s Silence
	const timeout = 100 * time.Millisecond
	if _, ok := s.NextAt(); ok || s.Advance(time.Hour, timeout) {
		t.Error("nothing waits, and there was a timeout")
	}
	s.Wait(0, timeout)
	s.Wait(50*time.Millisecond, timeout) // Does not put it off.
	var at []time.Duration
	for now := time.Duration(0); now < 2*time.Second; now += time.Millisecond {
		if s.Advance(now, timeout) {
			at = append(at, now/time.Millisecond)
		}
	}
	if len(at) != 4 || at[0] != 100 || at[1] != 300 || at[2] != 700 || at[3] != 1500 || s.Count() != 4 {
		t.Errorf("timeouts at %v ms", at)
	}
	s.Heard(2*time.Second, timeout, true)
	if next, ok := s.NextAt(); !ok || next != 2*time.Second+timeout || s.Count() != 0 {
		t.Errorf("after an acknowledgement: %+v", s)
	}
	s.Heard(2*time.Second, timeout, false)
	if _, ok := s.NextAt(); ok {
		t.Error("nothing waits any more, and it wants to be called")
	}
}
