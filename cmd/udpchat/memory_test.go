package main

import "testing"

// Memory is collected when nothing has been for a while, again while that frees much, and then not before the collector
// has come by itself.
func TestMemoryIsCollectedWhileItIsWorthIt(t *testing.T) {
	var q quiet
	for i, step := range []struct {
		cycles        uint64
		want          bool
		before, after uint64
	}{
		{cycles: 7}, {cycles: 7}, {cycles: 8}, // Busy.
		{cycles: 8}, {cycles: 8}, {cycles: 8, want: true, before: 1000, after: 300}, // Now 9.
		{cycles: 9}, {cycles: 9}, {cycles: 9, want: true, before: 310, after: 300}, // Now 10, in vain.
		{cycles: 10}, {cycles: 10}, {cycles: 10}, {cycles: 10}, {cycles: 10},
		{cycles: 11}, {cycles: 11}, {cycles: 11}, {cycles: 11, want: true, before: 300, after: 310}, // Now 12, in vain.
		{cycles: 12}, {cycles: 12}, {cycles: 12},
	} {
		if got := q.due(step.cycles); got != step.want {
			t.Fatalf("step %d: %v, want %v", i, got, step.want)
		}
		if step.want {
			q.freed(step.cycles+1, step.before, step.after)
		}
	}
}
