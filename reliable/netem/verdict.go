package netem

import (
	"fmt"
	"strings"
	"time"
)

// Fate is what became of a datagram: kept, or why not.
type Fate uint8

const (
	Kept             Fate = iota // It is, or will be, delivered.
	DroppedMTU                   // It was larger than the MTU.
	DroppedPartition             // It was pushed during a partition, scheduled or by Cut.
	DroppedHandover              // It was pushed during, or on the way at the beginning of, a handover or move.
	DroppedMarked                // It had a mark, which the way does not bear.
	DroppedEvent                 // It was pushed during a Lossy event and unlucky.
	DroppedReplay                // One was lost at this time when the network was recorded.
	DroppedLoss                  // It was unlucky.
	DroppedBurst                 // It was pushed during a bad time.
	DroppedChain                 // It met the bad state of the chain.
	DroppedQueue                 // The queue of the bottleneck was full.
	DroppedFull                  // The link held as much as it may: a limit of ours, not of the network.
	fateCount
)

var fateNames = [fateCount]string{
	"kept", "mtu", "partition", "handover", "marked", "event", "replay", "loss", "burst", "chain", "queue", "full",
}

func (f Fate) String() string {
	if f >= fateCount {
		return fmt.Sprintf("Fate(%d)", uint8(f))
	}
	return fateNames[f]
}

// Fates returns all reasons to drop a datagram, in the order of the stages.
func Fates() []Fate {
	fates := make([]Fate, 0, fateCount-1)
	for f := Kept + 1; f < fateCount; f++ {
		fates = append(fates, f)
	}
	return fates
}

// Changes is what else happened to a datagram, a set.
type Changes uint8

const (
	Corrupted Changes = 1 << iota // One byte is not what it was.
	Truncated                     // The end is missing.
	Copied                        // This is the second of two.
	Held                          // A Hold delayed it.
	Reordered                     // It was made late on purpose.
	Marked                        // The queue has marked congestion on it.
)

var changeNames = [...]string{"corrupted", "truncated", "copied", "held", "reordered", "marked"}

// Names lists what is in c.
func (c Changes) Names() []string {
	var names []string
	for i, name := range changeNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (c Changes) String() string { return strings.Join(c.Names(), "+") }

// Verdict is what a link decided about one datagram, or about its copy.
type Verdict struct {
	At      time.Duration // When it was pushed, since the start of the link.
	Ordinal uint64        // How many were pushed before it. A copy has the ordinal of its original.
	Size    int           // Payload in bytes, as pushed.
	Fate    Fate
	Changes Changes
	Deliver time.Duration // When it comes out; only if kept.
}

// Counts sums up the verdicts of a link. Pushed + Copied = Dropped + Kept, and Kept - Delivered are on
// the way.
type Counts struct {
	Pushed, PushedBytes       uint64 // Datagrams and payload bytes given to the link.
	Copied                    uint64 // Copies the link made.
	Kept                      uint64
	Delivered, DeliveredBytes uint64 // Popped.
	DroppedFor                [fateCount]uint64
	Corrupted, Truncated      uint64 // Of those kept.
	Held, Reordered, Marked   uint64 // Of those kept.
}

// Dropped is the sum over all reasons.
func (c *Counts) Dropped() uint64 {
	sum := uint64(0)
	for _, n := range c.DroppedFor {
		sum += n
	}
	return sum
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.Pushed += o.Pushed
	c.PushedBytes += o.PushedBytes
	c.Copied += o.Copied
	c.Kept += o.Kept
	c.Delivered += o.Delivered
	c.DeliveredBytes += o.DeliveredBytes
	c.Corrupted += o.Corrupted
	c.Truncated += o.Truncated
	c.Held += o.Held
	c.Reordered += o.Reordered
	c.Marked += o.Marked
	for i := range c.DroppedFor {
		c.DroppedFor[i] += o.DroppedFor[i]
	}
}

// note counts v.
func (c *Counts) note(v Verdict) {
	if v.Changes&Copied != 0 {
		c.Copied++
	}
	if v.Fate != Kept {
		c.DroppedFor[v.Fate]++
		return
	}
	c.Kept++
	for _, n := range []struct {
		change Changes
		count  *uint64
	}{{Corrupted, &c.Corrupted}, {Truncated, &c.Truncated}, {Held, &c.Held}, {Reordered, &c.Reordered}, {Marked, &c.Marked}} {
		if v.Changes&n.change != 0 {
			*n.count++
		}
	}
}
