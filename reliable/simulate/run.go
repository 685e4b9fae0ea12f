package simulate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/netem"
)

// A run is a scenario under way.
type run struct {
	sc     *Scenario
	driver netem.Driver
	start  time.Time
	shared *reliable.Shared
	press  *press
	hosts  [2]*host
	check  checker

	bad, good [2]*netem.Pipe // by sender
	passages  [2][]passage   // by sender; the tag of a datagram is its index
	pushing   kind           // of the datagram that is being given to a link
	pusher    Side           // of that datagram
	cuts      [2]cut         // by sender
	digest    hash.Hash
	here      netip.AddrPort // where the server sees the client
	moved     int            // times the client has another address
	closing   bool           // EndQuiet: the close is planned
	over      bool
	silentAt  time.Duration // from when on nothing may be sent; 0: not yet known
}

// A passage is what must be known of a datagram when it comes out of a link.
type passage struct {
	sight sight
	sum   uint32
	came  bool

	client netip.AddrPort // the client's address it came from or goes to
}

// Run plays a scenario with a mistake planted in both machines. It must be called in a bubble of testing/synctest.
func Run(sc *Scenario, bug planted.Bug) *Result {
	r := &run{
		sc: sc, start: time.Now(), shared: reliable.NewShared(), press: newPress(sc.Seed), digest: sha256.New(),
	}
	r.check.init(sc, r.now)
	r.check.lostBytes = func(side Side) int { return r.hosts[side].lostBytes() }
	for side := range r.hosts {
		r.hosts[side] = r.newHost(Side(side), bug)
	}
	for side := range r.hosts {
		r.attach(Side(side))
	}
	r.play()
	return r.result()
}

func (r *run) newHost(side Side, bug planted.Bug) *host {
	h := &host{r: r, side: side, cfg: r.sc.Config}
	h.cfg.Random, h.cfg.Planted = seededReader(r.sc.Seed, uint64(side)), bug
	h.cfg.Watch = func(packet []byte) { h.clear = append(h.clear[:0], packet...) }
	h.app.init(r.sc, side)
	if side == Server {
		gate, err := handshake.NewGate(r.start, h.cfg.Random)
		if err != nil {
			panic("BUG: simulate: seeded randomness failed: " + err.Error())
		}
		h.gate = gate
	}
	return h
}

// attach makes the links the side sends into.
func (r *run) attach(side Side) {
	to := r.deliver(side)
	dir := netem.Direction(side)
	params, well := r.sc.Links[side], netem.Params{
		Delay: r.sc.Links[side].Delay, Redraw: r.sc.Links[side].Redraw, Grain: time.Millisecond,
	}
	if hole, yes := r.sc.blackHole(side); yes { // It knows of no healing.
		params.Events = append(slices.Clip(params.Events), hole)
		well.Events = append(well.Events, hole)
	}
	bad := netem.NewLink(params, r.sc.Seed, dir)
	good := netem.NewLink(well, r.sc.Seed, dir)
	bad.Record(r.noteVerdict)
	good.Record(r.noteVerdict)
	r.bad[side], r.good[side] = r.driver.Attach(bad, to), r.driver.Attach(good, to)
	if at := r.sc.DeadAt[side]; at > 0 {
		r.driver.At(at, func() { bad.Cut(true); good.Cut(true) })
	}
}

// deliver returns what becomes of a datagram that comes out of a link of the side.
func (r *run) deliver(from Side) func(netem.Packet) {
	return func(p netem.Packet) {
		switch e := &r.passages[from][p.Tag]; {
		case from == Client:
			r.hosts[Server].receive(p, e.client)
		case e.client == r.here:
			r.hosts[Client].receive(p, serverAddr)
		default:
			r.check.facts[AddressGone]++
		}
	}
}

// play runs everything. A panic is a violation, so that its seed is told.
func (r *run) play() {
	defer func() {
		if p := recover(); p != nil {
			r.check.fail("panic", Client, "%v\n%s", p, debug.Stack())
		}
	}()
	r.planMoves()
	r.hosts[Client].dial()
	for _, h := range r.hosts {
		h.app.start(h)
		h.startStreams()
	}
	r.driver.At(r.sc.settled(), r.checkLiveness)
	r.driver.At(r.sc.over(), r.checkOver)
	for r.check.violation == nil && !r.over {
		at, ok := r.driver.NextAt()
		if !ok {
			break
		}
		if at > r.now() {
			time.Sleep(at - r.now())
			if time.Since(r.start) != at {
				panic("BUG: simulate: not in a bubble of testing/synctest")
			}
		}
		r.driver.Step()
	}
	r.check.finish()
}

// now returns the time since the start, time the same for machines.
func (r *run) now() time.Duration { return r.driver.Now() }

func (r *run) time() time.Time { return r.start.Add(r.driver.Now()) }

// emit gives a datagram to the network.
func (r *run) emit(from Side, to netip.AddrPort, b []byte, ecn reliable.ECN, s sight) {
	r.check.sent(from, b, s)
	r.check.pathSent(from, to, len(b), s)
	if r.silentAt > 0 && r.now() > r.silentAt {
		r.check.fail("end", from, "still sends long after both sides have ended")
	}
	var head [9]byte
	binary.LittleEndian.PutUint64(head[:], uint64(r.now()))
	head[8] = byte(from)
	r.digest.Write(head[:])
	r.digest.Write(b)
	tag := uint64(len(r.passages[from]))
	r.passages[from] = append(r.passages[from], passage{sight: s, sum: crc32.Checksum(b, castagnoli), client: to})
	if from == Client {
		r.passages[from][tag].client = r.here
		r.copyPacket(b, s, tag)
	}
	r.pushing, r.pusher = s.kind, from
	if r.sc.Trace != nil {
		r.sc.Trace(fmt.Sprintf("%12v %v sends %v, packet %d, %d bytes, window closed %v, to %v, client at %v", r.now(), from, s.kind, s.number, len(b), s.closed, to, r.here))
	}
	if r.now() < r.sc.HealAt {
		r.bad[from].SendMarked(b, tag, netem.ECN(ecn))
	} else {
		r.good[from].SendMarked(b, tag, netem.ECN(ecn))
	}
}

// noteVerdict counts what the links did to the rarer kinds of datagrams.
func (r *run) noteVerdict(v netem.Verdict) {
	r.noteCut(v.Fate == netem.DroppedPartition)
	if v.Fate == netem.Kept && v.Changes&(netem.Corrupted|netem.Truncated) == 0 {
		return
	}
	switch r.pushing {
	case kindHello:
		r.check.facts[HelloLost]++
	case kindAccept:
		r.check.facts[AcceptLost]++
	case kindClose:
		r.check.facts[CloseLost]++
	case kindOther, kindRetry, kindData, kindRepair, kindPing, kinds:
	}
}

// A cut is what happens while one direction is partitioned.
type cut struct {
	now   bool // the latest datagram vanished in a partition
	other bool // since then one got through the other way
}

// noteCut takes note of whether a datagram vanished in a partition. Where one gets through between two that vanish, the
// partition is one-way.
func (r *run) noteCut(cutNow bool) {
	own, other := &r.cuts[r.pusher], &r.cuts[r.pusher.other()]
	switch {
	case !cutNow:
		*own = cut{}
		other.other = other.now
	case own.other:
		r.check.facts[CutOneWay]++
		own.other = false
	}
	own.now = cutNow
}

// arrived reports what a datagram is and whether it comes for the first time, undamaged.
func (r *run) arrived(from Side, p netem.Packet) (s sight, fresh bool) {
	e := &r.passages[from][p.Tag]
	if e.came || crc32.Checksum(p.Data, castagnoli) != e.sum {
		return s, false
	}
	e.came = true
	return e.sight, true
}

// closeQuietly closes, a while after everything was written and has arrived, if that is how it ends.
func (r *run) closeQuietly() {
	if r.closing || r.sc.Ending != EndQuiet || !r.settled() {
		return
	}
	r.closing = true
	closer := r.hosts[r.sc.Closer]
	r.driver.At(r.now()+r.sc.Pause, func() {
		if !closer.ended {
			closer.app.close(closer)
			closer.planTurn()
		}
	})
}

// settled reports whether all that is planned was written and has arrived.
func (r *run) settled() bool {
	for side, h := range r.hosts {
		if !h.open || !h.app.done() || !r.check.streams[side].whole() {
			return false
		}
		if !h.streamsOver() {
			return false
		}
	}
	return true
}

// checkLiveness is called when everything must have arrived.
func (r *run) checkLiveness() {
	if r.sc.Ending == EndDead {
		return
	}
	for side, h := range r.hosts {
		other := r.hosts[h.side.other()]
		if h.ended || other.ended || h.app.closed || other.app.closed {
			return // The other rules say what must have arrived.
		}
		if s := &r.check.streams[side]; !h.app.done() || !s.whole() {
			r.check.fail("liveness", h.side, "%d of its %d messages arrived, the last at %v; open %v; it holds %+v",
				s.arrived, len(h.app.plan.Writes), s.lastAt, h.open, heldBy(h))
		}
	}
	for _, h := range r.hosts {
		h.settledStreams()
	}
}

func heldBy(h *host) reliable.Held {
	if h.m == nil {
		return reliable.Held{}
	}
	return h.m.Held()
}

// sideEnded is called when a side's connection has ended: when both have, the line must fall silent.
func (r *run) sideEnded() {
	client, server := r.hosts[Client], r.hosts[Server]
	if client.ended && (server.ended || server.m == nil) {
		r.silentAt = r.now() + silentAfter
		r.driver.At(r.now()+timeWait, func() { r.over = true })
	}
}

// checkOver is called when both sides must have ended.
func (r *run) checkOver() {
	for _, h := range r.hosts {
		if h.m != nil && !h.ended {
			r.check.fail("end", h.side, "has not ended; it holds %+v", h.m.Held())
		}
	}
	r.over = true
}
