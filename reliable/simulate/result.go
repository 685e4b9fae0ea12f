package simulate

import (
	"crypto/sha256"
	"fmt"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// A Result is what came of a run.
type Result struct {
	Violation *Violation // the first broken rule; nil: none
	Virtual   time.Duration
	Digest    [sha256.Size]byte // of every datagram with its time and side
	Links     netem.Counts
	Facts     [facts]int
	Held      reliable.Held // the most of each
	Stats     [2]reliable.ConnStats
	Errors    [2]error           // why each side's connection ended
	Latencies [2][]time.Duration // of each message, by who wrote it; only if wanted

	streams [2]stream
}

// result sums up a run that is over.
func (r *run) result() *Result {
	res := &Result{
		Violation: r.check.violation, Virtual: r.now(), Facts: r.check.facts, Held: r.check.held, streams: r.check.streams,
	}
	r.digest.Sum(res.Digest[:0])
	for side, h := range r.hosts {
		res.Links.Add(r.bad[side].Link().Counts())
		res.Links.Add(r.good[side].Link().Counts())
		res.Errors[side] = r.check.sides[side].err
		res.Latencies[side] = r.check.streams[side].latencies
		if h.m != nil {
			res.Stats[side] = h.m.Stats()
			res.addStats(&res.Stats[side])
			if h.m.Err() == nil && !h.m.Open() {
				h.m.Abort(r.time(), 0, "") // TLS still waits for the end of the handshake.
			}
		}
	}
	return res
}

// addStats adds the facts that only the machine knows.
func (res *Result) addStats(s *reliable.ConnStats) {
	res.Facts[ClientMoved] += int(s.Roams)
	res.Facts[CheckFailed] += int(s.PathChecksFailed)
	res.Facts[QuietAsked] += int(s.QuietProbes)
	res.Facts[PieceSent] += int(s.Pieces)
	if s.MTU > wire.DatagramBytesBase {
		res.Facts[LargerFound]++
	}
	if s.BlackHoles > 0 && res.Links.DroppedFor[netem.DroppedMTU] > 0 {
		res.Facts[BlackHoleLeft]++
	}
	res.Facts[RebuiltByFEC] += int(s.RecoveredByFEC)
	res.Facts[RetransmittedByARQ] += int(s.Retransmits)
	res.Facts[SleptAndWoke] += int(s.Wakes)
	res.Facts[RepairCancelled] += int(s.RepairCancelled)
	res.Facts[StreamLate] += int(s.Drops[reliable.DropStreamEnded])
	res.Facts[DuplicateDropped] += int(s.Drops[reliable.DropRepeated])
	res.Facts[DamagedDropped] += int(s.Drops[reliable.DropSeal] + s.Drops[reliable.DropMalformed])
}

// String says how a run went, for somebody who looks for a mistake.
func (res *Result) String() string {
	return fmt.Sprintf("%v virtual, ended by %q and %q\nclient %+v\nserver %+v",
		res.Virtual, fmt.Sprint(res.Errors[Client]), fmt.Sprint(res.Errors[Server]), res.Stats[Client], res.Stats[Server])
}
