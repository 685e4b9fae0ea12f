package simulate

import (
	"net/netip"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// A host is one side's machine and what an endpoint does around it: find the connection a datagram is for, admit proven
// hellos, forget half-open connections, answer latecomers, call the machine when it wants to be called.
type host struct {
	r       *run
	side    Side
	cfg     reliable.Config
	app     app
	strands strands
	gate    *handshake.Gate // server only

	m     *reliable.Machine // nil: no connection yet
	id    wire.ConnID       // the machine's, seen in its hello or accept
	hello wire.Hello        // server: what the connection answers to; without the cookie
	open  bool
	ended bool

	planned  bool // a turn is going to happen at this instant
	armed    bool // an event at armedAt looks whether a turn is due
	armedAt  time.Duration
	wantedAt time.Duration
	turnAt   time.Duration // of the latest turn
	turns    int           // turns at turnAt

	clear     []byte // the latest packet, before it was encrypted
	farewell  []byte // the last close packet
	goodbye   sight  // of it
	latecomer int    // datagrams that came after the end
	endedAt   time.Duration
}

// receive takes a datagram that came from an address.
func (h *host) receive(p netem.Packet, from netip.AddrPort) {
	b := p.Data
	h.r.check.pathCame(h.side, from, len(b))
	s, fresh := h.r.arrived(h.side.other(), p)
	if fresh {
		h.r.check.pathFresh(h.side, from, s)
		h.r.check.came(h.side, s)
	}
	typ, err := wire.ParseType(b)
	switch id, _ := wire.Dest(b); {
	case err != nil || typ == wire.TypeCall:
		h.r.check.facts[DamagedDropped]++
	case typ == wire.TypeHello:
		h.handleHello(b, from, fresh)
	case h.m == nil || id != h.id:
		h.r.check.facts[DamagedDropped]++
	case h.ended:
		h.answerLatecomer(from)
	default:
		h.m.Handle(h.r.time(), reliable.Datagram{Path: reliable.Path{Remote: from}, ECN: reliable.ECN(p.ECN), Bytes: b})
		h.planTurn()
	}
}

// handleHello takes a hello. Fresh says that it comes for the first time and undamaged.
func (h *host) handleHello(b []byte, from netip.AddrPort, fresh bool) {
	hello, err := wire.ParseHello(b)
	if err != nil || h.gate == nil {
		h.r.check.facts[DamagedDropped]++
		return
	}
	if h.m != nil && h.m.Err() == nil && hello.Source == h.hello.Source && hello.Nonce == h.hello.Nonce {
		waits, accepts := fresh && !h.m.Open(), h.r.check.sides[h.side].accepts
		h.m.Handle(h.r.time(), reliable.Datagram{Path: reliable.Path{Remote: from}, Bytes: b})
		if waits && h.r.check.sides[h.side].accepts == accepts {
			h.r.check.fail("answer", h.side, "a hello that was sent again got no accept")
		}
		h.planTurn()
		return
	}
	retry, ok, err := h.gate.Admit(h.r.time(), from, hello, nil)
	switch {
	case err != nil:
		panic("BUG: simulate: seeded randomness failed: " + err.Error())
	case !ok:
		if len(retry) > len(b) {
			h.r.check.fail("numbers", h.side, "%d bytes answered by %d", len(b), len(retry))
		}
		h.r.emit(h.side, from, retry, reliable.NotECT, look(retry))
	case h.m == nil:
		h.admit(hello, b, from)
	}
}

// admit makes the server's machine.
func (h *host) admit(hello wire.Hello, b []byte, from netip.AddrPort) {
	d := reliable.Datagram{Path: reliable.Path{Remote: from}, Bytes: b}
	m, err := reliable.NewServerMachine(h.cfg, h.r.shared, h.r.time(), d, h.emit)
	if err != nil {
		panic("BUG: simulate: a checked hello was refused: " + err.Error())
	}
	h.m, h.hello = m, hello
	h.planTurn()
}

// dial makes the client's machine.
func (h *host) dial() {
	m, err := reliable.NewClientMachine(h.cfg, h.r.shared, h.r.time(), reliable.Path{Remote: serverAddr}, h.emit)
	if err != nil {
		panic("BUG: simulate: seeded randomness failed: " + err.Error())
	}
	h.m = m
	h.planTurn()
}

// emit takes a datagram from the machine.
func (h *host) emit(d reliable.Datagram) {
	b := d.Bytes
	s := look(b)
	if s.packet {
		s = lookInto(h.clear)
	}
	switch {
	case h.m != nil && h.m.Err() != nil:
		h.r.check.fail("end", h.side, "sent a datagram (%v) after its end", s.kind)
	case s.id != 0:
		h.id = s.id
	case s.kind == kindClose:
		h.farewell, h.goodbye = append(h.farewell[:0], b...), s
	}
	h.r.emit(h.side, d.Path.Remote, b, d.ECN, s)
}

// answerLatecomer tells a peer that has not heard it that the connection has ended; less and less often, because two
// hosts that both do would never stop.
func (h *host) answerLatecomer(from netip.AddrPort) {
	if h.side == Server && from != h.m.Path().Remote {
		return // Nobody has proven that address.
	}
	h.latecomer++
	if len(h.farewell) == 0 || h.latecomer&(h.latecomer-1) != 0 || h.r.now() > h.endedAt+timeWait {
		return
	}
	h.r.check.facts[LatecomerTold]++
	h.r.emit(h.side, h.m.Path().Remote, h.farewell, reliable.NotECT, h.goodbye)
}

// planTurn makes a turn happen at this instant, after everything that was planned for it before.
func (h *host) planTurn() {
	if !h.planned && h.m != nil && !h.ended {
		h.planned = true
		h.r.driver.At(h.r.now(), h.turn)
	}
}

// turn does what a connection's loop does when it wakes.
func (h *host) turn() {
	h.planned = false
	if h.m == nil {
		return // Forgotten since this was planned.
	}
	if h.turnAt != h.r.now() {
		h.turnAt, h.turns = h.r.now(), 0
	}
	if h.turns++; h.turns > turnsMax {
		h.r.check.fail("spin", h.side, "called %d times at the same instant", h.turns)
		return
	}
	if h.side == Client || h.m.Open() { // Nobody accepts a half-open connection.
		h.app.write(h)
		h.writeStreams()
	}
	h.m.Advance(h.r.time())
	h.r.check.holds(h.side, h.m.Held())
	if !h.open && h.m.Open() {
		h.open = true
		h.r.check.opened(h.side)
	}
	h.app.read(h)
	h.readStreams()
	if err := h.m.Err(); err != nil {
		if h.side == Server && !h.open {
			h.forget()
			return
		}
		h.end(err)
		return
	}
	h.r.closeQuietly()
	h.arm()
}

// forget is what a server does with a client that has not finished its handshake: the next hello begins anew.
func (h *host) forget() {
	h.r.check.facts[HalfOpenForgotten]++
	h.m, h.id, h.hello = nil, 0, wire.Hello{}
}

func (h *host) end(err error) {
	h.ended, h.endedAt = true, h.r.now()
	h.r.check.ended(h.side, err)
	h.r.sideEnded()
}

// arm plans the next turn for when the machine wants it, in whole milliseconds, and not before: a machine that forgets
// to say what it waits for must not be helped.
func (h *host) arm() {
	next, ok := h.m.NextAt(h.r.time())
	if !ok {
		return
	}
	at := next.Sub(h.r.start)
	if rest := at % time.Millisecond; rest > 0 {
		at += time.Millisecond - rest
	}
	h.wantedAt = max(at, h.r.now())
	if !h.armed || h.wantedAt < h.armedAt {
		h.armFor(h.wantedAt)
	}
}

func (h *host) armFor(at time.Duration) {
	h.armed, h.armedAt = true, at
	h.r.driver.At(at, func() {
		switch {
		case h.ended || h.armedAt != at:
		case h.wantedAt > at:
			h.armFor(h.wantedAt)
		default:
			h.armed = false
			h.planTurn()
		}
	})
}
