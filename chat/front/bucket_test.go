package front

import (
	"testing"
	"time"
)

func TestBucketRefillsWithTime(t *testing.T) {
	now := time.Unix(1000, 0)
	var b Bucket
	for i := range 5 {
		if got, want := b.Take(now, 2, 4), i < 4; got != want {
			t.Errorf("take %d at once: got %v, want %v", i, got, want)
		}
	}
	now = now.Add(time.Second)
	for i := range 3 {
		if got, want := b.Take(now, 2, 4), i < 2; got != want {
			t.Errorf("take %d after a second: got %v, want %v", i, got, want)
		}
	}
	if !b.Take(now, -1, 0) {
		t.Error("without a limit: got refused")
	}
	if !b.Take(now.Add(-time.Hour), 2, 4) && !b.Take(now.Add(time.Hour), 2, 4) {
		t.Error("after the clock went back and forth: got refused")
	}
}

func TestBucketSaysWhenThereIsMore(t *testing.T) {
	now := time.Unix(1000, 0)
	var b Bucket
	for range 4 {
		if d := b.Delay(now, 2, 4); d != 0 {
			t.Fatalf("full: got %v", d)
		}
	}
	d := b.Delay(now, 2, 4)
	if d < 499*time.Millisecond || d > 501*time.Millisecond {
		t.Errorf("empty, at 2 a second: got %v, want half a second", d)
	}
	if !b.Take(now.Add(d), 2, 4) || b.Take(now.Add(d), 2, 4) {
		t.Error("after that time: want one, and no more")
	}
	b.GiveBack()
	if !b.Take(now.Add(d), 2, 4) {
		t.Error("given back: got refused")
	}
}
