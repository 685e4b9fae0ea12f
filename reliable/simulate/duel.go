package simulate

import (
	"net/netip"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A Peer is one end of a connection as a state machine. *reliable.Machine is one; whoever wants to see how another
// protocol does on the same link gives it these methods.
type Peer interface {
	// Handle takes a datagram. The bytes are valid only during the call.
	Handle(now time.Time, d reliable.Datagram)
	// Write queues bytes and returns how many it took; Read returns what has arrived, 0 bytes if nothing has.
	Write(p []byte) int
	Read(p []byte) int
	// Advance does what is due. It is called after any of the above and when NextAt has come.
	Advance(now time.Time)
	NextAt(now time.Time) (time.Time, bool)
	// Open reports whether the handshake is over and the connection has not ended, Err why it has ended.
	Open() bool
	Err() error
}

var _ Peer = (*reliable.Machine)(nil)

// A Duel is two peers and the links between them, without a checker: it is for measuring, not for finding mistakes.
// Everything happens on the goroutine of Run, so the same duel gives the same datagrams of the same sizes at the same
// times. All fields must be set but Sent and Verdict.
type Duel struct {
	Seed uint64
	// Links are by the side that sends into it. Their Grain must be a millisecond if the same seed is to give the same
	// figures in every process.
	Links [2]netem.Params
	// Dial makes the client. Answer makes the server from the first datagram that comes; an error means that it was not
	// one to answer. Emit takes a datagram to send and copies it.
	Dial   func(now time.Time, path reliable.Path, emit func(reliable.Datagram)) (Peer, error)
	Answer func(now time.Time, first reliable.Datagram, emit func(reliable.Datagram)) (Peer, error)
	// Turn is the side's application: it writes to p and reads from it. It is called whenever p has heard something, and
	// after Wake.
	Turn func(side Side, p Peer)
	// Verdict gets what the links decide. Nil: nobody wants to know.
	Verdict func(from Side, v netem.Verdict)

	driver netem.Driver
	start  time.Time
	pipes  [2]*netem.Pipe
	ends   [2]*duellist
	stop   bool
	over   bool // nothing is sent any more
}

// A duellist is one side of a duel.
type duellist struct {
	d    *Duel
	side Side
	peer Peer // nil: the server has not heard anything

	planned bool // a turn is going to happen at this instant
	armed   bool // an event at armedAt looks whether a turn is due
	armedAt time.Duration
	wanted  time.Duration // when the peer wants to be called
}

// duelAddrs is where the sides are to begin with. When the client's link moves, its address counts up.
var duelAddrs = [2]netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("198.51.100.1:4000")}

// Now is the time since Run was called. At has f called at time t. Both are for what Run calls.
func (d *Duel) Now() time.Duration { return d.driver.Now() }

// At has f called at time t, or next if that has passed.
func (d *Duel) At(t time.Duration, f func()) { d.driver.At(t, f) }

// Wake gives the side a turn at this instant.
func (d *Duel) Wake(side Side) { d.ends[side].planTurn() }

// Stop ends Run.
func (d *Duel) Stop() { d.stop = true }

// Counts returns what the side's link has done.
func (d *Duel) Counts(side Side) netem.Counts { return d.pipes[side].Link().Counts() }

// Run plays until Stop is called. It must be called in a bubble of testing/synctest, whose time has whole milliseconds,
// and once. Peers that know how are told to let go at the end.
func (d *Duel) Run() error {
	d.start = time.Now()
	for side := range d.ends {
		d.ends[side] = &duellist{d: d, side: Side(side)}
		link := netem.NewLink(d.Links[side], d.Seed, netem.Direction(side))
		if d.Verdict != nil {
			link.Record(func(v netem.Verdict) { d.Verdict(Side(side), v) })
		}
		d.pipes[side] = d.driver.Attach(link, d.deliver(Side(side)))
	}
	client := d.ends[Client]
	peer, err := d.Dial(d.time(), reliable.Path{Remote: duelAddrs[Server]}, d.emit(Client))
	if err != nil {
		return err
	}
	client.peer = peer
	client.planTurn()
	for !d.stop {
		at, ok := d.driver.NextAt()
		if !ok {
			break
		}
		if at > d.Now() {
			time.Sleep(at - d.Now())
			if time.Since(d.start) != at {
				panic("BUG: simulate: not in a bubble of testing/synctest")
			}
		}
		d.driver.Step()
	}
	d.over = true
	for _, end := range d.ends {
		if a, ok := end.peer.(interface {
			Abort(time.Time, uint32, string)
		}); ok && end.peer != nil && end.peer.Err() == nil {
			a.Abort(d.time(), 0, "") // A handshake may wait on a goroutine of its own.
		}
	}
	return nil
}

func (d *Duel) time() time.Time { return d.start.Add(d.driver.Now()) }

// emit returns what takes the side's datagrams. What goes to an address the client has left is lost.
func (d *Duel) emit(side Side) func(reliable.Datagram) {
	return func(dg reliable.Datagram) {
		if d.over {
			return
		}
		if side == Server && dg.Path.Remote != d.clientAddr(d.pipes[Client].Link().Address(d.pipes[Client].Now())) {
			return
		}
		d.pipes[side].Send(dg.Bytes)
	}
}

// clientAddr is where the client is after so many moves.
func (d *Duel) clientAddr(moves int) netip.AddrPort {
	addr := duelAddrs[Client].Addr()
	for range moves {
		addr = addr.Next()
	}
	return netip.AddrPortFrom(addr, duelAddrs[Client].Port())
}

// deliver returns what hands over the side's datagrams to the other.
func (d *Duel) deliver(from Side) func(netem.Packet) {
	return func(p netem.Packet) {
		to := d.ends[from.other()]
		dg := reliable.Datagram{Path: reliable.Path{Remote: duelAddrs[Server]}, Bytes: p.Data}
		if from == Client {
			dg.Path.Remote = d.clientAddr(p.Address)
		}
		to.handle(dg)
	}
}

func (e *duellist) handle(dg reliable.Datagram) {
	if e.peer == nil {
		peer, err := e.d.Answer(e.d.time(), dg, e.d.emit(e.side))
		if err != nil {
			return
		}
		e.peer = peer
		e.planTurn()
		return
	}
	e.peer.Handle(e.d.time(), dg)
	e.planTurn()
}

// planTurn makes a turn happen at this instant, after everything that was planned for it before.
func (e *duellist) planTurn() {
	if !e.planned && e.peer != nil {
		e.planned = true
		e.d.driver.At(e.d.Now(), e.turn)
	}
}

// turn does what a connection's loop does when it wakes.
func (e *duellist) turn() {
	e.planned = false
	now := e.d.time()
	e.d.Turn(e.side, e.peer)
	e.peer.Advance(now)
	e.d.Turn(e.side, e.peer) // What has arrived can be read now.
	if e.peer.Err() != nil {
		return
	}
	next, ok := e.peer.NextAt(now)
	if !ok {
		return
	}
	// In whole milliseconds, and not before: a machine that forgets to say what it waits for must not be helped.
	e.wanted = max((next.Sub(e.d.start) + time.Millisecond - 1).Truncate(time.Millisecond), e.d.Now())
	if !e.armed || e.wanted < e.armedAt {
		e.arm(e.wanted)
	}
}

func (e *duellist) arm(at time.Duration) {
	e.armed, e.armedAt = true, at
	e.d.driver.At(at, func() {
		switch {
		case e.armedAt != at || !e.armed:
		case e.wanted > at:
			e.arm(e.wanted)
		default:
			e.armed = false
			e.planTurn()
		}
	})
}
