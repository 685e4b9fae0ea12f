package reliable

import (
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
)

// handleHello makes a connection for a hello, half-open until the client has finished the handshake. While many are, a
// client whose address is not proven gets a cookie and leaves no trace (SPEC.md 4.5).
//
//	hello → known: repeated → its connection
//	      → call: answers one of ours?
//	      → address proven, where it has to be?
//	      → new connection, half-open
func (e *Endpoint) handleHello(d *datagram) (kept bool) {
	now, path, from := time.Now(), d.path, d.path.Remote
	hello := d.buf[:d.n]
	h, err := wire.ParseHello(hello)
	if err != nil {
		e.drop(DropMalformed)
		return false
	}
	key := helloKey{from, h.Source, h.Nonce}
	e.mu.Lock()
	known := e.hellos[key]
	_, over := e.ended.byHello[key]
	call := e.calls[h.Call]
	half := e.half
	e.mu.Unlock()
	switch {
	case known != nil:
		return known.post(d) // A repetition: its accept was lost.
	case over:
		e.drop(DropEnded)
		return false
	}
	local := netip.AddrPortFrom(path.Local, e.sock.local().Port())
	if call == nil && h.Call == 0 && (e.cfg.AlwaysCookie || half >= halfOpenMax) {
		retry, ok, err := e.gate.Admit(now, from, h, nil)
		if err != nil {
			e.cfg.Logger.Error("no randomness for cookies", "err", err)
			return false
		}
		if !ok {
			e.count(func(s *EndpointStats) { s.Retries++ })
			_ = e.sock.write(Datagram{Path: path, Bytes: retry}) // Lost like any datagram; the client asks again.
			return false
		}
	}
	if code := e.admit(now, key, h, hello, call, local); code != CodeNone {
		e.count(func(s *EndpointStats) { s.Refused++; s.Drops[DropBacklogFull]++ })
		refuse := wire.AppendRefuse(nil, wire.Refuse{Dest: h.Source, Nonce: h.Nonce, Code: code})
		_ = e.sock.write(Datagram{Path: path, Bytes: refuse}) // Lost like any datagram; the client asks again.
	}
	return false
}

// admit makes the half-open connection a hello asks for. It returns CodeNone or why not.
func (e *Endpoint) admit(now time.Time, key helloKey, h wire.Hello, hello []byte, call *outgoingCall, local netip.AddrPort) (code uint32) {
	e.mu.Lock()
	full := len(e.conns) >= e.cfg.ConnsMax || e.half >= halfOpenProvenMax
	meet := call != nil && call.meet
	if meet {
		call.hellos++
		full = full || call.hellos > meetHellosMax
	}
	e.mu.Unlock()
	switch {
	case isClosed(e.closing) && !meet: // Who accepts nobody may still meet somebody.
		return CodeShutdown
	case full || h.Call == 0 && len(e.accepted) == cap(e.accepted):
		return CodeFull
	case h.Call != 0 && (call == nil || !meet && call.to != key.from):
		return CodeNoCall // The nonce of a call proves the address it went to as a cookie does.
	}
	c := newConn(e, key.from, local)
	c.key, c.server, c.call = key, true, call
	var verify func(Key) error
	if call != nil {
		verify = call.verify
	}
	m, err := newServer(&e.cfg, e.shared, now, Datagram{Path: c.path(), Bytes: hello}, verify, c.emit)
	if err == nil {
		m.token.send, err = e.gate.Token(now, key.from.Addr())
		m.token.reset = e.reset.of(m.local)
	}
	if err != nil {
		e.cfg.Logger.Error("cannot make a connection", "peer", key.from, "err", err)
		return CodeFull
	}
	c.m = m
	if !e.add(c) {
		return CodeShutdown
	}
	return CodeNone
}
