package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Go collects garbage when as much has been allocated as is in use, or after two minutes. A server whose clients have
// all fallen silent allocates hardly anything, but its connections have just given up what only traffic needs: without
// help it would hold on to the memory of its busiest moment for minutes.

const (
	// memoryLook is how often to look.
	memoryLook = 5 * time.Second

	// quietLooks is for how many looks nothing must have been collected.
	quietLooks = 3

	// memoryWorth is which part of the heap a collection must have freed to be tried again before the collector itself
	// has found something to do.
	memoryWorth = 1.0 / 4
)

// giveMemoryBack has memory collected and given back to the system when it is quiet, until ctx ends.
func giveMemoryBack(ctx context.Context) {
	look := time.NewTicker(memoryLook)
	defer look.Stop()
	var q quiet
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			cycles, before := heap()
			if q.due(cycles) {
				debug.FreeOSMemory()
				cycles, after := heap()
				q.freed(cycles, before, after)
			}
		}
	}
}

// A quiet knows when collecting may be worth its while. The zero value is ready.
type quiet struct {
	cycles uint64 // collections at the last look
	looks  int    // since the last collection
	vain   bool   // the last one was ours and freed nothing to speak of
}

// due takes how many collections there were and reports whether it is time for another.
func (q *quiet) due(cycles uint64) bool {
	if cycles != q.cycles {
		q.cycles, q.looks, q.vain = cycles, 0, false
		return false
	}
	q.looks++
	return q.looks >= quietLooks && !q.vain
}

// freed takes what a collection after due has done: how many there are now, and the heap before and after.
func (q *quiet) freed(cycles, before, after uint64) {
	q.cycles, q.looks = cycles, 0
	q.vain = after > before || float64(before-after) < memoryWorth*float64(before)
}

// heap returns how many collections there were and how many bytes objects take, garbage included.
func heap() (cycles, bytes uint64) {
	s := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64()
}
