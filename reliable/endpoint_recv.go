package reliable

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
)

// read takes datagrams from the socket until it is closed.
//
//	datagram → plain text: Config.Plain
//	         → packet, answer to a hello: connection by ID → its inbox
//	         → hello: connection by its names → its inbox; cookie, if needed → new connection
//	         → call: Meet or AwaitCall
func (e *Endpoint) read() {
	failures := 0
	var ds []*datagram
	for {
		var err error
		ds, err = e.sock.read(ds[:0], e.newDatagram)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Some systems report here that an earlier datagram could not be delivered. That is no reason to stop, but a
			// socket that only fails must not take a whole core.
			failures++
			time.Sleep(min(time.Duration(failures)*time.Millisecond, 100*time.Millisecond))
			continue
		}
		failures = 0
		for i, d := range ds {
			ds[i] = nil
			if !e.handle(d) {
				e.release(d)
			}
		}
	}
}

// handle takes one datagram. It reports whether somebody keeps it.
func (e *Endpoint) handle(d *datagram) (kept bool) {
	b := d.buf[:d.n]
	if wire.IsText(b) {
		e.handlePlain(b, d.path)
		return false
	}
	e.count(func(s *EndpointStats) { s.Datagrams++ })
	if len(b) > wire.DatagramBytesMax {
		e.drop(DropTooLong)
		return false
	}
	typ, err := wire.ParseType(b)
	switch {
	case errors.Is(err, wire.ErrNotOurs):
		e.drop(DropNotOurs)
	case errors.Is(err, wire.ErrVersion):
		e.drop(DropVersion)
	case err != nil:
		e.drop(DropMalformed)
	case typ == wire.TypeHello:
		return e.handleHello(d)
	case typ == wire.TypeCall:
		e.handleCall(b, d.path.Remote)
	default:
		return e.handleConn(d, typ)
	}
	return false
}

func (e *Endpoint) drop(reason Drop) { e.count(func(s *EndpointStats) { s.Drops[reason]++ }) }

func (e *Endpoint) count(f func(s *EndpointStats)) {
	e.mu.Lock()
	f(&e.stats)
	e.mu.Unlock()
}

func (e *Endpoint) handlePlain(b []byte, path Path) {
	if e.cfg.Plain == nil {
		e.drop(DropNotOurs)
		return
	}
	e.count(func(s *EndpointStats) { s.PlainReceived++ })
	e.cfg.Plain(b, path.Remote, netip.AddrPortFrom(path.Local, e.sock.local().Port()))
}

// handleConn finds the connection a datagram belongs to.
func (e *Endpoint) handleConn(d *datagram, typ wire.Type) (kept bool) {
	id, ok := wire.Dest(d.buf[:d.n])
	if !ok {
		e.drop(DropMalformed)
		return false
	}
	e.mu.Lock()
	c := e.conns[id]
	if c == nil {
		c = e.resets[id]
	}
	if c == nil {
		answer := e.latecomerLocked(id, d, typ)
		e.mu.Unlock()
		if answer.Bytes != nil {
			_ = e.sock.write(answer) // Lost like any datagram; the peer asks again.
		}
		return false
	}
	e.mu.Unlock()
	return c.post(d)
}

// latecomerLocked counts a datagram for a connection that does not exist, and returns what to answer: the close packet to a
// peer that has not heard yet that it ended, a stateless reset to one of a connection of which nothing is known any more.
func (e *Endpoint) latecomerLocked(id wire.ConnID, d *datagram, typ wire.Type) (answer Datagram) {
	now := time.Now()
	e.ended.expire(now)
	c := e.ended.byLocal[id]
	if c == nil || c.path.Remote != d.path.Remote {
		e.stats.Drops[DropUnknown]++
		if e.reset == nil || typ != wire.TypePacket || isClosed(e.closing) || !e.reset.due(now, d.n) {
			return Datagram{}
		}
		e.stats.StatelessResets++
		return Datagram{Path: d.path, Bytes: e.reset.datagram(id, d.n, e.cfg.Random)}
	}
	e.stats.Drops[DropEnded]++
	return Datagram{Path: c.path, Bytes: c.answer()}
}

// handleCall hands a CALL packet to the meeting it is for, or to who awaits one from that address; nobody does: it is dropped, and nothing is sent
// (SPEC.md 4.9).
func (e *Endpoint) handleCall(b []byte, from netip.AddrPort) {
	nonce, err := wire.ParseCall(b)
	if err != nil {
		e.drop(DropMalformed)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if heard := e.meetings[nonce]; heard != nil {
		select {
		case heard <- from:
		default: // It comes again.
		}
		return
	}
	select {
	case e.awaited[from] <- nonce: // Nil when nobody waits, which is never ready.
	default:
		e.stats.Drops[DropUnasked]++
	}
}
